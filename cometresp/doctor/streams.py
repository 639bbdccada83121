"""What is known of the terminal: the three streams, its size, and what it is taken to show."""

import os
import stat
from typing import BinaryIO

from cometresp.doctor.facts import Fact, Section
from cometresp.paths import is_device
from cometresp.render.console import has_colours
from cometresp.render.known import image_protocol, takes_links, takes_progress
from cometresp.terminal import Terminal, terminal_size

_VARIABLES = ("TERM", "COLORTERM", "TERM_PROGRAM", "LANG", "LC_ALL", "NO_COLOR", "CI", "TMUX", "SSH_TTY", "COLUMNS")


def streams(terminal: Terminal, *, plain: bool) -> Section:
    """The section about the terminal. `plain`: nothing is to be redrawn."""
    environ = terminal.environ
    columns, rows = terminal_size((1, 2, 0))
    why_not = terminal.why_not_redrawn or ("--plain, or the setting, says so" if plain else "")
    variables = {name: environ[name] for name in _VARIABLES if environ.get(name)}
    return Section(
        "terminal",
        [
            Fact("stdin", _kind(terminal.stdin, tty=terminal.stdin_tty)),
            Fact("stdout", _kind(terminal.stdout, tty=terminal.stdout_tty)),
            Fact("stderr", _kind(terminal.stderr, tty=terminal.stderr_tty)),
            Fact("size", {"columns": columns, "rows": rows}, f"{columns} columns, {rows} rows"),
            Fact("encoding", terminal.encoding),
            Fact("colour", has_colours(terminal)),
            Fact("redraws", not why_not, f"no: {why_not}" if why_not else "yes"),
            Fact("links", takes_links(environ)),
            Fact("images", image_protocol(environ)),
            Fact("progress", takes_progress(environ)),
            Fact("variables", variables, " ".join(f"{name}={value}" for name, value in variables.items()) or "none"),
        ],
    )


def _kind(stream: BinaryIO | None, *, tty: bool) -> str:
    """terminal, pipe, file, nothing (`/dev/null`), device or closed."""
    if tty:
        return "terminal"
    try:
        facts = os.fstat(stream.fileno()) if stream is not None else None
    except (OSError, ValueError):
        facts = None
    if facts is None:
        return "closed"
    if stat.S_ISFIFO(facts.st_mode) or stat.S_ISSOCK(facts.st_mode):
        return "pipe"
    if stat.S_ISREG(facts.st_mode):
        return "file"
    return "device" if is_device(facts) else "nothing"
