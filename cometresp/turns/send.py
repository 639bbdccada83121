"""Sending the turns of a run over one client, each in the form that the server takes."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain as chained
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.errors import Cause, CometrespError, ExitCode, OutputError, RequestRefusedError, StoppedError
from cometresp.options.asked import Asked
from cometresp.options.values import retries_of
from cometresp.request.secrets import resolved_body
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.turns.exchange import Resume, exchange
from cometresp.turns.prepare import Prepared
from cometresp.wire.events import Event
from cometresp.wire.json import Json
from cometresp.wire.replies import refused_inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from cometresp.calls.conversation import Conversation
    from cometresp.client.client import Client
    from cometresp.render.screen import Screen
    from cometresp.turns.turn import OnId

_CANCEL_SECONDS = 2.0  # in which a second interrupt cancels a background response
_FRESH = 3600.0  # seconds for which every server that keeps responses keeps them
_REPLAYED = "the server takes no response id: the recorded turns were sent in its place"


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
    ) -> None:
        self._asked = asked
        self._runtime = runtime
        self._prepared = prepared
        self._stack = stack
        self._on_upload = on_upload
        self._client: Client | None = None
        self._body: Json = prepared.body  # as it was sent last
        self._conversation: Conversation | None = None  # once a turn follows

    def first(self, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        try:
            self._send(self._prepared.body, answer, screen, on_response_id)
        except CometrespError as error:
            parent = self._prepared.plan.parent
            if answer.id or parent is None or not self._refused_previous(error):
                raise
            body = self._replay_after(error)
            if time.time() - parent.created < _FRESH:  # an old one may just have expired
                self._remember_refusal()
            self._send(body, answer, screen, on_response_id)

    def begin_conversation(self) -> str:
        """Create a conversation on the server, in which the turns are then sent; returns its id."""
        conversation_id = self._opened().create_conversation()
        self._prepared = self._prepared._replace(body=self._prepared.body | {"conversation": conversation_id})
        return conversation_id

    def follow(self, answer: Answer, outputs: list[Json]) -> None:
        """The next turn continues this answer with the outputs of its calls."""
        if self._conversation is None:
            from cometresp.calls.conversation import Conversation

            gave_up_ids = self._prepared.plan.previous_id is not None and "previous_response_id" not in self._body
            self._conversation = Conversation(self._body, stateless=gave_up_ids)
        self._conversation.follow(answer.response | {"id": answer.id}, answer.output, outputs)

    def next(self, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        assert self._conversation is not None
        try:
            self._send(self._conversation.body(), answer, screen, on_response_id)
        except CometrespError as error:
            if answer.id or self._conversation.stateless or not self._refused_previous(error):
                raise
            self._conversation.stateless = True
            self._remember_refusal()
            self._runtime.terminal.warn(_REPLAYED)
            self._send(self._conversation.body(), answer, screen, on_response_id)

    def warn_of_amnesia(self, answer: Answer) -> None:
        """A server that names another previous response than was sent may have answered without the context."""
        sent = self._body.get("previous_response_id")
        if sent is None or "previous_response_id" not in answer.response:
            return
        if answer.response["previous_response_id"] != sent:
            self._runtime.terminal.warn(
                f"the server may have answered without the earlier turns: its reply doesn't name {sent}"
            )

    # one exchange ---------------------------------------------------------------------------------------------------

    def _opened(self) -> "Client":
        if self._client is None:
            self._client = self._stack.enter_context(self._runtime.client())
        return self._client

    def _send(self, body: Json, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        self._body = body
        client = self._opened()
        sent = resolved_body(body, self._runtime.terminal.environ)
        try:
            with client.create(sent, self._on_upload) as reply:
                events = self._unless_refused(reply)
                exchange(events, answer, screen, on_response_id, self._resume(client))
        except StoppedError as stopped:
            if body.get("background") is True and answer.id and not answer.ended:
                _leave_running(client, answer.id, stopped, self._runtime)
            raise

    def _unless_refused(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events; raises RequestRefusedError where the first of a 200 refuses the previous response."""
        if self._body.get("previous_response_id") is None:
            return events
        first = next(events, None)
        if first is None:
            return iter(())
        if refusal := refused_inside(first):
            raise refusal
        return chained([first], events)

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
                    wait=self._asked.request.wait,
                    retries=retries_of(given),
                    timeout=given.timeout,
                    say=self._runtime.terminal.note,
                )
            return resumption(answer, cut)

        return resume

    # previous responses that aren't taken ---------------------------------------------------------------------------

    def _refused_previous(self, error: CometrespError) -> bool:
        return error.cause is Cause.PREVIOUS and self._body.get("previous_response_id") is not None

    def _replay_after(self, error: CometrespError) -> Json:
        """The turn as items, after the server refused the id, which is the error where the record isn't complete."""
        from cometresp.turns.replay import conversation_items, with_items

        prepared = self._prepared
        assert prepared.plan.parent is not None
        try:
            earlier = conversation_items(self._runtime, prepared.plan.parent, prepared.body.get("model"))
        except RequestRefusedError as gap:
            raise RequestRefusedError(f"{error.message}; {gap.message}", hint=gap.hint, details=error.details) from gap
        self._runtime.terminal.warn(_REPLAYED)
        return with_items(prepared.body, earlier + prepared.new_items)

    def _remember_refusal(self) -> None:
        """The server refused an id that it had just given: the next turn needn't try one."""
        if self._asked.chain.no_save or self._runtime.config.record == "none":
            return
        with suppress(OutputError):  # only a round trip is lost
            if (state := self._runtime.open_state()) is not None:
                with state:
                    state.servers.saw_no_previous(self._runtime.base_url)


def _leave_running(client: "Client", response_id: str, stopped: StoppedError, runtime: Runtime) -> None:
    """An interrupt leaves a background response running; a second one within two seconds cancels it."""
    name = escape_line(response_id)
    stopped.with_hint(
        f"{name} is still running: {runtime.typed('get', f'{name} --stream')} follows it,"
        f" {runtime.typed('cancel', name)} ends it"
    )
    if stopped.exit_code != ExitCode.INTERRUPTED:
        return
    try:
        runtime.terminal.note(f"{name} is still running; interrupt again within {_CANCEL_SECONDS:g} s to cancel it")
        time.sleep(_CANCEL_SECONDS)
    except StoppedError:
        try:
            client.cancel(response_id)
        except CometrespError as error:
            stopped.with_message(f"interrupted; {name} can't be cancelled: {error.message}", error.hint)
        else:
            stopped.with_message(f"interrupted; {name} was cancelled")
