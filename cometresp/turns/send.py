"""Sending a turn that is ready, and the turns that its calls lead to: shown, recorded, concluded."""

import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import TAKE_UP, verdict
from cometresp.errors import CometrespError, ExitCode, OutputError, RequestRefusedError, StoppedError, TurnError
from cometresp.options.asked import Asked
from cometresp.request import secrets as masking
from cometresp.runtime import Runtime
from cometresp.state.records import NewTurn
from cometresp.text import escape_line
from cometresp.turns import plan as chains
from cometresp.turns.display import Showing
from cometresp.turns.exchange import Resume, exchange
from cometresp.turns.prepare import Prepared, replay
from cometresp.turns.record import Recorder
from cometresp.turns.replay import recorded
from cometresp.wire.replies import refused_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cometresp.calls.conversation import Conversation
    from cometresp.calls.settle import Call, Outcome
    from cometresp.client.client import Client
    from cometresp.turns.tools import Tools
    from cometresp.wire.events import Event


def send(asked: Asked, runtime: Runtime, prepared: Prepared, tools: "Tools | None") -> None:
    """Raises the error that the end of it amounts to."""
    plan = prepared.plan
    only_id = asked.request.background and not (asked.live or asked.request.wait)
    if plan.parent is not None and not plan.anew:
        model = prepared.model or "no model"
        runtime.terminal.note(
            escape_line(f"continuing {plan.name}: {plan.parent.id} · turn {plan.parent.number + 1} · {model}")
        )
    with ExitStack() as stack:
        _Run(asked, runtime, prepared, tools, stack).hold(only_id=only_id)


class _Run:
    """One command's exchanges: one client, one display, a record for each turn."""

    def __init__(
        self, asked: Asked, runtime: Runtime, prepared: Prepared, tools: "Tools | None", stack: ExitStack
    ) -> None:
        self._asked = asked
        self._runtime = runtime
        self._prepared = prepared
        self._tools = tools
        self._stack = stack
        self._client: Client | None = None
        self._body: dict[str, Any] = prepared.body  # as it was sent last
        self._conversation: Conversation | None = None  # once a turn follows
        new = _new_turn(runtime, prepared)
        self._record = Recorder(runtime, new, off=asked.chain.no_save, must=not prepared.plan.anew)

    def hold(self, *, only_id: bool) -> None:
        request = self._asked.request
        self._showing = Showing(
            self._runtime,
            self._record,
            live=self._asked.live,
            only_id=only_id,
            tier=request.service_tier,
            text=self._prepared.body.get("text") or {},
            ours=self._runs_here,
        )
        self._showing.tell(self._prepared.outcomes)
        answer = self._showing.run(self._first)
        self._warn_amnesia(answer)
        if only_id and answer.ended and answer.status in ("completed", "incomplete"):
            name = escape_line(answer.id)
            self._runtime.terminal.note(
                f"the server ran it at once, in the foreground: cometresp get {name} shows the answer"
            )
        turns = 1
        instead: CometrespError | None = None
        while not only_id and (calls := self._own_calls(answer)):
            try:
                if turns >= self._asked.loop.max_turns:
                    raise _too_many(turns, calls)
                outcomes = self._needed_tools().settle(calls)
            except CometrespError as fault:
                instead = fault
                break
            answer = self._follow(answer, outcomes)
            self._warn_amnesia(answer)
            turns += 1
        if turns > 1 and answer.status == "failed" and self._showing.fault is None:
            instead = verdict(answer)
            if instead is not None:
                instead.hint = f"{TAKE_UP}; the calls run again"
        self._showing.conclude(answer, allow_pending=only_id, instead=instead)

    # what is sent ---------------------------------------------------------------------------------------------------

    def _once(self, body: dict[str, Any], answer: Answer) -> None:
        self._body = body
        if self._client is None:
            self._client = self._stack.enter_context(self._runtime.client())
        sent = masking.resolved_body(body, self._runtime.terminal.environ)
        try:
            with self._client.create(sent, self._showing.sending) as reply:
                events = self._unless_refused(reply)
                exchange(events, answer, self._showing.screen, self._showing.seen, self._way_back(self._client))
        except StoppedError as stopped:
            if body.get("background") is True and answer.id and not answer.ended:
                self._leave_running(answer.id, stopped)
            raise

    def _unless_refused(self, events: "Iterator[Event]") -> "Iterator[Event]":
        """The events; raises RequestRefusedError where the first of a 200 refuses the previous response."""
        if self._body.get("previous_response_id") is None:
            return events
        from itertools import chain

        first = next(events, None)
        if first is None:
            return iter(())
        if refusal := refused_inside(first):
            raise refusal
        return chain([first], events)

    def _way_back(self, client: "Client") -> "Resume | None":
        """What a cut stream is taken up again by, where the server may keep the response (design section 5)."""
        background = self._body.get("background") is True
        if self._body.get("store") is False and not background:
            return None
        way: Resume | None = None

        def resume(answer: Answer, cut: bool) -> "Iterable[Event] | None":
            nonlocal way
            if way is None:
                from cometresp.turns.resume import WayBack

                way = WayBack(
                    client,
                    background=background,
                    wait=self._asked.request.wait,
                    retries=2 if given.retries is None else given.retries,
                    timeout=given.timeout,
                    say=self._runtime.terminal.note,
                )
            return way(answer, cut)

        given = self._asked.connection
        return resume

    def _leave_running(self, response_id: str, stopped: StoppedError) -> None:
        """An interrupt leaves a background response running; a second one within two seconds cancels it."""
        name = escape_line(response_id)
        stopped.hint = f"{name} goes on: cometresp get {name} --stream follows it, cometresp cancel {name} ends it"
        if stopped.exit_code != ExitCode.INTERRUPTED:
            return
        try:
            self._runtime.terminal.note(f"{name} goes on; once more within {_SECOND_THOUGHT:g} s cancels it")
            time.sleep(_SECOND_THOUGHT)
        except StoppedError:
            assert self._client is not None
            try:
                self._client.cancel(response_id)
            except CometrespError as error:
                stopped.message, stopped.hint = f"interrupted; {name} can't be cancelled: {error.message}", error.hint
            else:
                stopped.message, stopped.hint = f"interrupted; {name} was cancelled", ""

    def _first(self, answer: Answer) -> None:
        try:
            self._once(self._prepared.body, answer)
        except CometrespError as error:
            parent = self._prepared.plan.parent
            if answer.id or parent is None or not self._takes_no_id(error):
                raise
            body = self._replay_after(error)
            if time.time() - parent.created < _FRESH:  # an old one may just have expired
                self._remember_refusal()
            self._once(body, answer)

    def _later(self, answer: Answer) -> None:
        """A turn of the tool loop. Where the server doesn't know the id after all, with all items instead."""
        assert self._conversation is not None
        try:
            self._once(self._conversation.body(), answer)
        except CometrespError as error:
            if answer.id or self._conversation.stateless or not self._takes_no_id(error):
                raise
            self._conversation.stateless = True
            self._remember_refusal()
            self._runtime.terminal.warn(_REPLAYED)
            self._once(self._conversation.body(), answer)

    def _remember_refusal(self) -> None:
        """The server didn't know an id of its own, just given: so that the next turn doesn't try in vain."""
        if self._asked.chain.no_save or self._runtime.config.record == "none":
            return
        with suppress(OutputError):  # nothing but a round trip is lost
            if (state := self._runtime.open_state()) is not None:
                with closing(state):
                    state.seen_refusing(self._runtime.base_url, "no_previous")

    def _takes_no_id(self, error: CometrespError) -> bool:
        from cometresp.wire.replies import knows_no_previous

        return self._body.get("previous_response_id") is not None and knows_no_previous(error)

    def _replay_after(self, error: CometrespError) -> dict[str, Any]:
        """The turn as items, after the server refused the id. Raises what it said where the record isn't complete."""
        prepared = self._prepared
        try:
            body = replay(self._runtime, prepared.body, prepared.plan, prepared.own)
        except RequestRefusedError as gap:
            raise RequestRefusedError(f"{error.message}; {gap.message}", hint=gap.hint, said=error.said) from gap
        self._runtime.terminal.warn(_REPLAYED)
        return body

    def _warn_amnesia(self, answer: Answer) -> None:
        """Design, promise 8: a server that names another previous response than was sent may not have remembered."""
        sent = self._body.get("previous_response_id")
        if sent is None or "previous_response_id" not in answer.response:
            return
        if answer.response["previous_response_id"] != sent:
            self._runtime.terminal.warn(
                f"the server may have answered without the earlier turns: its reply doesn't name {sent}"
            )

    # the calls of an answer -----------------------------------------------------------------------------------------

    def _own_calls(self, answer: Answer) -> "list[Call]":
        """The open calls of an answer that ended well, where all of them can be answered here."""
        if self._showing.fault is not None or not answer.open_calls:
            return []
        told = verdict(answer, allow_incomplete=self._asked.output.allow_incomplete)
        if told is None or told.exit_code != ExitCode.CALL_OPEN:
            return []
        from cometresp.calls.settle import own_calls

        return own_calls(answer.open_calls, self._tools, self._body.get("tools")) or []

    def _runs_here(self, frame: dict[str, Any]) -> bool:
        """Of a function or custom call: whether a line of its own will tell what it came to."""
        if self._tools is None or frame.get("type") not in ("function_call", "custom_tool_call"):
            return False
        from cometresp.calls.settle import own_calls

        return own_calls([frame], self._tools, self._body.get("tools")) is not None

    def _needed_tools(self) -> "Tools":
        """The functions, or without any, who asks about the approvals of MCP tools."""
        if self._tools is None:
            from cometresp.turns.tools import Tools

            self._tools = self._stack.enter_context(Tools.of(self._asked.loop, self._runtime))
        return self._tools

    def _follow(self, answer: Answer, outcomes: "list[Outcome]") -> Answer:
        from cometresp.calls.conversation import Conversation

        if self._conversation is None:
            plan = self._prepared.plan
            gave_up_ids = plan.previous_id is not None and "previous_response_id" not in self._body
            self._conversation = Conversation(self._body, stateless=gave_up_ids)
        outputs = [outcome.item() for outcome in outcomes]
        self._conversation.follow(answer.response | {"id": answer.id}, answer.output, outputs)
        self._record = Recorder(
            self._runtime,
            self._record.following(outputs, answer),
            off=self._record.off,
            must=not self._prepared.plan.anew,
        )
        self._showing.next(self._record, outcomes)
        after = self._showing.run(self._later)
        if isinstance(fault := self._showing.fault, CometrespError) and not after.id and not fault.hint:
            fault.hint = f"{TAKE_UP}; the calls run again"
        return after


_SECOND_THOUGHT = 2.0  # seconds

_FRESH = 3600.0  # seconds for which every server that keeps responses keeps them

_REPLAYED = "the server doesn't go on from a response id: the recorded turns were sent instead"


def _too_many(turns: int, calls: "list[Call]") -> CometrespError:
    names = ", ".join(dict.fromkeys(escape_line(call.name) for call in calls))
    return TurnError(
        ExitCode.CALL_OPEN,
        f"stopped after {turns} turn{'s' if turns > 1 else ''} (--max-turns) before {names} ran",
        hint=TAKE_UP,
    )


def _new_turn(runtime: Runtime, prepared: Prepared) -> NewTurn:
    plan, body = prepared.plan, prepared.body
    keeps_text = runtime.config.record == "full"
    parent = plan.parent
    previous = body.get("previous_response_id")
    if parent is not None and previous not in (None, parent.id):  # --param or --body named another one
        parent = None
    return NewTurn(
        chain=plan.name,
        base_url=runtime.base_url,
        model=prepared.model,
        settings=chains.settings_of(masking.masked_body(body)),
        input=recorded(prepared.own) if keeps_text else None,
        anew=plan.anew,
        parent=parent,
        previous_id=parent.id if parent else previous,
        stood=plan.stood,
    )
