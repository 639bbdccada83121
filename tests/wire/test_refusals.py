"""Which errors may mean that a server doesn't take the id of an earlier response, or its reasoning."""

from typing import Any

import pytest

from cometresp.errors import CometrespError
from cometresp.wire.events import Event
from cometresp.wire.items import input_items
from cometresp.wire.refusals import (
    lacks_reasoning,
    refused_inside,
    refuses_previous,
    refuses_reasoning,
    without_encrypted,
)
from cometresp.wire.replies import Reply, error_of


def error(status: int, **fields: Any) -> CometrespError:
    import json

    return error_of(Reply(status, {}, json.dumps({"error": fields}).encode()))


@pytest.mark.parametrize(
    "refused",
    [
        error(404, message="Response with id 'r' not found.", param="response_id", code=404),
        error(400, message="Bad request"),
        error(422, message="Extra inputs are not permitted", param="previous_response_id"),
        error(400, message="No tool call found for function call output with call_id c.", param="input"),
        error(404, message="x", code="previous_response_not_found"),
        error(400, message="x", type="invalid_request_error"),
        error(502, message="Unsupported parameter: previous_response_id"),
        error(500, message="previous response r not found"),
        error(503, message="Response with id r not found"),
    ],
    ids=str,
)
def test_a_400_404_or_422_may_refuse_the_id_and_a_5xx_by_its_words(refused: CometrespError) -> None:
    assert refuses_previous(refused)


@pytest.mark.parametrize(
    "other",
    [
        error(404, message="x", code="model_not_found"),
        error(400, message="x", code="context_length_exceeded"),
        error(400, message="x", code="content_policy_violation"),
        error(400, message="x", param="tools[0].name"),
        error(400, message="x", param="temperature"),
        error(500, message="the server had an error"),
        error(503, message="overloaded"),
        error(401, message="Response with id r not found"),
        error(429, message="slow down"),
    ],
    ids=str,
)
def test_an_error_that_is_plainly_about_something_else_doesnt(other: CometrespError) -> None:
    assert not refuses_previous(other)


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        ({"type": "error", "code": "404", "message": "x"}, True),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "x"}}, True),
        ({"type": "response.failed", "response": {"error": {"code": "not_found_error", "message": "x"}}}, True),
        ({"type": "error", "message": "Previous response r not found"}, True),
        ({"type": "error", "code": "server_error", "message": "x"}, False),
        ({"type": "error", "code": "model_not_found", "message": "x"}, False),
        ({"type": "response.created", "response": {"id": "r", "error": None}}, False),
    ],
)
def test_the_first_event_of_a_stream_may_refuse_it_too(data: dict[str, Any], refused: bool) -> None:
    assert (refused_inside(Event(data["type"], data, "")) is not None) == refused


def test_encrypted_reasoning_is_left_out_where_it_cant_be_read() -> None:
    encrypted = {"type": "reasoning", "summary": [], "encrypted_content": "g"}
    spoken = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    asked = {"role": "user", "content": "a"}
    compacted = {"type": "compaction", "encrypted_content": "c"}
    body = {"model": "m", "input": [asked, encrypted, spoken | encrypted, compacted]}
    assert without_encrypted(body) == {"model": "m", "input": [asked, spoken, compacted]}
    assert without_encrypted({"input": [asked, spoken, compacted]}) is None
    assert without_encrypted({"input": "a"}) is None
    assert input_items(body)[1] == encrypted


def test_errors_about_reasoning_are_told_apart() -> None:
    unreadable = error(400, message="The encrypted content gA could not be verified.", code="invalid_encrypted_content")
    missing = error(400, message="Item 'fc' was provided without its required 'reasoning' item: 'rs'.")
    assert [refuses_reasoning(unreadable), lacks_reasoning(unreadable)] == [True, False]
    assert [refuses_reasoning(missing), lacks_reasoning(missing)] == [False, True]
