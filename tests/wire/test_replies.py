"""Whole replies as exceptions: what is retried, and which statuses may go on."""

import json
from typing import Any

import pytest

from cometresp.wire.events import is_known, may_go_on
from cometresp.wire.payload import Payload
from cometresp.wire.replies import Reply, error_of


def failed(status: int, error: Any, **headers: str) -> tuple[int, bool]:
    """Exit code, and whether another try may succeed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = error_of(Reply(status, named, json.dumps({"error": error}).encode()))
    return int(error.exit_code), error.passing


@pytest.mark.parametrize(
    ("status", "name", "outcome"),
    [
        (429, "rate_limit_exceeded", (75, True)),
        (429, "tokens", (75, True)),
        (429, "token_quota_per_minute", (75, True)),
        (429, "insufficient_capacity", (75, True)),
        (429, "insufficient_quota", (77, False)),
        (429, "InsufficientQuota", (77, False)),
        (429, "quota_exceeded", (77, False)),
        (429, "insufficient_balance", (77, False)),
        (429, "credit_balance_exhausted", (77, False)),
        (429, "billing_hard_limit_reached", (77, False)),
        (429, "usage_limit_reached", (77, False)),
        (429, "exceeded_current_quota_error", (77, False)),
        (503, "load_balancer_error", (69, True)),
        (500, "do_request_failed", (69, True)),
        (502, "invalid_request", (65, False)),
        (400, "insufficient_quota", (65, False)),
    ],
)
def test_the_code_or_the_type_says_whether_an_allowance_is_spent(
    status: int, name: str, outcome: tuple[int, bool]
) -> None:
    assert failed(status, {"message": "no", "code": name}) == outcome
    assert failed(status, {"message": "no", "code": None, "type": name}) == outcome
    assert failed(status, {"message": "no", "code": status, "type": name}) == outcome


@pytest.mark.parametrize("creates", [True, False])
def test_only_a_new_response_is_worth_another_try_after_a_conflict(creates: bool) -> None:
    error = error_of(Reply(409, {}, b"{}"), creates=creates)
    assert (error.exit_code, error.passing) == ((69, True) if creates else (65, False))
    asked = error_of(Reply(409, {"x-should-retry": "true"}, b"{}"), creates=creates)
    assert asked.passing


def test_a_redirect_is_never_tried_again() -> None:
    assert not error_of(Reply(301, {"x-should-retry": "true"}, b"")).passing


def test_a_header_that_is_too_long_to_be_shown_is_left_out_or_cut() -> None:
    error = error_of(Reply(400, {"x-request-id": "r" * 10_000}, b'{"error": "no (request id: a)"}'))
    assert (error.message, error.details.request_id) == ("HTTP 400: no (request id: a)", "a")
    error = error_of(Reply(302, {"location": "https://h/" + "x" * 10_000}, b""))
    assert error.message == "not the Responses API: HTTP 302, to https://h/" + "x" * 490


@pytest.mark.parametrize(
    ("status", "may", "known"),
    [
        *((word, True, True) for word in ("queued", "in_progress", "requires_action", "cancelling", "In-Progress")),
        *((word, False, True) for word in ("completed", "failed", "expired", "canceled", "timeout", "ERROR")),
        ("wobbling", True, False),
        (None, False, False),
        ("", False, False),
        (7, True, False),
    ],
)
def test_an_unknown_status_may_go_on(status: object, may: bool, known: bool) -> None:
    assert (may_go_on(status), is_known(status)) == (may, known)


def test_nothing_that_isnt_json_is_sent() -> None:
    value = {"a": [float("nan"), float("inf"), float("-inf")], "b": 'NaN "Infinity" \\', "c": 1.5}
    payload = Payload(value)
    body = b"".join(payload)
    assert body == b'{"a":[null,1e999,-1e999],"b":"NaN \\"Infinity\\" \\\\","c":1.5}'
    assert payload.length == len(body)
