"""The status, headers and body of a reply that is an error: one of our errors, with its exit code, told on one line.

An input is the status, a line for each header, an empty line, and the body.
"""

import json
import re
from collections.abc import Iterator

import httpx

from cometresp.errors import CometrespError, ExitCode
from cometresp.text import json_bytes, valid_json
from cometresp.wire.error_bodies import error_in, explain
from cometresp.wire.replies import Reply, error_of, not_the_api, refusal, retry_after
from tests.fuzz.streams import TARGET as STREAMS
from tests.fuzz.target import Target

_LONGEST = 3000  # characters of a message
_LONGEST_HINT = 200
_SPENT_OR_LIMITED = {ExitCode.KEY, ExitCode.RATE_LIMITED}
_FAULTS = {ExitCode.UNREACHABLE, ExitCode.REFUSED, ExitCode.KEY}  # 5xx, and what is disguised as one
_CODES = {
    401: {ExitCode.KEY},
    402: {ExitCode.KEY},
    403: {ExitCode.KEY},
    407: {ExitCode.CONFIG},
    408: {ExitCode.UNREACHABLE},
    429: _SPENT_OR_LIMITED,
}
_FIELD = re.compile(rb"[!#-'*+.^_`|~0-9A-Za-z-]+")  # the name of a header
_NO_VALUE = re.compile(rb"[^\t\x20-\x7e\x80-\xff]")


def check(data: bytes) -> None:
    status, headers, body = parsed(data)
    reply = Reply(status, headers, body)
    for creates in (True, False):
        error = error_of(reply, creates=creates)
        _check_error(error)
        assert error.exit_code in _allowed(status, creates=creates), f"HTTP {status} is exit {error.exit_code}"
    if reply.json() is None and 400 <= status < 500:
        assert error.exit_code != ExitCode.REFUSED or error.cause is not None, "65 for what isn't JSON"
    for other in (not_the_api(reply, "POST /v1/responses", headers.get("content-type", "")), refusal(reply)):
        _check_error(other)
    inside = error_in(reply.json())
    if inside is not None:
        message, details = explain(inside)
        _check_text(message, _LONGEST)
        assert details.body is not None or not inside
    wait = retry_after(headers, 1e9)
    assert wait is None or wait >= 0


def _allowed(status: int, *, creates: bool) -> set[ExitCode]:
    """The exit codes that the status allows (docs/exit-codes.md)."""
    if status in _CODES:
        return _CODES[status]
    if status >= 500:
        return _FAULTS
    if status < 400:
        return {ExitCode.PROTOCOL}
    return {ExitCode.UNREACHABLE} if status == 409 and creates else {ExitCode.REFUSED, ExitCode.PROTOCOL}


def _check_error(error: CometrespError) -> None:
    _check_text(error.message, _LONGEST)
    _check_text(error.hint, _LONGEST_HINT)
    for fact in error.details[:4]:
        assert fact is None or len(str(fact)) < _LONGEST, "a detail is too long"
    assert json.loads(json_bytes(valid_json(json.dumps(error.as_dict(), ensure_ascii=False))))


def _check_text(text: str, longest: int) -> None:
    assert type(text) is str
    assert "\n" not in text, "a message has several lines"
    assert "\r" not in text, "a message has several lines"
    assert len(text) <= longest, "a message is too long"


def parsed(data: bytes) -> tuple[int, httpx.Headers, bytes]:
    """Status, headers and body; what no HTTP library would hand over is left out."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    status = int(first) if re.fullmatch(rb"[345]\d\d", first) else 400
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    kept = [(name, value) for name, value in pairs if _FIELD.fullmatch(name) and not _NO_VALUE.search(value)]
    return status, httpx.Headers(kept), body


# what to start from -------------------------------------------------------------------------------------------------

_STATUSES = (
    300,
    302,
    307,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    413,
    418,
    422,
    429,
    499,
    500,
    501,
    502,
    503,
    524,
    529,
)
_SHAPES = (
    '{"error": {"message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": "bad"}}',
    '{"detail": [{"loc": ["body", "model"], "msg": "missing"}, {"msg": "x"}]}',
    '{"title": "One", "type": "https://h/e", "status": 400, "errors": {"model": ["is missing"], "input": "is empty"}}',
    '{"error": {"message": "P - {\\"error\\": {\\"message\\": \\"no\\", \\"code\\": 7}}", "raw": "<b>no</b>"}}',
    '{"error": {"type": "usage_limit_reached", "resets_in_seconds": 3600, "resets_at": 1760000000}}',
    '[{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}]',
    '{"error": "insufficient_quota", "error_description": "no (request id: abc)"}',
    '{"code": "-1", "msg": "response not found", "success": false}',
    "<!DOCTYPE html><html><title>502</title><script>x</script><h1>Bad Gateway</h1></html>",
    "no healthy upstream",
    "",
)
_HEADERS = (
    *("x-request-id: r1", "x-cometapi-request-id: c1", "retry-after: 3", "retry-after-ms: 1.5", "retry-after: -1"),
    *("retry-after: Wed, 21 Oct 2026 07:28:00 GMT", "x-should-retry: true", "x-should-retry: FALSE"),
    *(
        "location: https://u:p@h/login?token=1",
        "content-type: text/html",
        "retry-after: Mon, 01 Jan 0001 00:00:00 +2359",
    ),
)
_KEYS = (
    *("error", "message", "errors", "detail", "msg", "code", "type", "param", "metadata", "raw", "innerError", "loc"),
    *("resets_at", "resets_in_seconds", "resetTime", "status", "statusCode", "success", "object", "response", "body"),
    *("field", "errorCode", "provider_error", "cause", "title", "reason", "description", "error_description"),
)
_SAID = (
    *('"previous_response_id"', '"insufficient_quota"', '"model_not_found"', '"rate_limit"', '"access_denied"'),
    *('"invalid_request"', '"a\\nb"', '"\\ud800"', '"' + "x" * 5000 + '"', "1e400", "-1e-400", "1e13", '"1e13"'),
    *(
        '"99999999999999999999"',
        '"{\\"error\\": {\\"message\\": \\"x\\"}}"',
        "[" * 80,
        '{"error":' * 12,
        '"(request id: a',
    ),
    *('"\\u202e"', '"   "', '"null"', '"response not found"', '"<p>x</p>"', '"<script>"', '"/responses/r1"'),
)


def _seeds() -> Iterator[bytes]:
    for n, shape in enumerate(_SHAPES):
        for status in _STATUSES[n % 2 :: 2]:
            header = _HEADERS[(n + status) % len(_HEADERS)]
            yield f"{status}\n{header}\n\n{shape}".encode()


TARGET = Target(
    check=check,
    seeds=tuple(_seeds()),
    words=(
        *(word.encode() for word in (*_SAID, *_HEADERS, *_SHAPES)),
        *(f'"{key}": {value}, '.encode() for key in _KEYS for value in ('"a"', "{}", "[]", "1", "null")),
        *(f'"{key}": {{'.encode() for key in _KEYS),
        *(f"{status}\n".encode() for status in _STATUSES),
        *(word for word in STREAMS.words if len(word) < 12),
    ),
    separator=b"\n",
)
