"""Which JSON is an error, and what it says, whatever shape a server gives it (API 7.4, 8.1, 8.4, 12.6).

The only place that knows the shapes: HTTP error bodies, 200 replies, stream events and failed responses are read here.
An error may hold another, as an object, in a list or as JSON text: the inner ones are read too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cometresp.errors import ErrorDetails
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, null, obj, text

# The keys below are compared without case and underscores, so that `errorMessage` is `error_message`.
_MESSAGE_KEYS = (
    "message",
    "msg",
    "errormessage",
    "errormsg",
    "errordescription",
    "detail",
    "error",
    "errors",
    "title",
    "reason",
    "description",
    "details",
    "response",
    "body",
    "data",
)
_INNER_KEYS = ("error", "errors", "detail", "message", "msg", "response", "body")  # what an error may be wrapped in
# What a gateway calls the answer of the provider behind it, also inside `metadata`.
_BEHIND_KEYS = ("raw", "rawerror", "innererror", "originalerror", "providererror", "upstreamerror", "upstream", "cause")
_SECONDS_KEYS = ("resetsinseconds", "resetinseconds", "resetafterseconds", "resetsin")
_MOMENT_KEYS = ("resetsat", "resetat", "resettime")
_ANY_ERROR = ("error", "response.error")  # types of events that say nothing of the error
_NO_MESSAGE = ("ok", "success", "succeeded", "none", "null")
_DEEPEST = 6
_LONGEST_REASON = 500
_LONGEST_MESSAGE = 2000
_LONGEST_NAME = 200  # of a code, a type or a parameter
_BAD_STATUS = 400

# A `type` that names an error, where another is the name of an event: a word, or the address of a problem (RFC 9457).
# Patterns of this module are compiled where an error is read, not at each start.
_ERROR_TYPE = (
    r"(?i)^[^.]*(error|exception|fault)$|^[^.]*(quota|denied|forbidden|overloaded|unavailable|not_found)[^.]*$|[:/]"
)
_FAMILY = r"(?i)(error|exception)$|[:/\s]"  # a type that says less than a code
_ABOUT_AN_ITEM = r"response\.(\w+_call|mcp_list_tools)\."  # events whose `error` is that of a call
_MARKUP = r"(?s)<(script|style).*?</\1>|<[^>]*>"


class Report(NamedTuple):
    """What an error says, each fact on one line and no longer than it can be shown.

    `kind` is its type; `names` are all codes and types in it, as in `insufficient_quota`.
    """

    message: str | None = None
    code: str | None = None
    kind: str | None = None
    param: str | None = None
    names: frozenset[str] = frozenset()


def error_in(data: object) -> Json | None:
    """The error that a reply, an event or a response carries, as an object; None where it carries none.

    An event with a type of its own is an error only if it has an `error`; a response is one only by its `error`.
    """
    if isinstance(data, list):
        return next((found for entry in data if isinstance(entry, dict) and (found := error_in(entry))), None)
    given = obj(data)
    kind = text(given.get("type"))
    if kind.startswith("response.") and re.match(_ABOUT_AN_ITEM, kind):
        return None
    error = given.get("error")
    if error and not _is_blank(error):
        return _as_object(error, given)
    is_event = kind not in ("", *_ANY_ERROR) and not re.search(_ERROR_TYPE, kind)
    if is_event or given.get("object") not in (None, "", "error") or ("output" in given and "status" in given):
        return None
    if _is_flat_error(given, kind):
        return given
    inner = given.get("response")
    return error_in(inner) if inner and not kind else None


def read_error(data: object) -> Report:
    """What an error says: the body of an HTTP error, or what `error_in` found."""
    layers = [_fields(layer) for layer in _layers(data)]
    codes = [code for layer in layers if (code := _on_line(_code(layer) or "", _LONGEST_NAME))]
    given = [_on_line(text(layer.get("type")), _LONGEST_NAME) for layer in layers]
    kinds = [kind for kind in given if kind and kind.lower() not in _ANY_ERROR]
    params = [param for layer in layers if (param := _on_line(text(layer.get("param")), _LONGEST_NAME))]
    words = [code for code in codes if not code.lstrip("-").isdigit()]
    message, resets = _on_line(message_of(data) or "", _LONGEST_MESSAGE), _on_line(_resets(layers), _LONGEST_NAME)
    return Report(
        message=f"{message or 'the limit is reached'}; it resets {resets}" if resets else message or None,
        code=words[-1] if words else codes[0] if codes else None,
        kind=kinds[-1] if kinds else None,
        param=params[-1] if params else None,
        names=frozenset(_snake(name) for name in (*codes, *kinds)),
    )


def _on_line(given: str, longest: int) -> str:
    """Text on one line, cut to so many characters."""
    line = " ".join(given.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def code_of(report: Report) -> str | None:
    """The code of an error, or its type, unless that is only a family as `invalid_request_error` is."""
    if report.code or report.kind is None or re.search(_FAMILY, report.kind):
        return report.code
    return report.kind


def message_of(error: object, depth: int = 0) -> str | None:
    """The message of an error, and the reason behind it that a gateway passes on; None where it has neither."""
    if depth > _DEEPEST:
        return None
    if isinstance(error, str):
        before, inner = _json_in(error)
        found = None if inner is None else message_of(inner, depth + 1)
        return f"{before} {found}".strip() if found else error.strip() or None
    if isinstance(error, list):
        return "; ".join(line for entry in error if (line := message_of(entry, depth + 1))) or None
    if not isinstance(error, dict):
        return None
    fields = _fields(error)
    message = next((found for key in _MESSAGE_KEYS if (found := _message_at(fields, key, depth))), None)
    place = fields.get("loc") or fields.get("field")  # FastAPI: [{loc, msg}]
    if message and place:
        message = f"{'.'.join(map(str, place)) if isinstance(place, list) else place}: {message}"
    reason = _reason_behind(fields, depth)
    if not message or not reason or message in reason:
        return reason or message
    return message if reason in message else f"{message}: {reason}"


def without_markup(page: str) -> str:
    """The text of HTML on one line."""
    return " ".join(re.sub(_MARKUP, " ", page).split())


def explain(error: Json) -> tuple[str, ErrorDetails]:
    """Message and details of an error that came inside a 200 reply (API 7.4, 8.4)."""
    report = read_error(error)
    kind = report.kind if report.kind and not re.search(r"[:/\s]", report.kind) else None
    details = ErrorDetails(code=report.code or kind, param=report.param, body=error or None)
    return report.message or "no reason given", details


# finding the error --------------------------------------------------------------------------------------------------


def _is_blank(error: object) -> bool:
    """Whether an `error` says nothing: some servers send the object with empty fields."""
    return isinstance(error, dict) and not any(error.values())


def _as_object(error: object, given: Json) -> Json:
    """The `error` of an object, which may be text or a list; codes and reasons beside it are kept."""
    inner = _json_in(error)[1] if isinstance(error, str) else error
    if isinstance(inner, dict):
        deeper = inner.get("error")
        alone = isinstance(deeper, dict) and not message_of({**inner, "error": None})
        return _as_object(deeper, inner) if alone else inner
    if isinstance(error, str):
        beside = {key: value for key, value in given.items() if key not in ("type", "error", "sequence_number")}
        return {"message": error} if not message_of(beside) else {**beside, "error": error}
    return given


def _is_flat_error(given: Json, kind: str) -> bool:
    """Whether an object without an `error`, which is neither an event nor a response, is an error itself."""
    if kind in _ANY_ERROR or given.get("object") == "error" or given.get("success") is False:
        return True
    fields = _fields(given)
    if any(fields.get(key) and isinstance(fields[key], str | list | dict) for key in ("detail", "errors")):
        status = text(fields.get("status"))
        return not status or status.isdigit() or _says_failure(status)
    if message_of(given) is None:
        return False
    return bool(kind) or any(_says_failure(fields.get(key)) for key in ("code", "status", "statuscode", "errorcode"))


def _says_failure(status: object) -> bool:
    if isinstance(status, bool) or not isinstance(status, str | int):
        return False
    try:
        number = int(status)
    except ValueError:
        word = str(status).strip().lower()
        return bool(re.search(r"error|invalid|fail|denied|exceed|quota|unavailable|overloaded", word))
    return number >= _BAD_STATUS or number < 0


# reading it ---------------------------------------------------------------------------------------------------------


def _fields(error: Json) -> dict[str, Any]:
    return {key.replace("_", "").lower(): value for key, value in reversed(error.items())}


def _json_in(given: str) -> tuple[str, object]:
    """JSON in a text: the words before it, and its value, None where there is none that tells of an error."""
    start = given.find("{")
    if given.lstrip().startswith("["):
        start = given.find("[")
    if start < 0:
        return "", None
    try:
        value = json.loads(given[start:], parse_constant=null)
    except (ValueError, RecursionError):
        return "", None
    before = given[:start].strip()
    return before, value if not before or error_in(value) is not None else None


def _layers(error: object, depth: int = 0) -> Iterator[Json]:
    """The objects that tell of one error, the outermost first."""
    if isinstance(error, str):
        error = _json_in(error)[1]
    if isinstance(error, list):
        error = next((entry for entry in error if isinstance(entry, dict)), None)
    if not isinstance(error, dict) or depth > _DEEPEST:
        return
    yield error
    fields = _fields(error)
    for key in _INNER_KEYS:
        yield from _layers(fields.get(key), depth + 1)
    for holder in (fields, _fields(obj(fields.get("metadata")))):
        for key in _BEHIND_KEYS:
            yield from _layers(holder.get(key), depth + 1)


def _message_at(fields: Mapping[str, Any], key: str, depth: int) -> str | None:
    value = fields.get(key)
    if key == "errors" and isinstance(value, dict) and message_of(value, depth + 1) is None:  # {field: [message]}
        lines = [f"{name}: {line}" for name, each in value.items() if (line := message_of(each, depth + 1))]
        return "; ".join(lines) or None
    found = message_of(value, depth + 1)
    return None if found is None or found.lower() in _NO_MESSAGE else found


def _reason_behind(fields: Mapping[str, Any], depth: int) -> str | None:
    for holder in (_fields(obj(fields.get("metadata"))), fields):
        for key in _BEHIND_KEYS:
            if found := message_of(holder.get(key), depth + 1):
                return (without_markup(found) if "<" in found else found)[:_LONGEST_REASON]
    return None


def _code(fields: Mapping[str, Any]) -> str | None:
    """The code of one object. OAuth has a word as `error` beside the description."""
    for key in ("code", "errorcode"):
        value = fields.get(key)
        if value and isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    word = text(fields.get("error"))
    described = any(fields.get(key) for key in ("errordescription", "message", "msg", "detail"))
    return word if described and re.fullmatch(r"[a-z]+(_[a-z]+)+", word) else None


def _snake(name: str) -> str:
    """`insufficient_quota` for `InsufficientQuota` and `insufficient-quota` too."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[-\s]+", "_", name).lower()


# when a limit resets ------------------------------------------------------------------------------------------------


def _resets(layers: list[dict[str, Any]]) -> str:
    """`in 2 h 5 min (2026-11-26 14:30 UTC)`; "" where nothing says when a limit resets."""
    held = [fields for layer in layers for fields in (layer, _fields(obj(layer.get("metadata"))))]
    spans = [_number(fields.get(key)) for fields in held for key in _SECONDS_KEYS]
    moments = [_moment(fields.get(key)) for fields in held for key in _MOMENT_KEYS]
    moment = next(filter(None, moments), "")
    for seconds in filter(None, spans):
        return f"in {_span(seconds)}" + (f" ({moment})" if moment else "")
    return f"at {moment}" if moment else ""


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 1e14 else None  # noqa: PLR2004 - more is no time


def _span(seconds: float) -> str:
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    shown = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(shown[:2]) or f"{whole} s"


def _moment(value: object) -> str:
    """A moment that came as ISO text, or as seconds or milliseconds since 1970."""
    number = _number(value)
    if number is None:
        return text(value)[:40].strip()
    from datetime import UTC, datetime

    seconds = number / 1000 if number > 1e11 else number  # noqa: PLR2004 - in seconds that is the year 5138
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return ""
