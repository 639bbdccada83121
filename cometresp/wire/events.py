"""The events of a response, what their types mean, and the statuses of a response."""

from cometresp.tuples import NamedTuple
from cometresp.wire.error_bodies import error_in
from cometresp.wire.json import Json

# Statuses of a response (API 6.2).
TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})
TERMINAL_EVENTS = {f"response.{status}": status for status in TERMINAL}
PENDING = ("queued", "in_progress")
GOOD = ("completed", "incomplete")  # there is an answer
CANCELLED = ("cancelled", "canceled")
# Statuses of other servers that mean that nothing more comes, or that something does (API 6.2).
_ENDED = TERMINAL | {
    *("aborted", "blocked", "canceled", "complete", "deleted", "done", "error", "errored", "expired", "failure"),
    *("finished", "refused", "rejected", "stopped", "succeeded", "success", "terminated", "timed_out", "timeout"),
}
_UNENDED = frozenset(
    {
        *PENDING,
        *("accepted", "active", "cancelling", "canceling", "created", "delayed", "generating"),
        *("paused", "pending", "preparing", "processing", "requires_action", "resuming", "running", "scheduled"),
        *("searching", "started", "starting", "submitted", "validating", "waiting", "working"),
    }
)

# (type of the item, its field) for each delta that extends a field of an item.
FIELD_DELTAS = {
    "response.function_call_arguments.delta": ("function_call", "arguments"),
    "response.mcp_call_arguments.delta": ("mcp_call", "arguments"),
    "response.custom_tool_call_input.delta": ("custom_tool_call", "input"),
    "response.code_interpreter_call_code.delta": ("code_interpreter_call", "code"),
}
FIELD_DONE = {name.removesuffix("delta") + "done": place for name, place in FIELD_DELTAS.items()}

# (type of the item, its list of parts, type of the part, key of its index) for each delta that extends the text of a
# part.
PART_DELTAS = {
    "response.output_text.delta": ("message", "content", "output_text", "content_index"),
    "response.refusal.delta": ("message", "content", "refusal", "content_index"),
    "response.reasoning_text.delta": ("reasoning", "content", "reasoning_text", "content_index"),
    "response.reasoning_summary_text.delta": ("reasoning", "summary", "summary_text", "summary_index"),
}
PART_DONE = {name.removesuffix("delta") + "done": place for name, place in PART_DELTAS.items()}

# (list of parts, key of the index, whether the part is complete) for each event with the JSON of a part.
PART_EVENTS = {
    "response.content_part.added": ("content", "content_index", False),
    "response.content_part.done": ("content", "content_index", True),
    "response.reasoning_summary_part.added": ("summary", "summary_index", False),
    "response.reasoning_summary_part.done": ("summary", "summary_index", True),
}


def may_go_on(status: object) -> bool:
    """Whether a response of this status may still change: an unknown word may, a missing one doesn't (API 6.2)."""
    return bool(status) and _word(status) not in _ENDED


def canonical(status: str) -> str:
    """A status of the API as the API spells it; any other as it is."""
    word = _word(status)
    return word if word in TERMINAL or word in PENDING else status


def is_known(status: object) -> bool:
    """Whether the word is one of those that say whether the response has ended."""
    return _word(status) in _ENDED | _UNENDED


def _word(status: object) -> str:
    return str(status).strip().lower().replace("-", "_").replace(" ", "_")


def response_in(kind: str, data: Json) -> Json:
    """The response that an event of this type carries, or {}. Some servers send it as the event itself (API 12.16)."""
    response = data.get("response")
    if isinstance(response, dict):
        return response
    if is_response(data) or (kind in TERMINAL_EVENTS and any(key in data for key in ("id", "output", "status"))):
        return {key: value for key, value in data.items() if key not in ("type", "sequence_number")}
    return {}


def is_response(data: object) -> bool:
    """Whether JSON is a response object. Servers leave fields out, so a few of them are enough (API 12.3)."""
    if not isinstance(data, dict):
        return False
    if data.get("object") == "response":
        return True
    return data.get("object") is None and isinstance(data.get("output"), list) and "status" in data


class Event(NamedTuple):
    """A server-sent event, or a whole reply as the event `response.<status>`.

    `type` is the `type` in the data, or the name of the SSE event if the data has none (API 7.1). `data` is the JSON
    object, or {} if the frame had JSON of another kind. `raw` is the JSON text as it came; `whole` marks a whole reply.
    `more`: the next event came with it, so that what is written can wait for that one.
    """

    type: str
    data: Json
    raw: str
    whole: bool = False
    more: bool = False

    @property
    def response(self) -> Json:
        """The response in the event, or {}."""
        return response_in(self.type, self.data)

    @property
    def status(self) -> object:
        """The status of that response as the server sent it, or None."""
        return self.response.get("status")

    def with_reason(self, error: Json) -> "Event":
        """The event of a failed response, with the error that came after it unless it has one (API 7.4)."""
        response = self.response
        return self._replace(data={**self.data, "response": {**response, "error": response.get("error") or error}})

    @property
    def error(self) -> Json | None:
        """The error that the event carries; an event of type `error` is one itself (API 7.4)."""
        return error_in(self.data) or (self.data if self.type == "error" else None)

    @property
    def failure(self) -> Json | None:
        """The error of the event, or of the response in it."""
        return self.error or error_in(self.response)
