"""The replies that faults send in place of the API's: errors of many forms, a page, nothing."""

import json

from cometresp.emulator.errors import ApiError
from cometresp.emulator.framing import dump
from cometresp.emulator.rules import Json
from cometresp.tuples import NamedTuple

EVENT_STREAM = "text/event-stream; charset=utf-8"
_CODES = {"401": "invalid_api_key", "429": "rate_limit_exceeded"}
_REASON = "The emulator misbehaves because --fault asked it to."
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Emulated</title></head><body><h1>Not the API</h1></body></html>\n"
_ELSEWHERE = "https://redirected.invalid/"
_RESETS_IN = "3600"


class Replacement(NamedTuple):
    """A reply that is sent in place of the API's reply; with status 0 the connection is closed without one."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]


def replacement(kind: str, argument: str | None, request_id: str, previous: str | None) -> Replacement:
    """The reply of a fault; `previous` is the `previous_response_id` of the request."""
    message = f"{_REASON} (request id: {request_id})"
    match kind:
        case "drop":
            return Replacement(0, "", b"", {})
        case "html":
            return Replacement(200, "text/html; charset=utf-8", _PAGE, {})
        case "empty":
            return Replacement(200, "application/json", b"", {})
        case "redirect":
            return Replacement(301, "text/html; charset=utf-8", b"", {"Location": _ELSEWHERE})
        case "quota":
            return _error(ApiError(429, _REASON, code="insufficient_quota"), request_id)
        case "quota_type":
            return _json(429, {"message": message, "type": "insufficient_quota", "param": None, "code": None})
        case "usage_limit":
            seconds = int(argument or _RESETS_IN)
            return _json(429, {"type": "usage_limit_reached", "message": message, "resets_in_seconds": seconds})
        case "sse_error":
            error = _error(ApiError(200, _REASON, code="server_error"), request_id)
            return error._replace(content_type=EVENT_STREAM)
        case "forgotten":
            text = f"Response with id '{previous}' not found."
            return _error(ApiError(int(argument or "404"), text, param="response_id", code="not_found"), request_id)
        case status:
            after = {} if argument is None else {"Retry-After": argument}
            error = _error(ApiError(int(status), _REASON, code=_CODES.get(status, "emulated_fault")), request_id)
            return error._replace(headers=after)


def previous_of(body: bytes) -> str | None:
    """The `previous_response_id` of a request's body, if it has one."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return None
    previous = request.get("previous_response_id") if isinstance(request, dict) else None
    return previous if isinstance(previous, str) else None


def _error(error: ApiError, request_id: str) -> Replacement:
    return Replacement(error.status, "application/json", dump(error.body(request_id)), {})


def _json(status: int, error: Json) -> Replacement:
    return Replacement(status, "application/json", dump({"error": error}), {})
