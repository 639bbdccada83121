"""Long text through the user's pager: `$PAGER`, else `less`; only where standard output is a terminal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cometresp.terminal import Terminal
from cometresp.text import to_bytes

if TYPE_CHECKING:
    from subprocess import Popen

# As git has it: less quits where the text fits on the screen, passes colours on, and leaves the text on the screen.
_SETTINGS = {"LESS": "FRX", "LV": "-c"}


def page(terminal: Terminal, text: str, *, use_pager: bool = True) -> None:
    """Write text to stdout, through the pager if stdout is a terminal and `use_pager` is true.

    The text is already escaped, and may be coloured. A pager that is left early is no error; one that can't be started
    is done without. Raises PipeClosedError and OutputError, as `Terminal.write` does.
    """
    data = terminal.encode(text) if terminal.stdout_tty else to_bytes(text)
    process = _started(terminal) if use_pager else None
    if process is None:
        terminal.write(data)
        return
    assert process.stdin is not None
    with _waited_for(process):
        with suppress(OSError):  # BrokenPipeError: the user has seen enough
            process.stdin.write(terminal.masked(data))
        with suppress(OSError):
            process.stdin.close()


def command(terminal: Terminal) -> list[str]:
    """The words of the pager's command; none where there is to be no pager.

    That is the case off a terminal, with `CI` set, and if PAGER is empty or `cat`. A terminal that can't be redrawn
    gets a pager only if PAGER names one.
    """
    environ = terminal.environ
    if not terminal.stdout_tty or environ.get("CI"):
        return []
    if "PAGER" not in environ:
        return ["less"] if terminal.redraws else []
    from shlex import split

    try:
        words = split(environ["PAGER"], posix=os.name != "nt")
    except ValueError:  # an unfinished quote
        words = [environ["PAGER"]]
    return [] if words == ["cat"] else words


def _started(terminal: Terminal) -> "Popen[bytes] | None":
    words = command(terminal)
    if not words:
        return None
    from subprocess import PIPE, Popen

    try:
        return Popen(words, stdin=PIPE, env={**_SETTINGS, **terminal.environ})
    except (OSError, ValueError):  # ValueError: a NUL in it
        return None


@contextmanager
def _waited_for(process: "Popen[bytes]") -> Iterator[None]:
    """The block in which the pager has the terminal. An interrupt is a key for it; other signals end it, too."""
    import signal

    names = [name for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), signal.SIG_IGN) for name in names}
    try:
        yield
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
