"""A file in the user's editor: `$VISUAL`, else `$EDITOR`, else the first of some that is installed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cometresp.console import NAMES
from cometresp.errors import UsageError
from cometresp.foreground import foreground
from cometresp.terminal import Terminal
from cometresp.text import command_words, escape_line

_USUAL = ("notepad",) if os.name == "nt" else ("sensible-editor", "editor", "nano", "vim", "vi")


def edit(path: str, terminal: Terminal, what: str = "--edit") -> None:
    """Open a file in the editor, and wait for its end. Raises UsageError, about `what`, if it can't start, or fails."""
    words = command(terminal.environ, what)
    name = escape_line(words[0], 200)
    with _streams(terminal) as streams:
        try:
            with foreground([*words, path], **streams) as process:
                pass
        except (OSError, ValueError) as error:  # ValueError: a NUL in it
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"{what}: {name} can't be started: {reason}", hint="EDITOR names the editor") from error
    if process.returncode:
        end = ": nothing was sent" if what == "--edit" else ""
        raise UsageError(f"{what}: {name} ended with {process.returncode}{end}")


def command(environ: Mapping[str, str], what: str = "--edit") -> list[str]:
    """The words of the editor's command, such as `code --wait`. Raises UsageError where there is no editor."""
    import shutil

    for name in ("VISUAL", "EDITOR"):
        given = environ.get(name, "").strip()
        if not given:
            continue
        if shutil.which(given):  # a path with blanks in it
            return [given]
        try:
            return command_words(given)
        except ValueError as error:
            raise UsageError(f"{what}: {name} can't be read: {error}") from error
    found = next((name for name in _USUAL if shutil.which(name)), None)
    if found is None:
        raise UsageError(f"{what}: there is no editor", hint="EDITOR names the editor")
    return [found]


@contextmanager
def _streams(terminal: Terminal) -> Iterator[dict[str, Any]]:
    """The editor's streams: the terminal, also where those of this program are pipes. None of it goes to stdout."""
    if terminal.stdin_tty and terminal.stdout_tty:
        yield {}
        return
    try:
        opened = [os.open(name, os.O_RDWR) for name in NAMES]
    except OSError:  # there is no terminal: an editor with windows of its own needs none
        from subprocess import DEVNULL

        yield {"stdin": DEVNULL, "stdout": terminal.stderr if terminal.stderr_tty else DEVNULL}
        return
    try:
        yield {"stdin": opened[0], "stdout": opened[1], "stderr": opened[1]}
    finally:
        for number in opened:
            os.close(number)
