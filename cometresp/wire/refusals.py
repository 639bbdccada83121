"""Whether an error may mean that a server doesn't take an id or an item of an earlier turn (API 3.3, 10.3, 12.8)."""

import re

from cometresp.errors import Cause, CometrespError, ErrorDetails, RequestRefusedError
from cometresp.wire.error_bodies import explain
from cometresp.wire.events import Event
from cometresp.wire.items import input_items
from cometresp.wire.json import Json

_REFUSED = ("400", "404", "422")
_DISGUISED = ("500", "501", "502", "503")
# Codes in place of these statuses, of errors inside a 200.
# Patterns of this module are compiled where a server refuses something, not at each start.
_SAID = r"(?i)not_?found|invalid_?request|bad_?request|unprocessable|unsupported|validation"
_MISSING = r"(?i)not_?found|^404$"
# Parameters that a request has because of an earlier turn.
_OF_EARLIER = ("previous_response_id", "response_id", "id", "input")
# Codes that are plainly about something else.
_OTHER = (
    r"(?i)model|tool|context|content|policy|policies|safety|moderation|prompt|schema|format|image|file|audio|quota|billing"
    r"|balance|rate_limit|api_key|auth|permission|access|max_|length|temperature|top_p|effort|region|language"
)
# A response that isn't there, or a parameter that isn't taken, in a server's words.
_WORDED = (
    r"(?is)(response|conversation|\bid\b).*(not found|unknown|not exist|no longer|expired|no such|not stored)"
    r"|(no|unknown|find|invalid) (stored |previous )?response|previous.response"
)


def refuses_previous(error: CometrespError) -> bool:
    """Whether an error to a request with a `previous_response_id` may mean that the server doesn't know or take it.

    Wordings can't be listed, so each 400, 404 and 422 may, unless its code or parameter is plainly about something
    else; a 5xx only by its words, since it may pass.
    """
    return error.cause is Cause.PREVIOUS or _may_refuse(error.message, error.details)


def refused_inside(event: Event, *, started: bool = False) -> CometrespError | None:
    """The same for an error in a 200 reply before its first item: the refusal, or None (API 12.7).

    After the response was `started`, only an error that plainly tells of a missing response is one.
    """
    if (error := event.failure) is None:
        return None
    message, details = explain(error)
    plain = names_previous(message, details) or re.search(_MISSING, details.code or "") or re.search(_WORDED, message)
    if not _may_refuse(message, details) or (started and not plain):
        return None
    return RequestRefusedError(message, details=details, cause=Cause.PREVIOUS)


def unreadable_inside(event: Event) -> CometrespError | None:
    """The error of such an event that refuses encrypted reasoning, or None."""
    if (error := event.failure) is None:
        return None
    message, details = explain(error)
    refused = RequestRefusedError(message, details=details)
    return refused if refuses_reasoning(refused) else None


def _may_refuse(message: str, details: ErrorDetails) -> bool:
    code, param = details.code or "", details.param or ""
    if names_previous(message, details):
        return True
    if re.search(_OTHER, code) or (param and param.partition("[")[0] not in _OF_EARLIER):
        return False
    status = str(details.status or code)
    if status in _REFUSED or (details.status is None and re.search(_SAID, code)):
        return True
    return (status in _DISGUISED or details.status is None) and re.search(_WORDED, message) is not None


def names_previous(message: str, details: ErrorDetails) -> bool:
    """Whether an error says that it is about the `previous_response_id`."""
    if details.param == "previous_response_id" or details.code == "previous_response_not_found":
        return True
    return "previous response" in message.lower().replace("_", " ")


_NO_MODEL = r"(?i)(?:^|_)(?:unknown|invalid|unsupported|no)_model|model_(?:not|no|does)_"


def refuses_model(error: CometrespError) -> bool:
    """Whether the server doesn't know the model of the request, or doesn't offer it (API 8.2)."""
    details = error.details
    if re.search(_NO_MODEL, details.code or ""):
        return True
    return details.status in (400, 404, 422) and details.param == "model"


# reasoning ----------------------------------------------------------------------------------------------------------


def refuses_reasoning(error: CometrespError) -> bool:
    """Whether the server can't read the encrypted reasoning of an earlier turn: another one made it, or it expired."""
    if error.details.code == "invalid_encrypted_content":
        return True
    return isinstance(error, RequestRefusedError) and "encrypted" in error.message.lower()


def lacks_reasoning(error: CometrespError) -> bool:
    """Whether the server refuses a call without the reasoning that led to it."""
    return re.search(r"required .?reasoning.? item", error.message) is not None


def without_encrypted(body: Json) -> Json | None:
    """The body without encrypted reasoning; None if it has none."""
    items = input_items(body)
    if not any(_is_encrypted(item) for item in items):
        return None
    kept = [item for item in items if item.get("content") or not _is_encrypted(item)]
    return {**body, "input": [_bare(item) if _is_encrypted(item) else item for item in kept]}


def _bare(item: Json) -> Json:
    return {name: value for name, value in item.items() if name != "encrypted_content"}


def _is_encrypted(item: Json) -> bool:
    return item.get("type") == "reasoning" and bool(item.get("encrypted_content"))
