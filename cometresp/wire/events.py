"""What the wire says, nothing guessed."""

from typing import Any, NamedTuple

TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled"})

PENDING = ("queued", "in_progress")


class Event(NamedTuple):
    """One server-sent event (or one whole reply, as `response.<status>`).

    `type` is the data's own type, or the SSE event name where the data has none (API 7.1). `data` is the JSON object,
    empty where the frame held JSON of another kind. `raw` is the JSON text as it came; `whole` marks a whole reply.
    """

    type: str
    data: dict[str, Any]
    raw: str
    whole: bool = False


def status_of(event: Event) -> Any:
    response = event.data.get("response")
    return response.get("status") if isinstance(response, dict) else None
