"""Keeping a turn in the state file while it is received."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Literal

from cometresp.answer.answer import Answer
from cometresp.errors import LockedError, Next, OutputError, StoppedError
from cometresp.runtime import Runtime
from cometresp.state.records import UNENDED, Ending, NewTurn, Turn
from cometresp.text import escape_line, shell_flag
from cometresp.turns.replay import recorded_items
from cometresp.wire.events import may_go_on
from cometresp.wire.json import Json
from cometresp.wire.masking import Secrets

if TYPE_CHECKING:
    from cometresp.report.facts import Report
    from cometresp.state.state import State


class Recorder:
    """Keeps one turn in the state file, from the moment when its response id is known.

    Another process that holds the file isn't waited for while the answer is shown: what it was in the way of is
    recorded by `catch_up`, once the answer is printed.

    An error of the file is a warning, since the answer comes first; where the command `required` the file
    (`continue`), it is also the error of the run, in `error`. `new` is None for a response that is fetched: it is
    recorded only where it is known already. `place` is the chain of which the turn is the head now, and its number in
    it; `shown_id` is its short id, for a turn that isn't the head. `before` is the short id of the head that the chain
    had, where a turn that was to restart it got no response id.
    """

    def __init__(self, runtime: Runtime, new: NewTurn | None, *, off: bool = False, required: bool = False) -> None:
        self.error: OutputError | None = None
        self.place: tuple[str, int] | None = None
        self.shown_id = ""
        self.before: str | None = None
        self._runtime = runtime
        self._new = new
        self._off = off or runtime.config.record == "none"
        self._required = required
        self._state: State | None = None
        self._response_id = ""
        self._begun = False
        self._n: int | None = None
        self._unfinished: Callable[[], None] | None = None  # what `finish` or `catch_up` records
        self._was_unended = False  # of a response that is fetched: its end isn't recorded yet
        self._turn: Turn | None = None  # as it is recorded, once it has ended
        self._lock = Lock()

    @classmethod
    def of_recorded(cls, runtime: Runtime, turn: Turn | None) -> "Recorder":
        """The recorder of a turn that has ended, for the outputs of its calls."""
        recorder = cls(runtime, None)
        recorder._turn = turn
        recorder._n = turn.n if turn is not None else None
        return recorder

    @property
    def report(self) -> "Report":
        """The facts of this run."""
        return self._runtime.report

    @property
    def recorded_place(self) -> tuple[str, int] | None:
        """The chain in which the turn is recorded, as its head or not, and its number there."""
        return (self._turn.chain, self._turn.number) if self._turn is not None else None

    @property
    def secrets(self) -> Secrets:
        """The secrets of this run."""
        return self._runtime.secrets

    @property
    def keeps(self) -> bool:
        """Whether the turn is in the state file, with all that was to be recorded of it so far."""
        return self._n is not None and not self._off

    @property
    def keeps_text(self) -> bool:
        """Whether it is there with its prompt and its text."""
        return self.keeps and self._runtime.config.record == "full"

    @property
    def model(self) -> str | None:
        """The model that was asked, where it is known."""
        return self._new.model if self._new is not None else self._turn.model if self._turn is not None else None

    def in_conversation(self, conversation_id: str) -> bool:
        """Record the turn as one of this conversation, which was just created; whether turns are recorded at all."""
        if self._new is not None:
            self._new = self._new._replace(settings=self._new.settings._replace(conversation=conversation_id))
        return not self._off

    def on_fallback(self, model: str) -> None:
        """Record that this model answers in place of the one that was asked for."""
        new = self._new
        if new is not None and new.model != model:
            self._new = new._replace(model=model, asked_model=new.asked_model or new.model)

    def on_response_id(self, response_id: str) -> None:
        """Record the id before anything is shown."""
        if self._off:
            return
        self._response_id = response_id
        self._begun &= self._new is not None
        with self._runtime.patience.briefly(), suppress(LockedError):
            self._record(self._begin)

    def _record(self, step: Callable[[], None]) -> None:
        """Take a step. Raises LockedError where another process is in the way; it can be taken again then."""
        try:
            step()
        except LockedError:
            self._close()
            raise
        except OutputError as error:
            self._give_up(error)

    def _opened(self) -> "State":
        if self._state is None:
            self._state = self._runtime.open_state()
        assert self._state is not None
        return self._state

    def _close(self) -> None:
        if self._state is not None:
            self._state.close()
        self._state = None

    def _begin(self) -> None:
        """Record the turn, once; a response that is fetched is looked up."""
        if self._begun:
            return
        if self._new is None:
            turn = self._opened().turns.get(self._response_id, base_url=self._runtime.base_url)
            self._n = turn.n if turn else None
            self._was_unended = turn is not None and turn.status in UNENDED
        else:
            self._n, before = self._opened().turns.begin(self._masked(self._new), self._response_id)
            if before is not None and before.number > 1:
                self._tell_restarted(self._new.chain, before.id)
        self._begun = True

    def _masked(self, new: NewTurn) -> NewTurn:
        masked, settings = self._runtime.secrets.value, new.settings
        settings = settings._replace(instructions=masked(settings.instructions), tools=masked(settings.tools))
        return new._replace(input=masked(new.input), settings=settings, request=masked(new.request))

    def _tell_restarted(self, chain: str, before: str) -> None:
        """How to go back to a conversation of several turns, from which this turn took the chain."""
        terminal = self._runtime.terminal
        if terminal.quiet or not (terminal.stderr_tty or terminal.verbose):
            return
        from cometresp.render.notice import print_notice

        flag = shell_flag("--from", self._opened().turns.shown_id(before))
        starts = f"{chain} starts again"
        back = self._runtime.hint(Next("continue", (flag,)))
        forms = [f"{starts}; to go back: {back}", f"{starts}; back: {back}", f"{starts}; back: {flag}", f"back: {flag}"]
        print_notice(terminal, *(forms if back else ()), starts)

    def for_next(self, outputs: list[Json], answer: Answer) -> "Recorder":
        """The recorder of the turn that answers this one's calls."""
        new = self._new
        if new is not None:
            new = new._replace(restarts=False, request=_without_force(new.request))
        if new is not None and self._turn is not None:
            new = new._replace(
                input=recorded_items(outputs) if self._runtime.config.record == "full" else None,
                parent=self._turn,
                previous_id=answer.id,
                expected=(self._turn.n, None),
            )
        recorder = Recorder(self._runtime, new, off=not self.keeps, required=self._required)
        recorder.error = self.error
        return recorder

    def keep_output(self, item: Json) -> None:
        """Record an item that answers a call of this turn, before it is sent. Can be called from several threads."""
        with self._lock:
            if not self.keeps_text or self._off or self._n is None:
                return
            try:
                if (state := self._runtime.open_state()) is not None:
                    with state:
                        state.turns.keep_output(self._n, self._runtime.secrets.value(recorded_items([item])[0]))
            except OutputError as error:
                self._give_up(error)

    def answers_to(self, call_ids: list[str]) -> list[Json]:
        """The calls with these ids in the conversation so far, and the items that answer them."""
        if not self.keeps_text or self._turn is None:
            return []
        try:
            state = self._runtime.open_state(create=False)
            if state is None:
                return []
            with state:
                return state.turns.answers_to(self._turn, call_ids)
        except OutputError:  # whatever is recorded next will say so
            return []

    def finish(self, answer: Answer, status: str, *, good: bool, sent: bool = True, cost: float | None = None) -> None:
        """Record how the turn ended. `good`: it may become the head of its chain; `sent`: the server may know of it."""
        if self._off:
            self._close()
            return
        if self._response_id:
            self._unfinished = partial(self._end, answer, status, good=good, cost=cost)
        elif self._new is not None and not answer.id:
            if answer.items and not answer.refused_id:
                self._runtime.terminal.warn(
                    "the reply has no response id: this turn is not recorded, and can't be continued"
                )
            if sent:
                self._unfinished = partial(self._without_id, self._new, answered=bool(answer.items))
        with self._runtime.patience.briefly(), suppress(LockedError):
            self._record_end()

    def catch_up(self) -> None:
        """Record what another process was in the way of. It is waited for now, since the answer is printed."""
        try:
            self._record_end()
        except LockedError as error:
            self._give_up(error)
        except StoppedError:
            if self._unfinished is not None:
                self._off = True
                self._runtime.terminal.warn("this turn is not recorded: another process holds the state file")
            raise
        finally:
            self._unfinished = None

    def _record_end(self) -> None:
        if self._unfinished is not None:
            self._record(self._unfinished)
            self._unfinished = None
        self._close()

    def _end(self, answer: Answer, status: str, *, good: bool, cost: float | None) -> None:
        self._begin()
        if self._n is None:
            return
        # A response that is fetched while it is still at work has less text than what was streamed of it before.
        glimpse = may_go_on(answer.status) and answer.last_sequence is None and not answer.was_cut
        output = recorded_items(answer.output) if self._runtime.config.record == "full" and not glimpse else None
        masked = self._runtime.secrets.value
        ending = Ending(
            status,
            answer.usage,
            masked(output),
            answer.last_sequence,
            answer.id,
            masked(answer.request_id),
            masked(answer.given_reason),
            cost,
        )
        turns = self._opened().turns
        result = turns.finish(self._n, ending, good=good, expected=self._new.expected if self._new else None)
        self._turn = turns.at(self._n)
        self._tell(result, answer)

    def _without_id(self, new: NewTurn, *, answered: bool) -> None:
        """Keep a request that got no response id, for `again`.

        A chain that it was to restart has no head, as after any turn that didn't complete.
        """
        if new.restarts and (state := self._runtime.open_state(create=False)) is not None:
            with state:
                before = state.chains.restart(new.chain)
                self.before = before and state.turns.shown_id(before)
        if answered or new.input is None:
            return
        try:
            if (state := self._runtime.open_state()) is not None:
                with state:
                    state.unanswered.keep(self._masked(new))
        except OutputError:  # no turn is lost: it isn't waited for, nor warned of
            return

    def _tell(self, result: Literal["head", "moved on", "kept"], answer: Answer) -> None:
        new, turn = self._new, self._turn
        if turn is not None and result == "head":
            self.place = turn.chain, turn.number
            return
        self.shown_id = self._opened().turns.shown_id(answer.id)
        here = shell_flag("--from", self.shown_id)
        if result == "moved on" and new is not None:
            line = f"{new.chain} moved on meanwhile: your answer is {self.shown_id}, continue it with {here}"
            self._tell_moved(line, restarts=new.restarts)
        elif result == "moved on" and turn is not None and self._was_unended:
            line = f"{turn.chain} moved on meanwhile: continue this response with {here}"
            self._tell_moved(line, restarts=turn.parent is None)

    def _tell_moved(self, line: str, *, restarts: bool) -> None:
        """A notice where the turn started the chain, a warning where it continued it."""
        say = self._runtime.terminal.note if restarts else self._runtime.terminal.warn
        say(escape_line(line))

    def _give_up(self, error: OutputError) -> None:
        self._off = True
        self._runtime.terminal.warn(f"this turn is not recorded: {error.message}")
        if self._required:
            self.error = error


def _without_force(request: Json | None) -> Json | None:
    """The request of a turn that brings results: see `without_force`."""
    if request is None or "tool_choice" not in request:
        return request
    from cometresp.calls.conversation import without_force

    return request | {"tool_choice": without_force(request["tool_choice"])}
