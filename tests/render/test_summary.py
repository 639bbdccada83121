"""The lines about a run on a terminal: what fits, and in which order."""

from typing import Any

import pytest

from cometresp.answer.answer import Answer
from cometresp.render.summary import Run, details, summary, usage_line
from cometresp.wire.events import Event
from tests.conftest import Command, Forker
from tests.scripted import Wire, json_reply, message, response, text_stream
from tests.terminals import plain

USAGE = {
    "input_tokens": 14,
    "output_tokens": 20,
    "total_tokens": 34,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens_details": {"reasoning_tokens": 8},
}
RUN = Run(
    status="completed",
    seconds=2.14,
    first=0.41,
    usage=USAGE,
    chain="review",
    turn=3,
    shown_id="resp_67ccd2be",
    model="asked",
    tier=None,
    request_id=None,
)
PRICED = RUN._replace(cost="$0.0012")


def answer(**fields: Any) -> Answer:
    ended = Answer()
    ended.apply(
        Event("response.completed", {"response": {"id": "resp_67ccd2bed1ec", "model": "gpt-5.4", **fields}}, "")
    )
    return ended


@pytest.mark.parametrize(
    ("run", "width", "line"),
    [
        (RUN, 80, "review turn 3 · gpt-5.4 · 2.1 s · 14 → 20 tokens"),
        (PRICED, 80, "review turn 3 · gpt-5.4 · 2.1 s · 14 → 20 tokens · $0.0012"),
        (PRICED, 50, "review turn 3 · 2.1 s · 14 → 20 tokens · $0.0012"),
        (PRICED, 40, "review turn 3 · 14 → 20 tokens · $0.0012"),
        (PRICED, 39, "review turn 3 · $0.0012"),
        (PRICED, 20, "review turn 3"),
        (PRICED, 12, "turn 3"),
        (RUN._replace(chain="評" * 30), 30, "turn 3 · 14 → 20 tokens"),
        (RUN._replace(status="incomplete"), 80, "review turn 3 · incomplete · gpt-5.4 · 2.1 s · 14 → 20 tokens"),
        (RUN._replace(chain="", status="in_progress", usage={}), 80, "resp_67ccd2be · in progress · gpt-5.4 · 2.1 s"),
        (RUN._replace(chain="", shown_id="r" * 400), 80, "gpt-5.4 · 2.1 s · 14 → 20 tokens"),
        (RUN._replace(usage={"input_tokens": 9}), 80, "review turn 3 · gpt-5.4 · 2.1 s · 9 tokens in"),
        (RUN._replace(usage={"output_tokens": 0}), 80, "review turn 3 · gpt-5.4 · 2.1 s · 0 tokens out"),
    ],
)
def test_the_summary_fits_the_window_by_what_it_leaves_out(run: Run, width: int, line: str) -> None:
    assert summary(answer(), run, width) == line


def test_the_model_is_the_one_that_answered_else_the_one_that_was_asked_for() -> None:
    assert summary(answer(model=None), RUN, 80, arrow="->") == "review turn 3 · asked · 2.1 s · 14 -> 20 tokens"


def test_the_details_are_in_the_line_of_usage() -> None:
    run = RUN._replace(tier="flex")
    assert usage_line(USAGE, "req_1", details(answer(service_tier="default"), run)) == (
        "usage: 14 input (4 cached), 20 output (8 reasoning), 34 total, first text 0.4 s, tier default instead of flex,"
        " id resp_67ccd2bed1ec, request req_1"
    )
    assert details(answer(), RUN._replace(first=None)) == ["id resp_67ccd2bed1ec"]


# on a terminal ----------------------------------------------------------------------------------------------------

LONG = [f"resp_67ccd2b{n}{'0123456789abcdef' * 3}" for n in range(5)]


def shown(forker: Forker, ask: Command, *words: str, columns: int = 80, **env: str) -> list[str]:
    result = forker.run(ask, words, env={"COLUMNS": str(columns), "TERM": "dumb", **env}, terminal=True)
    assert result.code == 0
    return plain(result.text).splitlines()


def test_ask_says_how_to_go_back_only_from_a_conversation_of_several_turns(
    ask: Command, wire: Wire, forker: Forker
) -> None:
    wire.answer(*(text_stream(f"{n}", response_id=name) for n, name in enumerate(LONG)))
    assert shown(forker, ask, "ask", "a")[0] == "0"
    assert shown(forker, ask, "ask", "b")[0] == "1"
    assert shown(forker, ask, "continue", "c")[0] == "continuing default: resp_67ccd2b1 · turn 2 · m"
    assert shown(forker, ask, "ask", "d")[0] == (
        "default starts again; to go back: cometresp continue --from resp_67ccd2b2"
    )
    assert shown(forker, ask, "continue", "--from", LONG[2], "e")[0] == "continuing default: resp_67ccd2b2 · turn 3 · m"


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (72, "default starts again; back: cometresp continue --from resp_67ccd2b1"),
        (60, "default starts again; back: --from resp_67ccd2b1"),
        (40, "back: --from resp_67ccd2b1"),
        (25, "default starts again"),
        (12, "default sta…"),
    ],
)
def test_the_notice_is_one_line(ask: Command, wire: Wire, forker: Forker, columns: int, line: str) -> None:
    wire.answer(*(text_stream("x", response_id=name) for name in LONG))
    for words in (["ask", "a"], ["continue", "b"]):
        forker.run(ask, words)
    assert shown(forker, ask, "ask", "c", columns=columns)[0] == line


def test_a_turn_that_is_no_head_is_named_by_an_id_that_can_be_typed(ask: Command, wire: Wire, forker: Forker) -> None:
    incomplete: dict[str, Any] = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    wire.answer(json_reply(response(message("half"), response_id=LONG[0], **incomplete)))
    result = forker.run(ask, ["ask", "a"], env={"TERM": "dumb"}, terminal=True)
    assert plain(result.text).splitlines()[1].startswith("resp_67ccd2b0 · incomplete · m · ")
    assert forker.run(ask, ["log", "resp_67ccd2b0"]).text.startswith(f"## {LONG[0]} ")
