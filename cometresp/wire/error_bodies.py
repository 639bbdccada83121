"""Which JSON is an error, and what it says, whatever shape a server gives it (API 7.4, 8.1, 8.4, 12.6).

The only place that knows the shapes: HTTP error bodies, 200 replies, stream events and failed responses are read here.
"""

from cometresp.errors import ErrorDetails
from cometresp.wire.json import Json, listed, obj, text

_MESSAGE_KEYS = ("message", "error", "detail", "title", "msg", "error_msg")


def error_in(data: object) -> Json | None:
    """The error that a reply, an event or a response carries, as an object; None where it carries none."""
    error = obj(data).get("error")
    if isinstance(error, str) and error:
        return {"message": error}
    if error:
        return error if isinstance(error, dict) else obj(data)
    return obj(data) if obj(data).get("success") is False else None


def error_object(data: object) -> Json:
    """The error in the body of an HTTP error: `error` if it is an object, else the whole body (API 8.1)."""
    error = obj(data).get("error")
    return error if isinstance(error, dict) else obj(data)


def message_of(error: Json) -> str | None:
    """The message of an error object, or None."""
    for key in _MESSAGE_KEYS:
        value = error.get(key)
        if found := text(value):
            return found
        lines = [  # FastAPI: [{loc, msg}]
            ".".join(map(str, entry.get("loc") or [])) + f": {entry.get('msg')}" for entry in listed(value)
        ]
        if lines:
            return "; ".join(lines)
    return None


def explain(error: Json) -> tuple[str, ErrorDetails]:
    """Message and details of an error that came inside a 200 reply (API 7.4, 8.4)."""
    code = error.get("code") or error.get("type")
    details = ErrorDetails(code=str(code) if code and code != "error" else None, param=error.get("param") or None)
    return message_of(error_object({"error": error})) or "no reason given", details
