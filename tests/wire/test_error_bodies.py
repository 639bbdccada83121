"""What is an error, and what it says: every shape that servers send, wherever it comes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import ErrorDetails
from cometresp.wire.error_bodies import code_of, error_in, explain, read_error
from cometresp.wire.events import Event

_KEYS = st.sampled_from(["error", "message", "detail", "errors", "type", "code", "metadata", "raw", "resets_at", "x"])
_PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["error", '{"error": "x"}'])
)
JSON = st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4))
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
        ({"id": "r1", "object": "response", "error": {"code": "", "message": ""}}, None),
        ({"id": "r1", "object": "response", "status": "failed", "detail": "no"}, None),
        ({"success": True}, None),
        ({"success": False, "type": "response.in_progress"}, None),
        ({"detail": "no", "type": "response.note"}, None),
        ({"detail": "no", "type": "keepalive"}, None),
        ({"message": "no", "type": "response.note", "code": 1}, None),
        ({"message": "no"}, None),
        ({"message": "ok", "code": 0}, None),
        ({"message": "ok", "code": 200, "data": {}}, None),
        ({"error": {"message": "no"}, "type": "response.mcp_call.failed"}, None),
        (["no"], None),
        ({"error": {"error": {"message": "no"}}}, {"message": "no"}),
        ({"error": '{"message": "no"}'}, {"message": "no"}),
        ({"code": "c", "error": "no"}, {"message": "no"}),
        ({"error": "no", "message": "why", "type": "error"}, {"message": "why", "error": "no"}),
        ({"error": True, "message": "no"}, {"error": True, "message": "no"}),
        ({"response": {"error": {"message": "no"}}}, {"message": "no"}),
        ([{"error": {"message": "no"}}], {"message": "no"}),
        *(
            (flat, flat)
            for flat in (
                {"detail": "no"},
                {"detail": {"message": "no"}},
                {"errors": [{"message": "no"}]},
                {"object": "error", "message": "no"},
                {"type": "error", "message": "no"},
                {"type": "BadRequestError", "message": "no"},
                {"type": "insufficient_quota", "message": "no"},
                {"type": "about:blank", "title": "no", "status": 500},
                {"code": "-1", "msg": "no"},
                {"statusCode": 500, "message": "no"},
                {"status": "error", "message": "no"},
            )
        ),
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
        ({"Message": "no"}, "no"),
        ({"errors": [{"message": "a"}, {"message": "b"}]}, "a; b"),
        (
            {"title": "One or more", "errors": {"model": ["is missing"], "input": "is empty"}},
            "model: is missing; input: is empty",
        ),
        ({"detail": {"error": {"message": "no"}}}, "no"),
        ({"response": {"error": {"message": "no"}}}, "no"),
        ({"error": {"message": '{"error": {"message": "no"}}'}}, "no"),
        ({"error": {"message": 'P - {"error": {"message": "no"}}'}}, "P - no"),
        ({"message": 'no such item: {"message": "hi"}'}, 'no such item: {"message": "hi"}'),
        ({"message": 'one of ["a", "b"]'}, 'one of ["a", "b"]'),
        ({"message": "generic", "metadata": {"raw": "no"}}, "generic: no"),
        ({"message": "generic", "metadata": {"raw": '{"error": {"message": "no"}}'}}, "generic: no"),
        ({"message": "generic", "raw": {"detail": "no"}}, "generic: no"),
        ({"message": "generic", "metadata": {"raw": "<html><b>no</b>\n</html>"}}, "generic: no"),
        ({"message": "it is no use", "innererror": {"message": "no"}}, "it is no use"),
        ({"message": "generic", "metadata": {"raw": ""}}, "generic"),
        (["a", "b"], "a; b"),
        ([{"error": {"message": "no"}}], "no"),
        ("no", "no"),
        ({"message": "", "error": "no"}, "no"),
        ({"message": {"code": 1}}, None),
        ({"other": "no"}, None),
        (None, None),
    ],
)
def test_the_message_of_an_http_error_is_read_from_any_shape(body: Any, message: str | None) -> None:
    assert read_error(body).message == message


@pytest.mark.parametrize(
    ("body", "code", "names"),
    [
        ({"error": OPENAI}, "unsupported_value", {"unsupported_value", "invalid_request_error"}),
        ({"error": {"type": "insufficient_quota", "code": None}}, "insufficient_quota", {"insufficient_quota"}),
        ({"error": {"type": "InsufficientQuota", "code": 429}}, "429", {"insufficient_quota", "429"}),
        ({"error": {"type": "BadRequestError", "code": ""}}, None, {"bad_request_error"}),
        ({"type": "https://h/p", "title": "no"}, None, {"https://h/p"}),
        ({"code": 500, "error": {"code": "inner"}}, "inner", {"500", "inner"}),
        (
            {"error": {"code": "400", "metadata": {"raw": '{"error": {"code": "too_long"}}'}}},
            "too_long",
            {"400", "too_long"},
        ),
        ({"error": "invalid_grant", "error_description": "no"}, "invalid_grant", {"invalid_grant"}),
        ({"errors": [{"code": "first"}, {"code": "second"}]}, "first", {"first"}),
        ({"error": {"code": True}}, None, set()),
    ],
)
def test_the_code_is_the_innermost_word_or_else_the_type(body: Any, code: str | None, names: set[str]) -> None:
    report = read_error(body)
    assert (code_of(report), set(report.names)) == (code, names)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "spent", "resets_in_seconds": 59}, "spent; it resets in 59 s"),
        ({"message": "spent", "resetsInSeconds": "3600"}, "spent; it resets in 1 h"),
        ({"message": "spent", "metadata": {"reset_at": 1764167400000}}, "spent; it resets at 2025-11-26 14:30 UTC"),
        ({"message": "spent", "resets_at": "tomorrow"}, "spent; it resets at tomorrow"),
        ({"message": "spent", "resets_at": 1e300, "resets_in_seconds": -1}, "spent"),
        ({"resets_in_seconds": 172_860}, "the limit is reached; it resets in 2 d 1 min"),
    ],
)
def test_the_message_says_when_a_limit_resets(error: Any, message: str) -> None:
    assert read_error({"error": error}).message == message


def test_what_an_error_says_is_on_one_line_and_not_longer_than_can_be_shown() -> None:
    report = read_error({"error": {"message": " a\r\n\tb\u2028c", "code": "x\ny", "type": "t\nu", "param": "p\nq"}})
    assert report == ("a b c", "x y", "t u", "p q", frozenset({"x_y", "t_u"}))
    report = read_error({"message": "x" * 10_000, "code": "y" * 10_000})
    assert (report.message, report.code) == ("x" * 1999 + "…", "y" * 199 + "…")


@given(JSON)
def test_any_json_can_be_read_as_an_error(data: Any) -> None:
    report = read_error(data)
    assert report.message is None or report.message.strip()
    assert error_in(data) is None or isinstance(error_in(data), dict)


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
