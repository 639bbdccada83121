"""What is an error, and what it says: every shape that servers send, wherever it comes."""

from typing import Any

import pytest

from cometresp.errors import ErrorDetails
from cometresp.wire.error_bodies import error_in, explain, read_error
from cometresp.wire.events import Event

OPENAI = {"message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": "unsupported_value"}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"error": OPENAI}, OPENAI),
        ({"error": "no"}, {"message": "no"}),
        ({"success": False, "message": "no"}, {"success": False, "message": "no"}),
        ({"error": [{"msg": "no"}]}, {"error": [{"msg": "no"}]}),
        ({"error": None}, None),
        ({"error": {}}, None),
        ({"error": ""}, None),
        ({"id": "r1", "object": "response", "error": None}, None),
        ({"success": True}, None),
        ({}, None),
        ([], None),
        ("error", None),
    ],
)
def test_an_error_is_found_where_there_is_one(data: Any, error: Any) -> None:
    assert error_in(data) == error
    if isinstance(data, dict):
        assert Event("x", data, "").error == error
        assert Event("error", data, "").error == (data if error is None else error)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": OPENAI}, "too hot"),
        (OPENAI, "too hot"),
        ({"error": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body", "model"], "msg": "missing"}, {"msg": "x"}]}, "body.model: missing; x"),
        ({"title": "no", "status": 400}, "no"),
        ({"code": 1, "msg": "no"}, "no"),
        ({"error_msg": "no"}, "no"),
        ({"other": "no"}, None),
        (None, None),
    ],
)
def test_the_message_of_an_http_error_is_read_from_any_shape(body: Any, message: str | None) -> None:
    assert read_error(body).message == message


@pytest.mark.parametrize(
    ("error", "explained"),
    [
        (OPENAI, ("too hot", ErrorDetails(code="unsupported_value", param="temperature"))),
        ({"type": "server_error"}, ("no reason given", ErrorDetails(code="server_error"))),
        ({"type": "error", "message": "flat"}, ("flat", ErrorDetails())),
        ({"code": 500, "message": "n"}, ("n", ErrorDetails(code="500"))),
    ],
)
def test_an_error_inside_a_200_is_explained(error: dict[str, Any], explained: tuple[str, ErrorDetails]) -> None:
    message, details = explained
    assert explain(error) == (message, details._replace(body=error))
