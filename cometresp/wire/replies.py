"""Replies that aren't an answer: error bodies of every shape, and when to retry (API 8, 12.6). Pure."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from cometresp.errors import (
    Cause,
    CometrespError,
    ConfigError,
    ErrorDetails,
    Hint,
    KeyProblemError,
    Next,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    UnreachableError,
)
from cometresp.text import quoted, shown_size, valid_json
from cometresp.tuples import NamedTuple
from cometresp.wire.error_bodies import code_of, message_of, read_error, without_markup
from cometresp.wire.json import null, unreadable
from cometresp.wire.refusals import names_previous
from cometresp.wire.urls import shown_url

# Codes and types of an exhausted balance or allowance, which a 429 or a 5xx may have (API 8.2).
_SPENT = r"(^|_)(quota|credits?|balance|billing|payment|funds|arrears)(_|$)|^usage_(limit|not)_|^plan_limit"
_PER_TIME = r"(^|_)(rate|rpm|tpm|minute|second|concurren\w*)(_|$)"  # a rate limit all the same
# Codes and types with which a 5xx means an error in the request: sending it again can't help (API 8.2).
_REQUEST_ERRORS = frozenset(
    {
        "invalid_request",
        "sensitive_words_detected",
        "prompt_blocked",
        "model_not_found",
        "bad_request_body",
        "convert_request_failed",
    }
)
_ACCESS_ERRORS = frozenset({"access_denied"})
# Statuses of a refused previous_response_id (API 10.3, 12.8).
_NO_PREVIOUS = frozenset({400, 404, 422, 500, 501, 502, 503})
_OVERLOADED = (502, 503, 504, 529)
DEFAULT_LIMIT = 256 << 20  # bytes of a whole reply, or of one event of a stream
_LONGEST_TEXT = 500
_LONGEST_ID = 200
_CHECK_URL = "is the base URL right? it usually ends in /v1"


class Reply(NamedTuple):
    """A whole reply: status, headers (case-insensitive, as in httpx) and body.

    `unreadable` says why a body couldn't be decoded, as in `compressed with zstd`; it is then left out.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    unreadable: str = ""

    def text(self) -> str:
        return self.body.decode("utf-8-sig", "replace")

    def json(self) -> Any:
        """The body as JSON, whatever its content type; None if it isn't JSON."""
        try:
            return json.loads(self.text(), parse_constant=null)
        except (ValueError, RecursionError):
            return None

    def unread(self) -> str:
        """What is in its JSON that can't be read, as in `an integer of more than 10000 digits`; "" for other bodies."""
        try:
            json.loads(self.text(), parse_constant=null)
        except (ValueError, RecursionError) as error:
            return unreadable(error)
        return ""

    def details(self) -> ErrorDetails:
        data = self.json()
        report = read_error(data)
        return ErrorDetails(
            status=self.status,
            code=code_of(report),
            request_id=self._request_id(report.message or ""),
            param=report.param,
            body=(self.text() or None) if data is None else data,
        )

    def _request_id(self, message: str) -> str | None:
        """The request id in the headers, else in the message (API 8.1)."""
        if value := request_id(self.headers):
            return value
        found = re.search(rf"\(request id: ([^)]{{1,{_LONGEST_ID}}})\)", message)
        return found[1] if found else None


_NOT_THE_API = "not the Responses API: "  # how the message of a reply begins that isn't the server's own


def bare_message(error: CometrespError) -> str:
    """The message of an error without `not the Responses API: `, for one that says it in other words."""
    return error.message.removeprefix(_NOT_THE_API)


def request_id(headers: Mapping[str, str]) -> str | None:
    """The request id in the headers of a reply (API 8.1), unless it is too long for one."""
    given = headers.get("x-cometapi-request-id") or headers.get("x-request-id") or ""
    return given if 0 < len(given) <= _LONGEST_ID else None


def error_of(reply: Reply, *, creates: bool = True) -> CometrespError:
    """The exception for a reply that isn't 2xx, chosen by its status before its body.

    `passing` is set if a retry may succeed; the header `x-should-retry` decides before everything else. `cause` is set
    if the server has no such endpoint, or refuses the `previous_response_id`. `creates`: the request was for a new
    response, for which a conflict (409) may pass.
    """
    error = _error_of(reply, creates=creates)
    asked = reply.headers.get("x-should-retry", "").strip().lower()
    if asked in ("true", "false") and reply.status >= 400:
        error.passing = asked == "true"
    return error


def _error_of(reply: Reply, *, creates: bool) -> CometrespError:
    status, details, names = reply.status, reply.details(), read_error(reply.json()).names
    message = error_line(reply, details)
    if error := _key_problem(status, names, message, details):
        return error
    if status == 429:
        return RateLimitedError(message, details=details, passing=True)
    cause = _cause(message, details)
    if status >= 500 and names & _REQUEST_ERRORS:
        return RequestRefusedError(message, hint=_hint(status, names), details=details, cause=cause)
    if cause is Cause.PREVIOUS:  # sending the same again can't help
        return RequestRefusedError(message, details=details, cause=cause)
    if status == 407:
        return ConfigError(f"the proxy wants a name and a password: {message}", details=details)
    if status == 408 or (status == 409 and creates) or status >= 500:
        return UnreachableError(message, hint=_hint(status, names), details=details, cause=cause, passing=True)
    if status < 400:
        target = shown_url(reply.headers.get("location", ""))[:_LONGEST_TEXT]
        return ProtocolError(
            f"{_NOT_THE_API}{message}" + (f", to {target}" if target else ""),
            hint=f"redirects are not followed; {_CHECK_URL}",
            details=details,
            cause=Cause.PATH,
        )
    if reply.json() is None:
        return ProtocolError(
            f"{_NOT_THE_API}{message}" + ("" if reply.unreadable else f", with {_what_came(reply)}"),
            hint="" if reply.unreadable else _CHECK_URL,
            details=details,
            cause=None if reply.unreadable else Cause.PATH,
        )
    return RequestRefusedError(message, hint=_hint(status, names), details=details, cause=cause)


def _hint(status: int, names: frozenset[str]) -> Hint:
    if "model_not_found" in names:
        return ("-m MODEL names another model; ", Next("models"), " lists those of the server")
    return "the server is overloaded or down: try again later" if status in _OVERLOADED else ""


def _key_problem(status: int, names: frozenset[str], message: str, details: ErrorDetails) -> KeyProblemError | None:
    """The exception where the key is refused, or its balance spent."""
    if status == 401:
        hint = "check the key in COMETAPI_KEY"
    elif status == 403 or (status >= 500 and names & _ACCESS_ERRORS):
        hint = "the key may not use this model, or the balance is spent"
    elif status == 402 or ((status == 429 or status >= 500) and any(map(_is_spent, names))):
        hint = "the quota or balance is spent"
    else:
        return None
    return KeyProblemError(message, hint=hint, details=details)


def _is_spent(name: str) -> bool:
    return bool(re.search(_SPENT, name)) and not re.search(_PER_TIME, name)


def _what_came(reply: Reply, kind: str = "a body that is not JSON") -> str:
    if reply.unreadable:
        return f"a body {reply.unreadable}"
    if why := reply.unread():
        return f"JSON with {why}"
    return kind if reply.body.strip() else "an empty body"


def _json_came(reply: Reply, kind: str) -> str:
    """What is wrong with a body that its type says is JSON; "" for another type."""
    if "json" not in kind:
        return ""
    return "JSON that is cut or broken" if reply.json() is None else "JSON of another kind"


def is_html(text: str) -> bool:
    return bool(re.search(r"(?i)<(!doctype|html|head|body|title|h1)\b", text))


def not_the_api(reply: Reply, request: str, kind: str) -> ProtocolError:
    """The exception for a 2xx reply with neither a response nor an error. `request`: the method and path."""
    kind = kind[:_LONGEST_ID]
    what = _what_came(reply, _json_came(reply, kind) or kind or "a body of no type")
    is_read = not (reply.unreadable or reply.unread())
    if is_html(page := reply.text()):
        what, said = kind if "html" in kind else f"HTML under {kind}" if kind else "HTML", None
    else:
        said = message_of(reply.json()) or (" ".join(page.split()) if kind == "text/plain" else None)
    return ProtocolError(
        f"{_NOT_THE_API}the reply to {request} is {what}" + (f": {quoted(said)}" if said else ""),
        hint=_CHECK_URL if is_read else "",
        details=reply.details(),
        cause=Cause.PATH if is_read else None,
    )


def too_large(what: str, limit: int) -> ProtocolError:
    """The exception for what is larger than the limit: asked for again, it would be as large."""
    return ProtocolError(
        f"{what} is larger than {shown_size(limit)} (--max-reply-size)", hint="a larger --max-reply-size takes it"
    )


def refusal(reply: Reply) -> RequestRefusedError:
    """The exception for a 2xx reply whose body reports a failure."""
    details = reply.details()
    return RequestRefusedError(error_line(reply, details), details=details)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after`, which is in seconds or an HTTP date (API 8.3)."""
    number = r"\d{1,12}(\.\d+)?"
    milliseconds, value = (headers.get(name, "").strip() for name in ("retry-after-ms", "retry-after"))
    if re.fullmatch(number, milliseconds):
        return float(milliseconds) / 1000
    if re.fullmatch(number, value):
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def error_line(reply: Reply, details: ErrorDetails) -> str:
    """`HTTP 400 unsupported_value: message (request id: …)`."""
    if reply.unreadable:
        message: str | None = _what_came(reply)
    else:
        message = read_error(reply.json()).message or without_markup(reply.text())[:_LONGEST_TEXT]
    head = f"HTTP {reply.status}" + (f" {details.code}" if details.code and details.code != str(reply.status) else "")
    line = f"{head}: {message}" if message else head
    if details.request_id and details.request_id not in line:
        line += f" (request id: {details.request_id})"
    return line


def written(value: object) -> str:
    """JSON text of a value, as `--events` prints it."""
    return valid_json(json.dumps(value, ensure_ascii=False))


# reading a body ----------------------------------------------------------------------------------------------------


def _cause(message: str, details: ErrorDetails) -> Cause | None:
    """Whether the path or the id is refused: a 404 of a server without the endpoint names the path (API 10.2)."""
    if details.status in _NO_PREVIOUS and names_previous(message, details):
        return Cause.PREVIOUS
    names_path = "/responses/" in message or "/conversations" in message
    if details.status in (405, 501) or (details.status == 404 and names_path):
        return Cause.PATH
    return None
