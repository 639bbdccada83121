"""Long text through the user's pager: `$PAGER`, else `less`; only where standard output is a terminal."""

from collections.abc import Mapping
from contextlib import suppress

from cometresp.foreground import foreground
from cometresp.terminal import Terminal
from cometresp.text import command_words, to_bytes

# As git has it: less quits where the text fits on the screen, passes colours on, and leaves the text on the screen.
_SETTINGS = {"LESS": "FRX", "LV": "-c"}
_LAST_OWN = 127  # the last exit code that is a program's own, or the shell's that couldn't start it; then come signals


def page(terminal: Terminal, text: str, *, use_pager: bool = True) -> None:
    """Write text to stdout, through the pager if stdout is a terminal and `use_pager` is true.

    The text is already escaped, and may be coloured. A pager that is left early is no error; after one that can't be
    started, or that fails, the text is written without it. Raises PipeClosedError and OutputError, as `Terminal.write`
    does.
    """
    data = terminal.encode(text) if terminal.stdout_tty else to_bytes(text)
    words = command(terminal) if use_pager else []
    if not (words and _paged(words, terminal.masked(data), terminal.environ)):
        terminal.write(data)


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
    try:
        words = command_words(environ["PAGER"])
    except ValueError:  # an unfinished quote
        words = [environ["PAGER"]]
    return [] if words == ["cat"] else words


def _paged(words: list[str], data: bytes, environ: Mapping[str, str]) -> bool:
    """Whether the pager has shown the text, as far as the user wanted it. It has ended by then.

    One that ends with an error of its own may have shown nothing; but `less -K` ends so when it is interrupted.
    """
    from subprocess import PIPE

    interrupts: list[bool] = []
    try:
        with foreground(
            words, on_interrupt=lambda: interrupts.append(True), stdin=PIPE, env={**_SETTINGS, **environ}
        ) as process:
            assert process.stdin is not None
            with suppress(OSError):  # BrokenPipeError: the user has seen enough
                process.stdin.write(data)
            with suppress(OSError):
                process.stdin.close()
    except (OSError, ValueError):  # ValueError: a NUL in it
        return False
    return bool(interrupts) or not 0 < process.returncode <= _LAST_OWN
