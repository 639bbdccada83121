"""Sending the turns of a run over one client, each in the form that the server takes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.deadline import alarm
from cometresp.errors import (
    CometrespError,
    ExitCode,
    Next,
    OutputError,
    ProtocolError,
    RequestRefusedError,
    StoppedError,
    UnreachableError,
)
from cometresp.options.asked import Asked
from cometresp.options.values import retries_of
from cometresp.request.fallback import Fallbacks, for_model
from cometresp.request.secrets import add_secrets, resolved_body
from cometresp.runtime import Runtime
from cometresp.state.records import Turn
from cometresp.text import escape_line, shell_arguments
from cometresp.turns.amnesia import amnesia
from cometresp.turns.by_items import REPLAYED, replayed_after
from cometresp.turns.exchange import Resume, exchange
from cometresp.turns.prepare import Prepared
from cometresp.turns.unknown_model import naming_near_models
from cometresp.wire.events import GOOD, Event, may_go_on
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import input_items
from cometresp.wire.json import Json
from cometresp.wire.refusals import (
    lacks_reasoning,
    refused_inside,
    refuses_previous,
    refuses_reasoning,
    unreadable_inside,
    without_encrypted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cometresp.calls.conversation import Conversation
    from cometresp.client.client import Client
    from cometresp.render.screen import Screen
    from cometresp.turns.display import OnPoll
    from cometresp.turns.turn import OnId

_CANCEL_SECONDS = 2.0  # in which a second interrupt cancels a background response
_CANCEL_LIMIT = 5.0  # seconds for that request; nobody who interrupts twice waits for --timeout
_BEFORE_ITEMS = ("response.created", "response.queued", "response.in_progress", "keepalive", "ping")
_FRESH = 3600.0  # seconds for which every server that keeps responses keeps them
_NO_REASONING = "the server can't read the encrypted reasoning of the earlier turns: the turn was sent without it"
_KEEP_REASONING = "--include reasoning.encrypted_content, from the first turn on, keeps what the server asks for"


class Sender:
    """`first` and `next` send a turn, as `run_turn` calls them; `follow` sets what the next one answers.

    Where the server refuses the id of the previous response, the turn is sent once more with the recorded items.
    """

    def __init__(
        self,
        asked: Asked,
        runtime: Runtime,
        prepared: Prepared,
        stack: ExitStack,
        on_upload: "Callable[[int, int], None]",
        on_poll: "OnPoll",
    ) -> None:
        self._asked = asked
        self._runtime = runtime
        self._prepared = prepared
        self._stack = stack
        self._on_upload = on_upload
        self._on_poll = on_poll
        self._client: Client | None = None
        self._body: Json = prepared.body  # as it was sent last
        self._conversation: Conversation | None = None  # once a turn follows
        self._usage_before: Json = prepared.plan.parent.usage if prepared.plan.parent else {}
        models = [runtime.config.model_of(name) for name in asked.fallback_models]
        self._fallbacks = Fallbacks(models, prepared.model, runtime.terminal.warn)
        self._warned = False  # that the recorded turns were sent in place of an id

    def first(self, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        try:
            self._send(self._prepared.body, answer, screen, on_response_id)
        except CometrespError as error:
            parent = self._prepared.plan.parent
            if not answer.is_blank or parent is None or not self._refused_previous(error):
                raise
            prepared = self._prepared
            body = replayed_after(error, prepared.body, self._runtime, parent, prepared.new_items)
            self._send_instead(error, body, answer, screen, on_response_id)
            # An old one may just have expired, and one that the user deleted is rightly gone.
            if time.time() - parent.created < _FRESH and not self._was_deleted(parent):
                self._remember_refusal()

    def begin_conversation(self) -> str:
        """Create a conversation on the server, in which the turns are then sent; returns its id."""
        conversation_id = self._opened().create_conversation()
        self._prepared = self._prepared._replace(body=self._prepared.body | {"conversation": conversation_id})
        return conversation_id

    def follow(self, answer: Answer, outputs: list[Json]) -> None:
        """The next turn continues this answer with the outputs of its calls."""
        if self._conversation is None:
            from cometresp.calls.conversation import Conversation

            gave_up_ids = self._prepared.plan.previous_id is not None or self._takes_no_ids()
            stateless = gave_up_ids and "previous_response_id" not in self._body
            self._conversation = Conversation(self._body, stateless=stateless)
        self._conversation.follow(answer.response | {"id": answer.id}, answer.output, outputs)

    def next(self, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        assert self._conversation is not None
        try:
            self._send(self._conversation.body(), answer, screen, on_response_id)
        except CometrespError as error:
            if not answer.is_blank or self._conversation.stateless or not self._refused_previous(error):
                raise
            self._conversation.give_up_ids(self._earlier_items(error))
            self._send_instead(error, self._conversation.body(), answer, screen, on_response_id)
            self._remember_refusal()

    def _send_instead(
        self, error: CometrespError, body: Json, answer: Answer, screen: "Screen", on_response_id: "OnId"
    ) -> None:
        """Send the turn with items in place of the id that was refused; raises `error` if that is refused too."""

        def on_accepted(response_id: str) -> None:
            if not self._warned:
                self._warned = True
                self._runtime.terminal.warn(REPLAYED)
            on_response_id(response_id)

        answer.start_over()
        try:
            self._send(body, answer, screen, on_accepted)
        except (RequestRefusedError, ProtocolError) as second:
            if answer.id:
                raise
            raise error from second

    def warn_of_amnesia(self, answer: Answer) -> None:
        """Warn where a turn that was sent with the id of the one before may have been answered without it."""
        sent = self._body.get("previous_response_id")
        before, self._usage_before = self._usage_before, answer.usage
        if sent is None or not (answer.status in GOOD or answer.waits_for_outputs):
            return
        plan = None if self._conversation else self._prepared.plan
        if sign := amnesia(answer, before, self._body, plan):
            again = self._runtime.hint("; ", Next("continue", "--replay …"), " sends them")
            way_on = again if self._prepared.plan.parent is not None or plan is None else ""
            self._runtime.terminal.warn(
                escape_line(f"the server may have answered without the earlier turns: {sign}{way_on}")
            )

    # one exchange ---------------------------------------------------------------------------------------------------

    def _opened(self) -> "Client":
        if self._client is None:
            self._client = self._stack.enter_context(self._runtime.client())
        return self._client

    def _send(self, body: Json, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        """One request; another one for each model of --fallback-model that is asked in place of one before."""
        while True:
            if (model := self._fallbacks.current) is not None:
                body = for_model(body, model)
                answer.fallback_model = model
            try:
                return self._send_to_model(body, answer, screen, on_response_id)
            except CometrespError as error:
                chained = body.get("previous_response_id") is not None
                if answer.id or not answer.is_blank or not self._fallbacks.take(error, chained=chained):
                    raise
                answer.start_over()

    def _send_to_model(self, body: Json, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        """One request; a second one without encrypted reasoning if the server can't read that."""
        try:
            self._exchange(body, answer, screen, on_response_id)
        except CometrespError as error:
            if lacks_reasoning(error) and not error.hint:
                error.with_hint(_KEEP_REASONING)
            lighter = without_encrypted(body) if answer.is_blank and refuses_reasoning(error) else None
            if lighter is None:
                raise
            answer.start_over()
            try:
                self._exchange(lighter, answer, screen, on_response_id)
            except RequestRefusedError as second:
                raise error from second
            self._runtime.terminal.warn(_NO_REASONING)

    def _exchange(self, body: Json, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        self._body = body
        client = self._opened()
        sent = resolved_body(body, self._runtime.terminal.environ)
        add_secrets(sent, self._runtime.secrets)
        try:
            near = naming_near_models(self._runtime, body.get("model"))
            with near, client.create(sent, self._on_upload) as reply:
                answer.request_id = client.request_id
                events = self._unless_refused(reply, body)
                exchange(events, answer, screen, on_response_id, self._resume(client))
        except UnreachableError:
            if not self._is_at_work(client, answer):
                raise
        except StoppedError as stopped:
            if body.get("background") is True and answer.id and not answer.ended:
                _leave_running(client, answer.id, stopped, self._runtime)
            raise
        if self._is_at_work(client, answer):
            answer.close(cut=False)  # the wait is over, the response isn't

    def _is_at_work(self, client: "Client", answer: Answer) -> bool:
        """Whether --max-time ended the wait for a response in the background, which the server goes on with.

        Text of a stream without numbers, which can't be followed on, is kept as that of a cut one.
        """
        is_waited_for = self._body.get("background") is True and not self._asked.prints_only_id
        is_late = client.left is not None and client.left <= 0
        can_go_on = answer.is_blank or answer.last_sequence is not None
        return is_waited_for and is_late and bool(answer.id) and may_go_on(answer.status) and can_go_on

    def _unless_refused(self, events: Iterator[Event], body: Json) -> Iterator[Event]:
        """The events; raises the refusal of what came from an earlier turn, while nothing of an answer has come."""
        chained = body.get("previous_response_id") is not None
        encrypted = without_encrypted(body) is not None
        return _refusing(events, chained=chained, encrypted=encrypted) if chained or encrypted else events

    def _resume(self, client: "Client") -> Resume | None:
        """How a stream that breaks is resumed, where the server may keep the response."""
        background = self._body.get("background") is True
        if self._body.get("store") is False and not background:
            return None
        given = self._asked.connection
        resumption: Resume | None = None

        def resume(answer: Answer, cut: bool) -> Iterable[Event] | None:
            nonlocal resumption
            if resumption is None:
                from cometresp.turns.resume import Resumption

                resumption = Resumption(
                    client,
                    background=background,
                    wait=self._asked.request.wait or not background,
                    retries=retries_of(given),
                    timeout=given.timeout,
                    say=self._runtime.terminal.note,
                    on_poll=self._on_poll,
                )
            return resumption(answer, cut)

        return resume

    # previous responses that aren't taken ---------------------------------------------------------------------------

    def _refused_previous(self, error: CometrespError) -> bool:
        of_server = isinstance(error, RequestRefusedError | ProtocolError | UnreachableError)
        return of_server and self._body.get("previous_response_id") is not None and refuses_previous(error)

    def _earlier_items(self, error: CometrespError) -> list[Json]:
        """The recorded items of the turns before this run, which were named by the refused id alone."""
        parent = self._prepared.plan.parent
        if parent is None or "previous_response_id" not in self._prepared.body:
            return []
        return input_items(replayed_after(error, self._prepared.body, self._runtime, parent, []))

    def _was_deleted(self, parent: Turn) -> bool:
        """Whether the user deleted the response from the server, or one before it."""
        with self._runtime.patience.briefly(), suppress(OutputError):  # the answer isn't shown yet
            if (state := self._runtime.open_state(create=False)) is not None:
                with state:
                    return state.turns.was_deleted(parent)
        return False

    def _takes_no_ids(self) -> bool:
        """Whether the server was seen to refuse the ids of responses."""
        with suppress(OutputError):
            if (state := self._runtime.open_state(create=False)) is not None:
                with state:
                    return state.servers.takes_no_previous(self._runtime.base_url)
        return False

    def _remember_refusal(self) -> None:
        """The server refused an id that it had just given: the next turn needn't try one."""
        if self._asked.chain.no_save or self._runtime.config.record == "none":
            return
        with self._runtime.patience.briefly(), suppress(OutputError):  # only a round trip is lost
            if (state := self._runtime.open_state()) is not None:
                with state:
                    state.servers.saw_no_previous(self._runtime.base_url)
                url = self._runtime.base_url
                self._runtime.terminal.note(f"{url} takes no response ids: the recorded turns are sent for seven days")


def _refusing(events: Iterator[Event], *, chained: bool, encrypted: bool) -> Iterator[Event]:
    """The events; those before the first item may raise the refusal of a response id, or of encrypted reasoning."""
    started = False
    for event in events:
        refused = refused_inside(event, started=started) if chained else None
        if refused is None and encrypted:
            refused = unreadable_inside(event)
        if refused is not None:
            raise refused
        yield event
        started = True
        if not event.type.startswith(_BEFORE_ITEMS):
            break
    yield from events


def _leave_running(client: "Client", response_id: str, stopped: StoppedError, runtime: Runtime) -> None:
    """An interrupt leaves a background response running; a second one within two seconds cancels it."""
    name, typed = abridged_id(response_id), shell_arguments(response_id)
    follow, cancel = Next("get", (typed, "--stream")), Next("cancel", (typed,))
    stopped.with_hint((f"{name} is still running: ", follow, " follows it, ", cancel, " ends it"))
    if stopped.exit_code != ExitCode.INTERRUPTED:
        return
    try:
        runtime.terminal.note(f"{name} is still running; interrupt again within {_CANCEL_SECONDS:g} s to cancel it")
        time.sleep(_CANCEL_SECONDS)
    except StoppedError:
        try:
            with alarm(_CANCEL_LIMIT, lambda: UnreachableError(f"no answer within {_CANCEL_LIMIT:g} s")):
                client.cancel(response_id)
        except CometrespError as error:
            stopped.with_message(f"interrupted; {name} can't be cancelled: {error.message}", error.hint)
        else:
            stopped.with_message(f"interrupted; {name} was cancelled")
