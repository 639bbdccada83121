"""The only package that knows httpx: a body goes out, events come back, foreign exceptions become ours."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import quote

from cometresp.client.connection import Connection
from cometresp.client.reading import events_of, not_the_api, read_whole, whole_event
from cometresp.client.requests import Requests
from cometresp.errors import RequestRefusedError
from cometresp.wire.events import Event
from cometresp.wire.payload import Payload
from cometresp.wire.replies import knows_no_path, refusal

_PAGE = 100  # the most that a page of items may hold (API section 1, #5)


class Client:
    """One server. Requests are made one after the other; every one is closed when its block ends.

    All methods raise what `errors` has from 65 to 77; `retries` and `timeout` (seconds of silence) stand for the
    connection's where they are given.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._requests = Requests(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._requests.close()

    @property
    def left(self) -> float | None:
        """Seconds left of --max-time; None where there is no limit."""
        return self._requests.left()

    @property
    def retry_after(self) -> float | None:
        """Seconds of pause that the last reply asked for, whatever its status (API 8.3)."""
        return self._requests.retry_after

    @contextmanager
    def create(
        self, body: dict[str, Any], sending: Callable[[int, int], None] | None = None
    ) -> Iterator[Iterator[Event]]:
        """POST /responses: the events of the answer, one for a whole reply.

        Files in the body are read while it is sent; `sending(sent, length)` hears how far that is, in bytes.
        """
        content = Payload(body, sending=sending)
        accept = "text/event-stream" if body.get("stream") else "application/json"
        headers = self._defaults({"Accept": accept, "Content-Type": "application/json", "Cache-Control": "no-store"})
        headers["Content-Length"] = str(content.length)
        with self._requests.reply("POST", "/responses", headers=headers, content=content) as opened:
            yield events_of(opened)

    @contextmanager
    def get(
        self,
        response_id: str,
        *,
        include: Sequence[str] = (),
        retries: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Iterator[Event]]:
        """GET /responses/{id} (API section 1, #2): one event, of the whole response."""
        call: dict[str, Any] = {
            "retries": retries,
            "timeout": timeout,
            "params": _include(include),
            "headers": self._json(),
        }
        with self._requests.reply("GET", path_of(response_id), **call) as opened:
            yield events_of(opened)

    @contextmanager
    def follow(
        self,
        response_id: str,
        starting_after: int | None = None,
        *,
        include: Sequence[str] = (),
        retries: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Iterator[Event]]:
        """GET /responses/{id}?stream=true: the events numbered above `starting_after` (API 7.5).

        Servers may send earlier ones again, which is the caller's to drop; one that answers with the whole response
        gives one event that is `whole`.
        """
        params = [("stream", "true"), *_include(include)]
        if starting_after is not None:
            params.append(("starting_after", str(starting_after)))
        headers = self._defaults({"Accept": "text/event-stream", "Cache-Control": "no-store"})
        call: dict[str, Any] = {"retries": retries, "timeout": timeout, "params": params, "headers": headers}
        with self._requests.reply("GET", path_of(response_id), **call) as opened:
            yield events_of(opened)

    def cancel(self, response_id: str) -> Event:
        """POST /responses/{id}/cancel: the response as it then is. A second call is harmless (API section 1, #4)."""
        with self._requests.reply("POST", path_of(response_id, "/cancel"), headers=self._json()) as opened:
            return whole_event(opened)

    def delete(self, response_id: str) -> dict[str, Any]:
        """DELETE /responses/{id}: what the server says to it; an empty body is a yes (API section 1, #3).

        A 404 to a later try counts as a yes where an earlier one got no reply: that one deleted it.
        """
        done = {"id": response_id, "object": "response", "deleted": True}
        try:
            with self._requests.reply("DELETE", path_of(response_id), headers=self._json()) as opened:
                seen = read_whole(opened)
        except RequestRefusedError as error:
            if error.said.status == 404 and self._requests.lost and not knows_no_path(error):  # noqa: PLR2004
                self._connection.say(f"{error.message}; the try before got no reply, but deleted it")
                return done
            raise
        if not seen.body.strip():
            return done
        data = seen.json()
        if not isinstance(data, dict):
            raise not_the_api(opened.reply, seen)
        if data.get("error") or data.get("success") is False or data.get("deleted") is False:
            raise refusal(seen)
        return data

    def items(
        self,
        response_id: str,
        *,
        order: str = "asc",
        limit: int = _PAGE,
        after: str | None = None,
        include: Sequence[str] = (),
    ) -> dict[str, Any]:
        """GET /responses/{id}/input_items: one page, `data` its items, `has_more` whether another follows (#5)."""
        params = [("order", order), ("limit", str(limit)), *_include(include)]
        if after is not None:
            params.append(("after", after))
        path = path_of(response_id, "/input_items")
        with self._requests.reply("GET", path, headers=self._json(), params=params) as opened:
            seen = read_whole(opened)
        page = seen.json()
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise refusal(seen) if isinstance(page, dict) and page.get("error") else not_the_api(opened.reply, seen)
        return page

    def pages(
        self, response_id: str, *, order: str = "asc", most: int | None = None, include: Sequence[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """The pages of `items` until `most` items have come or the server has no more.

        A page that ends on an item that ended one before ends it too: the server doesn't go on from `after`.
        """
        after: str | None = None
        ends: set[str] = set()
        left = most
        while left is None or left > 0:
            limit = _PAGE if left is None else min(left, _PAGE)
            page = self.items(response_id, order=order, limit=limit, after=after, include=include)
            data = page["data"]
            after = _last_id(page)
            if after in ends:
                self._connection.say("the server repeats a page of items: there may be more of them")
                return
            yield page
            if not data or not page.get("has_more") or after is None:
                return
            ends.add(after)
            left = None if left is None else left - len(data)

    def _json(self) -> dict[str, str]:
        return self._defaults({"Accept": "application/json"})

    def _defaults(self, headers: dict[str, str]) -> dict[str, str]:
        """The headers of a request, but for those that the user gives another value."""
        given = {name.lower() for name in self._connection.headers}
        return {name: value for name, value in headers.items() if name.lower() not in given}


def path_of(response_id: str, below: str = "") -> str:
    return f"/responses/{quote(response_id, safe='')}{below}"


def _last_id(page: dict[str, Any]) -> str | None:
    data = page["data"]
    last = page.get("last_id") or (data[-1].get("id") if data and isinstance(data[-1], dict) else None)
    return last if isinstance(last, str) and last else None


def _include(names: Sequence[str]) -> list[tuple[str, str]]:
    return [("include[]", name) for name in names]
