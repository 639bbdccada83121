"""Renderables as text: for a terminal with its colours and links, for a pipe without."""

from io import StringIO
from typing import Any

from rich.console import Console
from rich.text import Text

from cometresp.render.known import takes_links
from cometresp.terminal import Terminal

_PIPE_WIDTH = 80  # columns, if COLUMNS names no others


class _Buffer(StringIO):
    """The file that Rich writes to; from its encoding Rich decides whether lines and bullets must be ASCII."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


class AnswerConsole(Console):
    """A console that knows whether its terminal takes links."""

    links = False


def rendered(thing: Any, terminal: Terminal, width: int, *, ansi: bool = True) -> str:
    """A renderable as text for this terminal, or, without `ansi`, for a pipe. Lines are not cropped to the width.

    Only --color gives a pipe colours, never the environment.
    """
    styled = {"always": True, "never": False}.get(terminal.color, ansi and not terminal.lacks_sequences)
    forced = styled and (not ansi or (terminal.color == "always" and terminal.is_dumb))
    console = AnswerConsole(
        file=_Buffer(terminal.encoding if ansi else "utf-8"),
        force_terminal=styled,
        width=width,
        no_color=not styled or (False if terminal.color == "always" else None),
        color_system=None if not styled else "standard" if forced else "auto",
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.links = ansi and styled and takes_links(terminal.environ)
    with console.capture() as capture:
        console.print(thing, end="", crop=False)
    return capture.get()


def has_colours(terminal: Terminal) -> bool:
    """Whether rendered text on standard output has colours."""
    return "\x1b[" in rendered(Text("x", style="red"), terminal, 1, ansi=terminal.stdout_tty)


def status_line(line: str, terminal: Terminal, width: int) -> str:
    """A dim line that is redrawn, cut to the width."""
    text = Text(line, style="dim", no_wrap=True, overflow="ellipsis", end="")
    text.truncate(width, overflow="ellipsis")
    return rendered(text, terminal, width)


def pipe_width(terminal: Terminal) -> int:
    """The columns of rendered text that goes into a pipe or a file."""
    given = terminal.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else _PIPE_WIDTH
