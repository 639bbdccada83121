"""Reasoning on a terminal: headings are bold without their asterisks, the rest is dim."""

import re
import time

import pytest

from cometresp.render.thoughts import pieces
from tests.conftest import Command, Forker
from tests.scripted import Wire, created, ended, message, response, sse

SUMMARY = "**Considering both**\n\nOne is *short*, **the other** isn't: 2**3**2.\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("**Considering both**", [("Considering both", True)]),
        ("so **a** and **b c**.", [("so ", False), ("a", True), (" and ", False), ("b c", True), (".", False)]),
        ("**not closed", [("**not closed", False)]),
        ("a ** b ** c", [("a ** b ** c", False)]),
        ("a ***b*** c**", [("a *", False), ("b", True), ("* c**", False)]),
        ("**a** b**", [("a", True), (" b**", False)]),
        ("**a** **b", [("a", True), (" **b", False)]),
        ("****", [("****", False)]),
        ("", []),
    ],
)
def test_what_stands_in_two_asterisks_is_bold(line: str, found: list[tuple[str, bool]]) -> None:
    assert pieces(line) == found


@pytest.mark.parametrize("so_far", ["**Con", "**Con*", "**Con**"])
def test_a_heading_that_is_still_growing_is_bold_already(so_far: str) -> None:
    assert pieces(so_far, grows=True) == [("Con", True)]


@pytest.mark.parametrize("line", ["**a ", "**a", "** ", "*", "a**"])
def test_no_line_of_reasoning_takes_long(line: str) -> None:
    begun = time.process_time()
    assert "".join(piece for piece, _ in pieces(line * 100_000, grows=True)).count("a") == line.count("a") * 100_000
    assert time.process_time() - begun < 5


def streamed(*texts: str, answer: str = "yes") -> bytes:
    deltas = [
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": n, "delta": piece}
        for n, text in enumerate(texts)
        for piece in (text[:3], text[3:])
    ]
    summary = [{"type": "summary_text", "text": text} for text in texts]
    whole = response({"type": "reasoning", "summary": summary}, message(answer))
    return sse(created(), *deltas, ended(whole))


@pytest.mark.parametrize(
    ("env", "bold", "dim"),
    [
        ({}, "\x1b[1mConsidering both\x1b[0m\n\n", "\x1b[2mOne is *short*, \x1b[0m"),
        ({"COMETRESP_PLAIN": "1"}, "\x1b[1mConsidering both\x1b[22m\n\n", "\x1b[2mOne is *short*, \x1b[22m"),
        ({"TERM": "dumb"}, "Considering both\n\n", "One is *short*, the other isn't: "),
    ],
    ids=["live", "plain", "dumb"],
)
def test_headings_of_reasoning_are_bold_and_the_rest_is_dim(
    ask: Command, wire: Wire, forker: Forker, env: dict[str, str], bold: str, dim: str
) -> None:
    wire.answer(streamed(SUMMARY, "**Next**"))
    shown = forker.run(ask, ["ask", "hi"], env=env, terminal=True).text
    assert [text in shown for text in (bold, dim, "**Considering", "**Next")] == [True, True, False, False]


@pytest.mark.parametrize("env", [{}, {"COMETRESP_PLAIN": "1"}], ids=["live", "plain"])
def test_commentary_is_shown_as_reasoning_is(ask: Command, wire: Wire, forker: Forker, env: dict[str, str]) -> None:
    before = message("**Looking** it up.", id="msg_1", phase="commentary")
    wire.answer(sse(created(), ended(response(before, message("yes")))))
    shown = forker.run(ask, ["ask", "hi"], env=env, terminal=True).text
    assert re.sub(r"\x1b\[22m", "\x1b[0m", shown).count("\x1b[1mLooking\x1b[0m\x1b[2m it up.\x1b[0m\n") == 1


def test_off_a_terminal_reasoning_is_left_as_it_came(ask: Command, wire: Wire) -> None:
    wire.answer(streamed(SUMMARY))
    assert list(ask("ask", "--show-reasoning", "hi")) == [0, "yes\n", SUMMARY]
