"""The requests of every endpoint (API 1) as values. The client sends them; --dry-run, --curl and --debug print them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

from cometresp.wire.json import Json

PAGE = 100  # the most items in a page (API 1, #5)
_JSON = {"Accept": "application/json"}
_STREAM = {"Accept": "text/event-stream", "Cache-Control": "no-store"}


class Request(NamedTuple):
    """A request, relative to the base URL.

    `path` is percent-encoded, `query` isn't. `headers` are those of the endpoint; the client adds the key and the
    user's headers. `body` is sent as JSON.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: Json | None = None

    @property
    def target(self) -> str:
        """Path and query, as in `/responses/resp_1?stream=true`."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def create(body: Json) -> Request:
    accept = "text/event-stream" if body.get("stream") else "application/json"
    headers = {"Accept": accept, "Content-Type": "application/json", "Cache-Control": "no-store"}
    return Request("POST", "/responses", headers=headers, body=body)


def get(response_id: str, include: Sequence[str] = ()) -> Request:
    return Request("GET", _path(response_id), _include(include), _JSON)


def follow(response_id: str, after: int | None = None, include: Sequence[str] = ()) -> Request:
    """The response as a stream of the events numbered above `after` (API 7.5)."""
    query = (("stream", "true"), *_include(include))
    if after is not None:
        query = (*query, ("starting_after", str(after)))
    return Request("GET", _path(response_id), query, _STREAM)


def cancel(response_id: str) -> Request:
    return Request("POST", _path(response_id, "/cancel"), headers=_JSON)


def delete(response_id: str) -> Request:
    return Request("DELETE", _path(response_id), headers=_JSON)


def input_items(
    response_id: str, *, order: str = "asc", limit: int = PAGE, after: str | None = None, include: Sequence[str] = ()
) -> Request:
    """One page of the input items of a response (API 1, #5)."""
    query = (("order", order), ("limit", str(limit)), *_include(include))
    if after is not None:
        query = (*query, ("after", after))
    return Request("GET", _path(response_id, "/input_items"), query, _JSON)


def _path(response_id: str, suffix: str = "") -> str:
    return f"/responses/{quote(response_id, safe='')}{suffix}"


def _include(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(("include[]", name) for name in names)
