"""What goes to stdout and to stderr keeps its order where both are one terminal, or one log."""

from typing import Any

import pytest

from tests.conftest import Command, Forker
from tests.scripted import Wire, created, delta, ended, frames, message, reply, response

SEARCH = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"query": "x"}}


def happened(kind: str, item: dict[str, Any], output_index: int) -> dict[str, Any]:
    return {"type": f"response.output_item.{kind}", "output_index": output_index, "item": item}


EVENTS = [
    created(),
    delta("before\n"),
    happened("added", {**SEARCH, "status": "in_progress"}, 1),
    happened("done", SEARCH, 1),
    delta("after\n", 2),
    ended(response(message("before\n"), SEARCH, message("after\n", id="msg_2"))),
]


@pytest.mark.parametrize("words", [["stream", "--format", "text"], ["ask", "--events"]])
def test_text_before_a_call_is_printed_before_its_line_also_where_they_come_together(
    ask: Command, wire: Wire, forker: Forker, words: list[str]
) -> None:
    wire.answer(reply(200, frames(EVENTS), "text/event-stream"))
    shown = forker.run(ask, [*words, "hi"], terminal=True).text
    places = [shown.find(part) for part in ("before", "web search: x", "after")]
    assert -1 not in places
    assert places == sorted(places), shown
