"""What a terminal gets: rendered text, no untrusted control characters, and a clean screen at the end."""

import io
import json
import os
import pty
import re
import signal
import termios
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.terminal import Terminal, terminal_size
from cometresp.text import escape, escape_json, escape_line, json_bytes, to_bytes
from cometresp.turns.turn import heartbeat
from tests.conftest import Command
from tests.scripted import (
    Request,
    Wire,
    call,
    created,
    delta,
    ended,
    frames,
    json_reply,
    message,
    response,
    sse,
    text_stream,
)
from tests.terminals import Tmux, needs_tmux, on_terminal, plain, start
from tests.waiting import LONGEST

HOSTILE = "\x1b]52;c;aGk=\x07 \x1b[2J [bold]x[/x] \u202e \x9b \r \x7f"


@needs_tmux
def test_an_answer_is_rendered_once_and_the_cursor_is_shown_again(ask: Command, wire: Wire, tmux: Tmux) -> None:
    wire.answer(text_stream("# Title\n\nsome **bold** text\n\n- one\n- two\n"))
    start(tmux, ask, 80, 24, "ask", "hi")
    answer, _, after = tmux.wait_for("DONE-").partition("default turn 1 · ")
    assert [line.strip() for line in answer.splitlines() if line.strip()] == [
        "Title",
        "some bold text",
        "• one",
        "• two",
    ]
    assert re.fullmatch(r"m · \d\.\d s · 1 → 1 tokens\nDONE-0", after.rstrip())
    assert tmux("display-message", "-p", "#{cursor_flag}") == "1\n"


def test_untrusted_text_cant_control_the_terminal(ask: Command, wire: Wire) -> None:
    outputs = message(HOSTILE), call(name=f"n{HOSTILE}", arguments=HOSTILE)
    whole = response(*outputs, status="failed", error={"message": HOSTILE}, model=HOSTILE)
    wire.answer(sse(created(f"id{HOSTILE}"), delta(HOSTILE), ended(whole)))
    for words in (["ask"], ["ask", "-F", "text"], ["stream", "-F", "text"], ["ask", "--json"], ["ask", "--events"]):
        _, screen = on_terminal(ask, *words, "--verbose", "hi", env={"NO_COLOR": "1", "CI": "1"})
        assert not [sign for sign in ("\x1b]", "\x1b[2J", "\u202e", "\x9b", "\x07", "\x7f") if sign in screen], words
        assert "[bold]" in screen
        assert "[/x]" in screen


def test_json_on_a_terminal_is_the_same_value(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message(HOSTILE))))
    _, screen = on_terminal(ask, "ask", "-q", "--json", "hi")
    assert json.loads(screen) == response(message(HOSTILE)) | {"output_text": HOSTILE}


def test_a_pipe_gets_pure_text_while_the_terminal_shows_progress(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream(HOSTILE))
    code, screen = on_terminal(ask, "ask", "-o", "out", "hi")
    assert (code, (ask.home / "out").read_bytes()) == (0, HOSTILE.encode() + b"\n")
    assert "[bold]" not in screen
    assert "default turn 1 · " in screen


@pytest.mark.parametrize("words", [["stream"], ["ask", "--events"], ["stream", "-o", "/dev/stdout"]], ids=" ".join)
def test_nothing_is_redrawn_once_bytes_have_left_for_a_pipe(ask: Command, wire: Wire, words: list[str]) -> None:
    """Its reader may write to the same terminal."""
    drawn = threading.Event()
    lines = [f"{n}\n" for n in range(15)]

    def script(_: Request, connection: Any) -> None:
        connection.sendall(sse())
        assert drawn.wait(LONGEST)  # the status, before any byte
        later = {**created(model="late"), "type": "response.in_progress"}
        connection.sendall(frames([created(), delta(lines[0]), later]))
        for line in lines[1:]:
            connection.sendall(frames([delta(line)]))
            time.sleep(0.03)
        connection.sendall(frames([ended(response(message("".join(lines))))]))

    wire.answer(script)
    reader, writer = os.pipe()
    code, screen = on_terminal(ask, *words, "hi", when=b"waiting", meanwhile=lambda _: drawn.set(), stdout=writer)
    os.close(writer)
    with open(reader, "rb") as pipe:  # noqa: PTH123
        assert (code, b"14" in pipe.read()) == (0, True)
    _, *after = screen.split("\x1b[?25h")
    assert [plain(text)[:12] for text in after] == ["default turn"]
    assert "late" not in screen.partition("default turn")[0]


@pytest.mark.parametrize("how", [{"TERM": "dumb"}, {"CI": "true"}, {"COMETRESP_PLAIN": "1"}])
def test_nothing_is_redrawn_if_the_user_or_the_terminal_forbids_it(
    ask: Command, wire: Wire, how: dict[str, str]
) -> None:
    wire.answer(text_stream("one **two**"))
    code, screen = on_terminal(ask, "ask", "hi", env=how)
    assert code == 0
    assert "\x1b[?25l" not in screen
    assert screen.count("one") == 1


def test_an_interrupt_leaves_the_text_so_far_and_a_clean_terminal(ask: Command, wire: Wire) -> None:
    def stall(_: Request, connection: object) -> None:
        connection.sendall(sse(created("r1"), delta("half an answer")))  # type: ignore[attr-defined]
        connection.recv(1)  # type: ignore[attr-defined]

    wire.answer(stall)
    code, screen = on_terminal(ask, "ask", "hi", meanwhile=lambda pid: os.kill(pid, signal.SIGINT))
    assert code == 130
    after = screen.rpartition("\x1b[?25h")[2]
    assert "half an answer" in after
    assert after.rstrip().endswith("hint: what came is kept: cometresp log r1")


@given(st.text())
def test_escaped_text_contains_no_control_but_newline_and_tab(text: str) -> None:
    safe = escape(text)
    assert not [character for character in safe if not character.isprintable() and _controls(character)]
    assert "\n" not in escape_line(text)


def _controls(character: str) -> bool:
    return character not in "\n\t" and (ord(character) < 0xA0 or character in "\u061c\u200e\u200f\u202e\u2066")


@given(st.text(st.characters(exclude_categories=[])))
def test_escaped_json_is_the_same_json_and_always_encodes(text: str) -> None:
    document = json.dumps({"x": text}, ensure_ascii=False)
    assert json.loads(escape_json(document)) == {"x": text}
    assert json.loads(json_bytes(document)) == json.loads(document)
    assert to_bytes(text).decode() == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_a_long_line_is_cut() -> None:
    cut = [escape_line("abcdef", 4), escape_line("a\nb\tc"), escape_line("\x1b" * 3, 5)]
    assert cut == ["abc…", "a\\nb c", "\\x1b…"]


def test_a_long_run_in_ci_reports_once_a_minute_that_it_waits() -> None:
    reported = threading.Event()

    class Err(io.BytesIO):
        def flush(self) -> None:
            reported.set()

    err = Err()
    with heartbeat(Terminal(None, None, err, environ={"CI": "true"}), seconds=0.01):
        assert reported.wait(LONGEST)
    assert err.getvalue().startswith(b"cometresp: still waiting after 0 s\n")


@pytest.mark.parametrize(
    ("environ", "size"),
    [
        ({}, (100, 30)),
        ({"COLUMNS": "40"}, (40, 30)),
        ({"COLUMNS": "40", "LINES": "10"}, (40, 10)),
        ({"COLUMNS": "0", "LINES": "x"}, (100, 30)),
    ],
    ids=str,
)
def test_the_size_is_that_of_the_terminal_unless_variables_name_another(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], size: tuple[int, int]
) -> None:
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    nowhere, other_end = os.pipe()
    termios.tcsetwinsize(theirs, (30, 100))
    assert terminal_size((nowhere, theirs)) == size
    for descriptor in (ours, theirs, nowhere, other_end):
        os.close(descriptor)
