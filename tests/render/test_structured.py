"""Structured answers on a terminal: indented and highlighted, the same JSON however it came."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.render.structured import Structured
from tests.conftest import Command
from tests.schema.shapes import VALUES, Json
from tests.scripted import Wire, json_reply, message, paced, response, text_stream
from tests.terminals import Tmux, at_the_end, needs_tmux, on_terminal, plain, start

WIDE = json.dumps({"a": ["x y" * 99, {}, [], {"b": -1.5, "ü": "\u202e"}], "c": None}, ensure_ascii=False)


@pytest.mark.parametrize("size", [{}, {"COLUMNS": "30", "LINES": "8"}, {"NO_COLOR": "1"}])
def test_json_is_indented_and_highlighted_on_a_terminal(ask: Command, wire: Wire, size: dict[str, str]) -> None:
    wire.answer(text_stream(*[WIDE[n : n + 5] for n in range(0, len(WIDE), 5)]))
    words = ["--plain", "-q", "--schema", '{"type":"object"}', "--no-strict"]
    code, screen = on_terminal(ask, "ask", *words, "hi", env=size)
    indented = json.dumps(json.loads(WIDE), ensure_ascii=False, indent=2).replace("\u202e", "\\u202e")
    assert (code, plain(screen)) == (0, indented + "\n")
    assert ("\x1b[34" in screen) == ("NO_COLOR" not in size)


@needs_tmux
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (20, 6)])
def test_long_and_wide_json_is_on_the_screen_once_and_whole(
    ask: Command,
    wire: Wire,
    tmux: Tmux,
    columns: int,
    rows: int,
) -> None:
    text = json.dumps({"items": [{"k": f"T{n:05}", "v": "word " * (n % 30)} for n in range(600)]})
    wire.answer(paced(text, 60, 0.01))
    start(tmux, ask, columns, rows, "ask", "-q", "--schema-multi", "k, v", "hi")
    screen = tmux.wait_for("DONE-0")
    assert json.loads(screen.partition("DONE-0")[0]) == json.loads(text)


def test_a_fetched_object_is_indented_and_other_text_is_not(ask: Command, wire: Wire) -> None:
    shape: Json = {"text": {"format": {"type": "json_object"}}}
    wire.answer(json_reply(response(message('{"a":\x1b1}'), **shape)))
    assert at_the_end(on_terminal(ask, "get", "-q", "resp_1")[1]) == '{\n  "a": \\u001b1\n}\n'
    wire.answer(json_reply(response(message("No, I *won't*.\x1b"), **shape)))
    assert at_the_end(on_terminal(ask, "get", "-q", "resp_1")[1]) == "No, I *won't*.\\x1b\n"
    assert "*" not in plain(on_terminal(ask, "get", "-q", "-F", "markdown", "resp_1")[1])


@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.lists(st.integers(0, 60)), st.booleans())
def test_an_indented_answer_is_the_same_json_however_it_came(value: Any, cuts: list[int], compact: bool) -> None:
    text = json.dumps(value, separators=(",", ":") if compact else None, ensure_ascii=compact)
    structured, lines = Structured(), []
    for first, end in pairwise(sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})):
        structured.feed(text[first:end])
        structured.tail(5)
        if part := structured.finished():
            lines.append(part.text.plain)
    if part := structured.end():
        lines.append(part.text.plain)
    assert "".join(lines) == json.dumps(value, indent=2, ensure_ascii=compact) + "\n"


@given(st.lists(st.text(st.sampled_from('{}[]":, \\\n\x1bab1')), max_size=6))
def test_whatever_came_is_shown_but_for_blanks(pieces: list[str]) -> None:
    structured, shown = Structured(), ""
    for piece in pieces:
        structured.feed(piece)
        structured.tail(3)
        shown += part.text.plain if (part := structured.finished()) else ""
    shown += part.text.plain if (part := structured.end()) else ""
    assert "\x1b" not in shown
    visible = shown.replace("\\u001b", "\x1b").replace("\\x1b", "\x1b")
    assert "".join(visible.split()) == "".join("".join(pieces).split())
