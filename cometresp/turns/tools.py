"""The functions of one run: what `--functions` defines, their approval, and the lines that show them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from cometresp.answer.verdict import RESUME_RUN
from cometresp.calls.approval import Approval
from cometresp.calls.settle import Call, Outcome, run_calls, settle
from cometresp.errors import StoppedError
from cometresp.functions.toolbox import Toolbox
from cometresp.options.tables import LoopOptions
from cometresp.runtime import Runtime
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.render.running import Running


class Tools:
    """A `Runner` for `settle`. Made with `Tools.of`, which ends every child process."""

    def __init__(self, given: LoopOptions, runtime: Runtime, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._terminal = runtime.terminal
        self._redraws = runtime.terminal.redraws and not runtime.plain
        nobody = "CI is set" if runtime.terminal.environ.get("CI") else "there is no terminal to ask on"
        self._approval = Approval(given.approve, given.allow_tool or [], runtime.terminal.ask, nobody)

    @classmethod
    @contextmanager
    def of(cls, given: LoopOptions, runtime: Runtime) -> Iterator["Tools"]:
        """The functions of the files, as a context. Raises UsageError for files that can't be used."""
        environ = runtime.terminal.environ
        with Toolbox(given.functions or [], env_names=given.tool_env or [], environ=environ) as toolbox:
            yield cls(given, runtime, toolbox)

    @property
    def definitions(self) -> list[Json]:
        return [function.definition for function in self._toolbox.functions.values()]

    def settle(self, calls: list[Call]) -> list[Outcome]:
        """The outcome of each call. Raises TurnError (5) where nothing is to be sent, StoppedError for an interrupt."""
        try:
            return settle(calls, self if self._toolbox.functions else None, self._approval)
        except StoppedError as stopped:
            stopped.with_hint(RESUME_RUN)
            raise

    # what `settle` asks for ------------------------------------------------------------------------------------------

    def knows(self, name: str) -> bool:
        return name in self._toolbox.functions

    def is_read_only(self, name: str) -> bool:
        return self._toolbox.functions[name].read_only

    def source(self, name: str) -> str:
        return self._toolbox.functions[name].source

    def run(self, calls: list[Call]) -> list[Outcome]:
        view = self._view()

        def one(call: Call) -> Outcome:
            view.started(call.id, call.item)
            result = self._toolbox.run(call.name, call.arguments)
            view.ended(call.id, call.item, result.output, ok=result.ok)
            return Outcome(call, result.output, result.ok, result.seconds)

        def is_parallel(name: str) -> bool:
            return not self.knows(name) or self._toolbox.functions[name].parallel

        try:
            return run_calls(calls, is_parallel, one, self._toolbox.stop)
        finally:
            view.close()

    def _view(self) -> "Running | _Nothing":
        if self._terminal.quiet or not (self._terminal.stderr_tty or self._terminal.verbose):
            return _Nothing()
        from cometresp.render.running import Running

        return Running(self._terminal, redraw=self._redraws)


class _Nothing(NamedTuple):
    """Where nothing is shown."""

    def started(self, *_: object) -> None:
        return

    def ended(self, *_: object, **__: object) -> None:
        return

    def close(self) -> None:
        return
