"""Replies that aren't an answer: error bodies of every shape, and when to retry (API 8, 12.6). Pure."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from cometresp.errors import (
    Cause,
    CometrespError,
    ErrorDetails,
    KeyProblemError,
    Next,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    UnreachableError,
)
from cometresp.wire.error_bodies import error_in, error_object, explain, message_of
from cometresp.wire.events import Event

# With one of these codes a 429 means an exhausted balance, not a rate limit (API 8.2).
_SPENT = ("insufficient_quota", "credit_balance_exhausted", "insufficient_user_quota", "billing_hard_limit_reached")
# Codes with which a 5xx means an error in the request (API 8.2).
_REQUEST_ERRORS = {500: "invalid_request", 503: "model_not_found"}
_RETRIED = frozenset({408, 409, 429})
_NO_PREVIOUS = frozenset({400, 404, 422, 500, 501})  # statuses of a refused previous_response_id (API 10.3, 12.8)
_LONGEST_TEXT = 500
_CHECK_URL = "is the base URL right? it usually ends in /v1"


class Reply(NamedTuple):
    """A whole reply: status, headers (case-insensitive, as in httpx) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        return self.body.decode("utf-8-sig", "replace")

    def json(self) -> Any:
        """The body as JSON, whatever its content type; None if it isn't JSON."""
        try:
            return json.loads(self.text())
        except (ValueError, RecursionError):
            return None

    def details(self) -> ErrorDetails:
        data = self.json()
        error = error_object(data)
        code = error.get("code")
        return ErrorDetails(
            status=self.status,
            code=str(code) if code not in (None, "") and not isinstance(code, dict | list) else None,
            request_id=self._request_id(message_of(error) or ""),
            param=str(error["param"]) if error.get("param") else None,
        )

    def _request_id(self, message: str) -> str | None:
        """The request id in the headers, else in the message (API 8.1)."""
        for name in ("x-cometapi-request-id", "x-request-id"):
            if value := self.headers.get(name):
                return value
        found = re.search(r"\(request id: ([^)]+)\)", message)
        return found[1] if found else None


def is_response(data: object) -> bool:
    """Whether JSON is a response object. Servers leave fields out, so a few of them are enough (API 12.3)."""
    if not isinstance(data, dict):
        return False
    if data.get("object") == "response":
        return True
    return data.get("object") is None and isinstance(data.get("output"), list) and "status" in data


def error_of(reply: Reply) -> CometrespError:
    """The exception for a reply that isn't 2xx, chosen by its status before its body.

    `passing` is set if a retry may succeed. `cause` is set if the server has no such endpoint, or refuses the
    `previous_response_id`.
    """
    details = reply.details()
    message = error_line(reply, details)
    status = reply.status
    if status == 401:
        return KeyProblemError(message, hint="check the key in COMETAPI_KEY", details=details)
    if status == 403:
        return KeyProblemError(message, hint="the key may not use this model, or the balance is spent", details=details)
    if status == 402 or (status == 429 and details.code in _SPENT):
        return KeyProblemError(message, hint="the quota or balance is spent", details=details)
    if status == 429:
        return RateLimitedError(message, details=details, passing=True)
    cause = _cause(message, details)
    if _is_request_error(status, details):
        hint = ("see: ", Next("ask", "-m MODEL")) if status == 503 else ""
        return RequestRefusedError(message, hint=hint, details=details, cause=cause)
    if status in _RETRIED or status >= 500:
        return UnreachableError(message, details=details, cause=cause, passing=True)
    if status < 400:
        target = reply.headers.get("location", "")
        return ProtocolError(
            f"not the Responses API: {message}" + (f", to {target}" if target else ""),
            hint=f"redirects are not followed; {_CHECK_URL}",
            details=details,
            cause=Cause.PATH,
        )
    if reply.json() is None:
        what = "an empty body" if not reply.body.strip() else "a body that is not JSON"
        return ProtocolError(
            f"not the Responses API: {message}, with {what}", hint=_CHECK_URL, details=details, cause=Cause.PATH
        )
    return RequestRefusedError(message, details=details, cause=cause)


def not_the_api(reply: Reply, request: str, kind: str) -> ProtocolError:
    """The exception for a 2xx reply with neither a response nor an error. `request`: the method and path."""
    what = "an empty body" if not reply.body else kind or "a body of no type"
    return ProtocolError(
        f"not the Responses API: the reply to {request} is {what}",
        hint=_CHECK_URL,
        details=reply.details(),
        cause=Cause.PATH,
    )


def refusal(reply: Reply) -> RequestRefusedError:
    """The exception for a 2xx reply whose body reports a failure."""
    details = reply.details()
    return RequestRefusedError(error_line(reply, details), details=details)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after`, which is in seconds or an HTTP date (API 8.3)."""
    number = re.compile(r"\d{1,12}(\.\d+)?")
    milliseconds, value = (headers.get(name, "").strip() for name in ("retry-after-ms", "retry-after"))
    if number.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    if number.fullmatch(value):
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def error_line(reply: Reply, details: ErrorDetails) -> str:
    """`HTTP 400 unsupported_value: message (request id: …)`."""
    message = message_of(error_object(reply.json()))
    if message is None:
        shown = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", reply.text())
        message = re.sub(r"\s+", " ", shown).strip()[:_LONGEST_TEXT]
    head = f"HTTP {reply.status}" + (f" {details.code}" if details.code and details.code != str(reply.status) else "")
    line = f"{head}: {message}" if message else head
    if details.request_id and details.request_id not in line:
        line += f" (request id: {details.request_id})"
    return line


# errors inside a 200 ------------------------------------------------------------------------------------------------


def refused_inside(event: Event) -> CometrespError | None:
    """The refusal of a `previous_response_id` in the first event of a 200 reply, else None (API 12.7, 12.8)."""
    error = event.error or error_in(event.response)
    if error is None:
        return None
    message, details = explain(error)
    if not _names_previous(message, details):
        return None
    return RequestRefusedError(message, details=details, cause=Cause.PREVIOUS)


# reading a body ----------------------------------------------------------------------------------------------------


def _cause(message: str, details: ErrorDetails) -> Cause | None:
    """Whether the path or the id is refused: a 404 of a server without the endpoint names the path (API 10.2)."""
    if details.status in _NO_PREVIOUS and _names_previous(message, details):
        return Cause.PREVIOUS
    names_path = "/responses/" in message or "/conversations" in message
    if details.status in (405, 501) or (details.status == 404 and names_path):
        return Cause.PATH
    return None


def _names_previous(message: str, details: ErrorDetails) -> bool:
    if details.param == "previous_response_id" or details.code == "previous_response_not_found":
        return True
    return "previous response" in message.lower().replace("_", " ")


def _is_request_error(status: int, details: ErrorDetails) -> bool:
    return _REQUEST_ERRORS.get(status) is not None and details.code == _REQUEST_ERRORS[status]
