"""What a run tells a user who looks elsewhere: the terminal shows that it is at work, and rings when it wants them."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from cometresp.errors import ExitCode, StoppedError
from cometresp.runtime import Runtime

_LONG = 20.0  # seconds; whoever waits for less is still there
_BELL = "\a"


@contextmanager
def attended(runtime: Runtime) -> Iterator[None]:
    """A run: the terminal shows its progress, and rings at its end if `--bell` asks for that and it took long.

    It begins once the prompt is read: who types or edits it is there. Whoever interrupts it by a key needs no bell.
    """
    runtime.started = time.monotonic()
    try:
        with _progress(runtime):
            yield
    except StoppedError as stopped:
        if stopped.exit_code not in (ExitCode.INTERRUPTED, ExitCode.QUIT):
            ring(runtime)
        raise
    except BaseException:
        ring(runtime)
        raise
    ring(runtime)


def ask(runtime: Runtime, question: str) -> str | None:
    """`Terminal.ask`, with a bell for a user who may have left."""
    ring(runtime)
    return runtime.terminal.ask(question)


def ring(runtime: Runtime) -> None:
    """Ring on the terminal, if that was asked for and the run has taken long."""
    terminal = runtime.terminal
    if terminal.stderr_tty and time.monotonic() - runtime.started > _LONG and runtime.output.bell:
        terminal.write_stderr(_BELL)


def _progress(runtime: Runtime) -> AbstractContextManager[object]:
    terminal = runtime.terminal
    if not terminal.stderr_tty or runtime.plain:
        return nullcontext()
    from cometresp.render.progress import Progress

    return Progress(terminal) if Progress.fits(terminal) else nullcontext()
