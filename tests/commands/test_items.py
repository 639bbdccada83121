"""`items`: all pages of a response's input or of a conversation, a line each."""

import json
from typing import Any

import pytest

from tests.conftest import Command
from tests.scripted import Wire, call, json_reply


def page(*names: str, more: bool = False, **ends: Any) -> bytes:
    data = [{"id": name, "type": "message", "role": "user", "content": name.upper()} for name in names]
    return json_reply({"object": "list", "data": data, "has_more": more, **ends})


def test_items_lists_all_pages_a_line_each(ask: Command, wire: Wire) -> None:
    wire.answer(page("a", "b", more=True, last_id="b"), page("c", more=True), page())
    assert list(ask("items", "r1")) == [0, "a\tuser\tA\nb\tuser\tB\nc\tuser\tC\n", ""]
    assert [request.path for request in wire.requests] == [
        "/v1/responses/r1/input_items?order=asc&limit=100",
        "/v1/responses/r1/input_items?order=asc&limit=100&after=b",
        "/v1/responses/r1/input_items?order=asc&limit=100&after=c",
    ]


@pytest.mark.parametrize(
    ("last", "names"),
    [(page("a", "b", more=True), "ab"), (page("c", "b", more=True), "ab"), (page(more=True), "ab")],
)
def test_a_server_that_repeats_itself_is_not_asked_for_ever(ask: Command, wire: Wire, last: bytes, names: str) -> None:
    wire.answer(page("a", "b", more=True), last)
    found = json.loads(ask("items", "r1", "--json").out)
    assert ("".join(item["id"] for item in found), len(wire.requests)) == (names, 2)


def test_items_takes_a_limit_an_order_and_includes(ask: Command, wire: Wire) -> None:
    wire.answer(page(*(f"i{n}" for n in range(100)), more=True), page("x", "y", more=True))
    words = ("items", "r1", "-n", "101", "--order", "desc", "--include", "a.b", "--json")
    found = json.loads(ask(*words).out)
    assert [item["id"] for item in found] == [*(f"i{n}" for n in range(100)), "x"]
    assert wire.requests[1].path == "/v1/responses/r1/input_items?order=desc&limit=1&include%5B%5D=a.b&after=i99"
    assert ask("items", "r1", "-n", "0").code == 2


def test_items_of_every_kind_have_a_line(ask: Command, wire: Wire) -> None:
    parts = [{"type": "input_text", "text": "look\nhere"}, {"type": "input_image"}]
    file = {"type": "input_file", "filename": "a.pdf"}
    kinds: list[dict[str, Any]] = [
        {"id": "m", "role": "user", "content": [*parts, file]},
        call(),
        {"type": "function_call_output", "call_id": "call_1", "output": "4"},
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "so"}]},
        {"type": "item_reference", "id": "x", "to": 1},
    ]
    wire.answer(json_reply({"object": "list", "data": kinds, "has_more": False}))
    assert ask("items", "r1").text == (
        "m\tuser\tlook\\nhere [input_image] [input_file a.pdf]\n"
        "fc_1\tfunction_call\tweather call_1 {}\n"
        "\tfunction_call_output\tcall_1 4\n"
        "rs\treasoning\tso\n"
        'x\titem_reference\t{"to": 1}\n'
    )


def test_items_of_a_conversation_come_from_its_own_path(ask: Command, wire: Wire) -> None:
    wire.answer(page("a", "b", more=True, last_id="b"), page("c"))
    assert list(ask("items", "conv_1", "--order", "desc", "-n", "3", "--include", "x")) == [
        0,
        "a\tuser\tA\nb\tuser\tB\nc\tuser\tC\n",
        "",
    ]
    assert [request.path for request in wire.requests] == [
        "/v1/conversations/conv_1/items?order=desc&limit=3&include%5B%5D=x",
        "/v1/conversations/conv_1/items?order=desc&limit=1&include%5B%5D=x&after=b",
    ]
    assert [item["id"] for item in json.loads(ask("items", "conv_1", "--json").out)] == ["c"]
