"""The live view on real terminals: each line once, in order, for any size of the window and after any change of it."""

import io
import re
import socket
import subprocess
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.markdown import Markdown

from cometresp.answer.answer import Answer
from cometresp.render.live import LiveView
from cometresp.render.region import Region
from cometresp.render.screen import View
from cometresp.render.waiting import Waiting
from cometresp.terminal import Terminal
from tests.conftest import Command
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Wire,
    created,
    delta,
    ended,
    frames,
    message,
    paced,
    pieces,
    response,
    sse,
)
from tests.terminals import Cells, Tmux, needs_tmux, on_terminal, plain, start
from tests.waiting import LONGEST, until

SHOWN = View("markdown", streaming=True, to_terminal=True, reasoning=True, redraw=True)


def document(lines: int) -> str:
    """Every kind of block, each source line with a different token: T00000, T00001, …"""
    numbers = iter(range(lines + 40))

    def token() -> str:
        return f"T{next(numbers):05}"

    parts = []
    while next(numbers) < lines:
        t = [token() for _ in range(26)]
        parts.append(
            f"# {t[0]}\n\n{t[1]} *em*\n{t[2]} word word word word word word word word\n\n{t[3]}\n=====\n\n"
            f"- {t[4]}\n- {t[5]}\n  - {t[6]}\n\n    {t[7]}\n\n1. {t[8]}\n2. {t[9]}\n\n"
            f"```py\n{t[10]} = 1\n\n{t[11]} = 2\n```\n\n> {t[12]}\n> {t[13]}\n\n"
            f"| {t[14]} |\n|---|\n| {t[15]} |\n| {t[16]} |\n\n<p>\n{t[17]}\n</p>\n\n***\n\n"
            f"[{t[18]}]: http://x.example\n\n{t[19]} [{t[18]}]\n\n    {t[20]}\n\n{t[21]} 你好 😀\n\n"
            f"{t[22]}  \n{t[23]}\n\n1. {t[24]}\n\n   {t[25]}\n\n"
        )
    return "".join(parts)


def tokens(text: str) -> list[str]:
    return re.findall(r"T\d{5}", text)


@pytest.mark.slow
@needs_tmux
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10), (20, 6)])
def test_each_line_of_a_long_answer_is_printed_once_and_in_order(
    ask: Command, wire: Wire, tmux: Tmux, columns: int, rows: int
) -> None:
    source = document(3000)
    wire.answer(paced(source, 150, 0.01))
    start(tmux, ask, columns, rows, "ask", "hi")
    screen = tmux.wait_for("DONE-")
    assert "DONE-0" in screen
    assert "waiting" not in screen
    assert tokens(screen) == tokens(source)


@pytest.mark.slow
@needs_tmux
def test_after_resizes_nothing_is_missing_and_only_tails_are_repeated(ask: Command, wire: Wire, tmux: Tmux) -> None:
    source = document(3000)
    sizes = [(60, 20), (100, 30), (40, 10), (90, 12), (80, 24)]
    sixths = [n * 25 for n in range(1, 6)]
    resumed = threading.Semaphore(0)

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created()))
        for n, piece in enumerate(pieces(source, 150)):
            if n in sixths:
                assert resumed.acquire(timeout=LONGEST)
            connection.sendall(frames([delta(piece)]))
            time.sleep(0.01)
        connection.sendall(frames([ended(response(message(source)))]))

    wire.answer(script)
    start(tmux, ask, 80, 24, "ask", "hi")
    for sixth, (columns, rows) in zip(sixths, sizes, strict=True):  # the window changes while the next sixth comes
        come = tokens("".join(pieces(source, 150)[:sixth]))[-60]
        until(lambda come=come: max(tokens(tmux.screen()), default="") >= come, pause=0.1)  # type: ignore[misc]
        resumed.release()
        tmux("resize-window", "-x", str(columns), "-y", str(rows))
    found = tokens(tmux.wait_for("DONE-0"))
    last = {name: place for place, name in enumerate(found)}
    assert sorted(last, key=last.__getitem__) == [*dict.fromkeys(reversed(tokens(source)))][::-1]
    assert len(found) - len(last) <= 5 * 30


@pytest.mark.slow
def test_few_bytes_are_written_for_a_long_answer(ask: Command, wire: Wire) -> None:
    source = document(60)
    wire.answer(paced(source, 120, 0.015))
    code, screen = on_terminal(ask, "ask", "hi")
    assert code == 0
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=80, color_system="256").print(Markdown(source))
    assert len(screen) < 1.5 * len(out.getvalue())


@pytest.mark.parametrize("command", ["ask", "stream"])
def test_a_file_gets_pure_text_while_the_terminal_shows_a_status(ask: Command, wire: Wire, command: str) -> None:
    source = document(60)
    wire.answer(paced(source, 20, 0.02))
    with (ask.home / "out.md").open("wb") as out:
        code, screen = on_terminal(ask, command, "hi", stdout=out)
    assert (code, (ask.home / "out.md").read_text()) == (0, source)
    assert tokens(screen) == []
    assert "waiting" in screen or "thinking" in screen
    assert "default turn 1 · " in screen


def test_the_answer_alone_is_shown_where_stderr_is_elsewhere(ask: Command, wire: Wire) -> None:
    source = document(60)
    wire.answer(paced(source, 20, 0.02))
    code, screen = on_terminal(ask, "ask", "hi", stderr=subprocess.DEVNULL)
    assert code == 0
    after = re.split(r"\x1b\[\?25h", screen)
    assert tokens(after[-1])[-1] == tokens(source)[-1]
    assert "waiting" not in screen
    assert "default turn 1" not in screen


def test_parts_are_printed_in_the_order_in_which_they_happen(ask: Command, wire: Wire) -> None:
    search = {"id": "ws", "type": "web_search_call", "status": "in_progress"}
    found = search | {
        "status": "completed",
        "action": {"type": "search", "query": "x", "sources": [{"type": "url", "url": "https://a.example"}]},
    }
    cited = {
        "type": "url_citation",
        "url": "https://a.example/p",
        "title": "The page",
        "start_index": 0,
        "end_index": 5,
    }
    last = message("after", id="msg_2")
    last["content"][0]["annotations"] = [cited]
    events = [
        created(),
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Hmm."},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": message("", id="msg_1", status="in_progress"),
        },
        {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "before"},
        {"type": "response.output_item.done", "output_index": 1, "item": message("before", id="msg_1")},
        {"type": "response.output_item.added", "output_index": 2, "item": search},
        {"type": "response.output_item.done", "output_index": 2, "item": found},
        {"type": "response.output_text.delta", "output_index": 3, "content_index": 0, "delta": "after"},
        ended(response({"type": "reasoning", "summary": []}, message("before", id="msg_1"), found, last)),
    ]
    wire.answer(STREAM_HEAD + frames(events))
    _, screen = on_terminal(ask, "ask", "hi", env={"NO_COLOR": "1"})
    clean = plain(screen)
    marks = (
        "Hmm.",
        "before",
        "web search: x · 1 source",
        "after",
        "[1] The page https://a.example/p",
        "default turn 1",
    )
    places = [clean.rindex(mark) for mark in marks]
    assert places == sorted(places)


def test_a_locale_without_utf8_gets_ascii(ask: Command, wire: Wire) -> None:
    wire.answer(paced("- item\n\n| a |\n|---|\n| ü |\n", 1, 0))
    code, screen = on_terminal(ask, "ask", "hi", env={"LC_ALL": "C", "PYTHONUTF8": "0"})
    assert (code, screen.isascii()) == (0, True)


class Screen:
    """A region's terminal: keeps what is drawn, to count its bytes."""

    def __init__(self) -> None:
        self.out = ""

    def write(self, text: str) -> None:
        self.out += text


def test_of_a_longer_line_only_the_new_end_is_written() -> None:
    screen = Screen()
    region = Region(screen.write)
    region.paint(["one", "status"], (80, 24))
    before = len(screen.out)
    region.paint(["one two", "status"], (80, 24))
    assert " two" in screen.out[before:]
    assert "one" not in screen.out[before:]
    assert "status" not in screen.out[before:]
    region.clear()
    assert screen.out.endswith("\x1b[1A\r\x1b[K\r\n\x1b[K\x1b[1A\x1b[?25h")


@given(st.lists(st.lists(st.text("abc ", max_size=6), min_size=1, max_size=6), max_size=12))
def test_a_region_shows_what_was_painted_last_and_nothing_after_it(paintings: list[list[str]]) -> None:
    cells = Cells()
    region = Region(cells.write)
    for lines in paintings:
        region.paint(lines, (80, 24))
        shown = cells.lines[: len(lines)]
        assert shown == [line.rstrip() for line in lines]
        assert not any(cells.lines[len(lines) :])
        assert cells.row == len(lines) - 1
    region.clear()
    assert not any(cells.lines)
    assert (cells.row, cells.column) == (0, 0)


def test_verbose_shows_code_and_logs_highlighted(ask: Command, wire: Wire) -> None:
    ran = {
        "id": "ci",
        "type": "code_interpreter_call",
        "status": "completed",
        "code": "import math\nprint(math.pi)\x1b[2J",
        "outputs": [{"type": "logs", "logs": "3.14"}],
    }
    wire.answer(sse(created(), ended(response(ran, message("pi")))))
    _, screen = on_terminal(ask, "ask", "--verbose", "hi")
    clean = plain(screen)
    for shown in ("code interpreter: import math · 2 lines", "    print(math.pi)\\x1b[2J", "    -> 3.14"):
        assert shown in clean
    assert "\x1b[35mimport\x1b[0m" in screen


def test_a_wait_during_a_run_takes_the_place_of_its_status_line_and_gives_it_back() -> None:
    err = io.BytesIO()
    terminal = Terminal(None, None, err, stderr_tty=True, environ={"TERM": "xterm"})
    view = LiveView(terminal, terminal, SHOWN, text=False)
    until(lambda: b"waiting" in err.getvalue())
    with Waiting(terminal, "reading big.pem"):
        begun = len(err.getvalue())
        until(lambda: b"reading" in err.getvalue())
        terminal.warn("meanwhile")
        until(lambda: err.getvalue().count(b"reading") > 1)
        assert b"waiting" not in err.getvalue()[begun:]
    begun = len(err.getvalue())
    until(lambda: b"waiting" in err.getvalue()[begun:])
    view.finish(Answer())
    assert plain(err.getvalue().decode().rpartition("\r")[2]) == ""


def test_a_warning_during_a_run_is_printed_where_stderr_is_elsewhere() -> None:
    out, err = io.BytesIO(), io.BytesIO()
    terminal = Terminal(None, out, err, stdout_tty=True, environ={"TERM": "xterm"})
    view = LiveView(terminal, terminal, SHOWN, text=True)
    terminal.warn("half of it")
    view.finish(Answer())
    assert err.getvalue() == b"cometresp: warning: half of it\n"
