"""The names of chains: `tty` is one per terminal, `.` one per directory."""

import os
import sys
from pathlib import Path

from cometresp.errors import UsageError

_MAX_NAME = 100


def chain_name(given: str, argument: str = "--chain") -> str:
    """The name under which a chain is kept: `tty` is one per terminal, `.` one per directory (its git root).

    Raises UsageError, which starts with the `argument`, for what is no name.
    """
    if given == "tty":
        return f"tty:{_tty()}"
    if given == ".":
        try:
            here = Path.cwd()
        except OSError as error:
            raise UsageError(f"{argument}: the current directory is gone: {error.strerror}") from error
        root = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
        return "dir:" + str(root).encode(errors="surrogateescape").decode(errors="replace")
    if not given or len(given) > _MAX_NAME or not given.isprintable() or given != given.strip():
        raise UsageError(
            f"{argument}: {given!r} is not a name: 1 to {_MAX_NAME} printable characters, no blank at its ends"
        )
    return given


def _tty() -> str:
    if sys.platform == "win32":  # where only Windows Terminal names its tabs
        return os.environ.get("WT_SESSION", "")[:_MAX_NAME] or "none"
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor)
        except OSError:
            continue
    return "none"
