"""Keeping one turn in the state file while it is held."""

from typing import TYPE_CHECKING, Any, Literal

from cometresp.answer.answer import Answer
from cometresp.errors import OutputError
from cometresp.runtime import Runtime
from cometresp.state.records import UNENDED, NewTurn, Turn
from cometresp.text import escape_line
from cometresp.turns.replay import recorded
from cometresp.wire.events import TERMINAL

if TYPE_CHECKING:
    from cometresp.state.state import State


class Recorder:
    """Keeps one turn in the state file, from the moment its id is known.

    Trouble with the file is a warning, since the answer comes first; where the command `must` have it (`continue`),
    it is also the error in the end.
    """

    def __init__(self, runtime: Runtime, new: NewTurn | None, *, off: bool = False, must: bool = False) -> None:
        self.trouble: OutputError | None = None
        self.where = ""
        self.turn: Turn | None = None  # as it is recorded, once it has ended
        self._runtime = runtime
        self._new = new
        self._off = off or runtime.config.record == "none"
        self._must = must
        self._state: State | None = None
        self._n: int | None = None
        self._awaited = False  # its end was not recorded yet

    def seen(self, response_id: str) -> None:
        """The id is recorded before anything is shown. An id that is known already (`get`) is gone on with."""
        if self._off:
            return
        try:
            self._state = self._state or self._runtime.open_state()
            if self._state is None:
                return
            if self._new is None:
                turn = self._state.turn(response_id, base_url=self._runtime.base_url)
                self._n = turn.n if turn else None
                self._awaited = turn is not None and turn.status in UNENDED
            elif self._n is None:
                self._n, before = self._state.begin(self._new, response_id)
                if before:
                    self._runtime.terminal.note(
                        escape_line(
                            f"{self._new.chain} begins anew; back to what it was: cometresp continue --from {before}"
                        )
                    )
        except OutputError as error:
            self._give_up(error)

    def following(self, outputs: list[dict[str, Any]], answer: Answer) -> NewTurn | None:
        """The turn that goes on from this one, once it has ended; None where this one isn't recorded."""
        if self._new is None or self.turn is None:
            return None if self._new is None else self._new._replace(anew=False)
        keeps_text = self._runtime.config.record == "full"
        return self._new._replace(
            input=recorded(outputs) if keeps_text else None,
            anew=False,
            parent=self.turn,
            previous_id=answer.id,
            stood=(self.turn.n, None),
        )

    @property
    def off(self) -> bool:
        return self._off or self._n is None

    @property
    def keeps(self) -> bool:
        return self._n is not None

    def finish(self, answer: Answer, status: str, *, good: bool) -> None:
        if self._n is None and self._new is not None and not answer.id and answer.items and not self._off:
            self._runtime.terminal.warn(
                "the reply has no response id: this turn is not recorded, and can't be continued"
            )
        if self._state is None or self._n is None:
            return
        # A look at a response that is still at work tells less than what was streamed of it before.
        glimpse = answer.status not in TERMINAL and answer.last_sequence is None and not answer.was_cut
        output = recorded(answer.output) if self._runtime.config.record == "full" and not glimpse else None
        try:
            what = self._state.finish(
                self._n,
                status=status,
                usage=answer.usage,
                sequence=answer.last_sequence,
                output=output,
                response_id=answer.id,
                good=good,
                stood=self._new.stood if self._new else None,
            )
            self.turn = self._state.turn_at(self._n)
            self._tell(what, answer)
        except OutputError as error:
            self._give_up(error)
        finally:
            self._state.close()

    def _tell(self, what: Literal["head", "moved on", "kept"], answer: Answer) -> None:
        new, turn = self._new, self.turn
        if what == "moved on" and new is not None:
            line = f"{new.chain} moved on meanwhile: your answer is {answer.id}, go on with --from {answer.id}"
            self._say_moved(line, anew=new.anew)
        elif what == "moved on" and turn is not None and self._awaited:
            line = f"{turn.chain} moved on meanwhile: go on from this response with --from {answer.id}"
            self._say_moved(line, anew=turn.parent is None)
        if new is not None and what == "head":
            self.where = f"{new.chain} turn {new.parent.number + 1 if new.parent else 1}"

    def _say_moved(self, line: str, *, anew: bool) -> None:
        """Who began the chain anew expects no more of it than its answer; who went on with it does."""
        say = self._runtime.terminal.note if anew else self._runtime.terminal.warn
        say(escape_line(line))

    def _give_up(self, error: OutputError) -> None:
        self._off = True
        self._runtime.terminal.warn(f"this turn is not recorded: {error.message}")
        if self._must:
            self.trouble = error
