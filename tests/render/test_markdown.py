"""Rendered Markdown off a terminal, and on one where nothing is redrawn."""

import socket
import threading

import pytest

from tests.conftest import Command
from tests.scripted import STREAM_HEAD, Request, Wire, created, delta, ended, frames, message, response, text_stream
from tests.terminals import on_terminal, plain
from tests.waiting import LONGEST

SOURCE = "# Title\n\n**bold** word word word\n\n```py\nx = 1\n```\n"
PLAIN = "Title\n\nbold word word word\n\nx = 1\n"
COLOURED = "\x1b[1;4;35mTitle\x1b[0m\n\n\x1b[1mbold\x1b[0m word word word\n\nx = \x1b[36m1\x1b[0m\n"
COLOURS = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("flags", "env", "shown"),
    [
        ([], {}, PLAIN),
        ([], COLOURS, PLAIN),
        (["--color", "always"], {"NO_COLOR": "1"}, COLOURED),
        (["--color", "never"], COLOURS, PLAIN),
        ([], {"COLUMNS": "12"}, "Title\n\nbold word\nword word\n\nx = 1\n"),
        ([], {"COLUMNS": "0"}, PLAIN),
    ],
)
def test_markdown_in_a_pipe_has_colour_only_if_a_flag_says_so(
    ask: Command, wire: Wire, flags: list[str], env: dict[str, str], shown: str
) -> None:
    wire.answer(text_stream(SOURCE))
    ask.environ |= env
    assert tuple(ask("ask", "-F", "markdown", *flags, "hi")) == (0, shown, "")


@pytest.mark.parametrize(("flag", "coloured"), [("auto", True), ("always", True), ("never", False)])
def test_a_terminal_has_colour_unless_a_flag_says_no(ask: Command, wire: Wire, flag: str, coloured: bool) -> None:
    wire.answer(text_stream(SOURCE))
    _, screen = on_terminal(ask, "ask", "--plain", "--color", flag, "hi")
    assert ("\x1b[1mbold\x1b[0m" in screen) is coloured
    assert PLAIN in plain(screen).replace("\r", "")


@pytest.mark.parametrize(
    "line",
    ["a line\n", "> quoted\n", "- item\n", "1. a\n\n   ```py\n   code\n", "```\ncode\n", "| a |\n|---|\n| cell |\n"],
)
def test_a_line_is_shown_when_it_is_complete(ask: Command, wire: Wire, line: str) -> None:
    shown = threading.Event()

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD + frames([created(), delta(line)]))
        assert shown.wait(LONGEST)
        connection.sendall(frames([delta("more"), ended(response(message(line + "more")))]))

    wire.answer(script)
    last = line.split()[-1].encode() if "|" not in line else b"cell"
    code, _ = on_terminal(ask, "ask", "--plain", "hi", meanwhile=lambda _: shown.set(), when=last)
    assert code == 0
