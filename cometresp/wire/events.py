"""What a server says, one event at a time; and the statuses of a response."""

from typing import NamedTuple

from cometresp.wire.json import Json, obj

# Statuses of a response (API 6.2).
TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})
PENDING = ("queued", "in_progress")
GOOD = ("completed", "incomplete")  # there is an answer


class Event(NamedTuple):
    """One server-sent event, or a whole reply as `response.<status>`.

    `type` is the data's own type, or the SSE event name where the data has none (API 7.1). `data` is the JSON object,
    empty where the frame held JSON of another kind. `raw` is the JSON text as it came; `whole` marks a whole reply.
    """

    type: str
    data: Json
    raw: str
    whole: bool = False

    @property
    def response(self) -> Json:
        """The response that the event carries; empty where it carries none."""
        return obj(self.data.get("response"))

    @property
    def status(self) -> object:
        """The status of that response, as the server wrote it; None where there is none."""
        return self.response.get("status")
