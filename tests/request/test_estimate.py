"""The estimate of a request's tokens: a rule for each kind of input."""

from typing import Any

import pytest

from cometresp.request.estimate import estimated_tokens

IMAGE = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9000}


def content(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"input": "12345678"}, 4 + 2),
        ({"input": "123456789"}, 4 + 3),
        ({"input": "мир"}, 4 + 2),
        ({"input": "世界"}, 4 + 2),
        ({"input": "\ud800"}, 4 + 1),
        ({}, 0),
        ({"instructions": "1234"}, 1),
        ({"tools": [{"type": "x"}]}, 4),
        ({"text": {"format": {"a": 1}, "verbosity": "low"}}, 2),
        (content(IMAGE), 4 + 765),
        (content({**IMAGE, "detail": "low"}, IMAGE), 4 + 85 + 765),
        (content({"type": "input_text", "text": "1234"}), 4 + 1),
        (content({"type": "input_file", "file_data": "data:application/pdf;base64," + "A" * 372}), 4 + 10),
        ({"input": [{"type": "function_call_output", "id": "x", "call_id": "1234", "output": "12345"}]}, 4 + 1 + 2),
        ({"input": [{"type": "message", "role": "assistant", "content": None}]}, 4),
    ],
)
def test_each_kind_of_input_has_a_rule(body: dict[str, Any], tokens: int) -> None:
    assert estimated_tokens(body, None) == (tokens, ())


def test_what_cannot_be_estimated_is_named_once() -> None:
    file = {"type": "input_file", "file_id": "file-1"}
    body = content(file, file) | {"previous_response_id": "r1"}
    missing = ("files given by URL or id", "the earlier turns, which only the server has")
    assert estimated_tokens(body, None) == (4, missing)


def test_known_earlier_turns_have_the_instructions_and_tools_already() -> None:
    body = {"input": "1234", "instructions": "x" * 400, "tools": [{"type": "x"}], "previous_response_id": "r1"}
    assert estimated_tokens(body, 100) == (4 + 1 + 100, ())
