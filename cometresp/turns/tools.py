"""The functions of one run: those of `--functions` and `--mcp`, their approval, and the lines that show them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from cometresp.answer.verdict import RESUME_RUN, RUN_AGAIN
from cometresp.calls.answered import Answered
from cometresp.calls.approval import Approval
from cometresp.calls.settle import Call, Outcome, run_calls, settle
from cometresp.errors import StoppedError, named_in_errors
from cometresp.functions.toolbox import Toolbox
from cometresp.options.tables import LoopOptions
from cometresp.report.facts import CallEnd
from cometresp.runtime import Runtime
from cometresp.tuples import NamedTuple
from cometresp.turns.attention import ask
from cometresp.turns.record import Recorder
from cometresp.wire.items import output_text
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.mcp.servers import Servers
    from cometresp.render.running import Running


class Tools:
    """A `Runner` for `settle`. Made with `Tools.of`, which ends every child process."""

    def __init__(self, given: LoopOptions, runtime: Runtime, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._answered = Answered()
        self._recorder: Recorder | None = None
        self._stopped = False
        self._runtime = runtime
        self._terminal = runtime.terminal
        self._redraws = runtime.terminal.redraws and not runtime.plain
        nobody = "CI is set" if runtime.terminal.environ.get("CI") else "there is no terminal to ask on"
        terminal = runtime.terminal
        allowed = given.allow_tool or []
        self._approval = Approval(given.approve, allowed, partial(ask, runtime), nobody, terminal.bold)

    @classmethod
    @contextmanager
    def of(cls, given: LoopOptions, runtime: Runtime) -> Iterator["Tools"]:
        """The functions of the files and of the servers, as a context. Raises UsageError for what can't be used."""
        files, names, environ = given.functions or [], given.tool_env or [], runtime.terminal.environ
        with ExitStack() as stack:
            with ExitStack() as starting:
                more = _servers(given, runtime, starting) if given.mcp else None
                toolbox = stack.enter_context(
                    Toolbox(files, env_names=names, environ=environ, reading=runtime.reading, more=more)
                )
            yield cls(given, runtime, toolbox)

    @property
    def definitions(self) -> list[Json]:
        return [function.definition for function in self._toolbox.functions.values()]

    def settle(self, calls: list[Call], recorder: Recorder) -> list[Outcome]:
        """The outcome of each call, recorded as soon as it is known. No call is run twice in a conversation.

        Raises TurnError (5) where nothing is to be sent, StoppedError for an interrupt.
        """
        self._answered.add(recorder.answers_to([call.id for call in calls]))
        again = {id(call): self._answered.outcome(call) for call in calls if call in self._answered}
        self._recorder = recorder
        is_recorded = recorder.keeps_text
        try:
            fresh = [call for call in calls if id(call) not in again]
            outcomes = settle(fresh, self if self._toolbox.functions else None, self._approval) if fresh else []
        except StoppedError as stopped:
            if is_recorded:
                stopped.with_hint(RESUME_RUN if recorder.keeps_text else RUN_AGAIN)
            raise
        for outcome in outcomes:
            if outcome.call not in self._answered:  # it was answered without being run
                self._keep(outcome)
        made = iter(outcomes)
        return [again[id(call)] if id(call) in again else next(made) for call in calls]

    def _keep(self, outcome: Outcome) -> None:
        """Remember and record the outcome of a call. Called from several threads."""
        self._answered.add([outcome.call.item, outcome.item()])
        self._runtime.report.calls.append(CallEnd(outcome.name, outcome.ok, outcome.seconds))
        if self._recorder is not None:
            self._recorder.keep_output(outcome.item())

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
            result = result._replace(output=self._runtime.secrets.value(result.output))  # what a server was given
            view.ended(call.id, call.item, output_text(result.output), ok=result.ok)
            outcome = Outcome(call, result.output, result.ok, result.seconds)
            if not self._stopped:  # the result of a function that was ended is none
                self._keep(outcome)
            return outcome

        def is_parallel(name: str) -> bool:
            return not self.knows(name) or self._toolbox.functions[name].parallel

        try:
            return run_calls(calls, is_parallel, one, self._stop)
        finally:
            view.close()

    def _stop(self) -> None:
        self._stopped = True
        self._runtime.patience.give_up()  # threads that wait to record results get no signal
        self._toolbox.stop()

    def _view(self) -> "Running | _Nothing":
        if self._terminal.quiet or not (self._terminal.stderr_tty or self._terminal.verbose):
            return _Nothing()
        from cometresp.render.running import Running

        return Running(self._terminal, redraw=self._redraws)


def _servers(given: LoopOptions, runtime: Runtime, starting: ExitStack) -> "Servers":
    """The servers of `--mcp`; on `starting` it is told that they start, and --max-time holds for that."""
    from cometresp.mcp.servers import Servers
    from cometresp.mcp.settings import servers

    terminal = runtime.terminal
    found = servers(
        given.mcp or [], runtime.config.file.entries("mcp"), terminal.environ, runtime.secrets, given.tool_env or []
    )
    what = f"starting {', '.join(server.name for server in found)}"
    told = terminal.stderr_tty or terminal.verbose
    starting.enter_context(terminal.waiting(what) if told else named_in_errors(what))
    starting.enter_context(runtime.reading.within_max_time(what))
    return Servers(found, terminal.environ, terminal.note if terminal.verbose else None)


class _Nothing(NamedTuple):
    """Where nothing is shown."""

    def started(self, *_: object) -> None:
        return

    def ended(self, *_: object, **__: object) -> None:
        return

    def close(self) -> None:
        return
