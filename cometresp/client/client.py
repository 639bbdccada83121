"""The endpoints of one server, each a method: a request goes out, events or JSON come back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from cometresp.client.body import not_the_api
from cometresp.client.connection import ServerConfig
from cometresp.client.endings import Endings
from cometresp.client.reading import events_of, lines_of, read_whole, whole_event
from cometresp.client.requests import Requests
from cometresp.errors import Cause, RequestRefusedError
from cometresp.wire import endpoints
from cometresp.wire.endpoints import PAGE, Request, is_conversation
from cometresp.wire.error_bodies import error_in
from cometresp.wire.events import Event
from cometresp.wire.ids import is_plain_id
from cometresp.wire.json import Json, listed, text
from cometresp.wire.payload import Content
from cometresp.wire.replies import refusal

OnUpload = Callable[[int, int], None]  # bytes that were sent, and all


class Client:
    """One server. Requests are made one after the other; each is closed when its block ends.

    All methods raise the errors with exit codes from 65 to 77; `retries` and `timeout` (seconds without data) replace
    the connection's where they are given.
    """

    def __init__(self, config: ServerConfig, beside: "Client | None" = None) -> None:
        self._config = config
        beside_requests = None if beside is None else beside._requests  # noqa: SLF001
        self._requests: Requests = Requests(config, beside_requests)
        self._endings: Endings | None = None
        self._siblings: list[Client] = []
        if config.is_shared:
            self._endings = Endings() if beside is None else beside._endings  # noqa: SLF001

    def sibling(self) -> "Client":
        """A client of the same server for another thread; it is closed with this one."""
        self._siblings.append(Client(self._config, beside=self))
        return self._siblings[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sibling in self._siblings:
            with suppress(RuntimeError):  # its thread is still at work
                sibling._requests.close()  # noqa: SLF001
        self._requests.close()

    @property
    def left(self) -> float | None:
        """Seconds left of --max-time; None where there is no limit."""
        return self._requests.deadline.left

    @property
    def retry_after(self) -> float | None:
        """Seconds of pause that the last reply asked for, whatever its status (API 8.3)."""
        return self._requests.retry_after

    @property
    def request_ids(self) -> list[str]:
        """The request ids of all replies so far."""
        return self._requests.request_ids

    @property
    def retried(self) -> int:
        """How many requests were sent again."""
        return self._requests.retried

    @property
    def lost(self) -> bool:
        """Whether a try of the last request got no whole reply, though it may have arrived."""
        return self._requests.lost

    @property
    def request_id(self) -> str | None:
        """The request id of the last reply, if it has one (API 8.1)."""
        return self._requests.request_id

    @contextmanager
    def create(self, body: Json, on_upload: OnUpload | None = None) -> Iterator[Iterator[Event]]:
        """POST /responses: the events of the answer, one for a whole reply.

        Files in the body are read while it is sent; `on_upload(sent, length)` is called on the way, in bytes.
        """
        with self._requests.reply(endpoints.create(body), on_upload=on_upload) as opened:
            events = events_of(opened)
            yield events
            if self._endings is not None:
                self._endings.read(events, opened.reply)

    @contextmanager
    def get(
        self,
        response_id: str,
        *,
        include: Sequence[str] = (),
        retries: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Iterator[Event]]:
        """GET /responses/{id} (API 1, #2): one event, of the whole response."""
        request = endpoints.get(response_id, include)
        with self._requests.reply(request, retries=retries, timeout=timeout) as opened:
            yield events_of(opened)

    @contextmanager
    def follow(
        self,
        response_id: str,
        after: int | None = None,
        *,
        include: Sequence[str] = (),
        retries: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Iterator[Event]]:
        """GET /responses/{id}?stream=true: the events numbered above `after` (API 7.5).

        Servers may send earlier ones again, which the caller drops; one that answers with the whole response gives one
        event that is `whole`.
        """
        request = endpoints.follow(response_id, after, include)
        with self._requests.reply(request, retries=retries, timeout=timeout) as opened:
            yield events_of(opened)

    def cancel(self, response_id: str) -> Event:
        """POST /responses/{id}/cancel: the response as it then is. A second call is harmless (API 1, #4)."""
        with self._requests.reply(endpoints.cancel(response_id)) as opened:
            return whole_event(opened)

    def delete(self, stored_id: str) -> Json:
        """DELETE /responses/{id} or /conversations/{id}: the server's answer; an empty body means yes (API 1, #3, #9).

        A 404 to a later try means yes where an earlier one got no reply: that one deleted it.
        """
        kind = "conversation.deleted" if is_conversation(stored_id) else "response"
        done = {"id": stored_id, "object": kind, "deleted": True}
        try:
            with self._requests.reply(endpoints.delete(stored_id)) as opened:
                reply = read_whole(opened)
        except RequestRefusedError as error:
            if error.details.status == 404 and self._requests.lost and error.cause is not Cause.PATH:  # noqa: PLR2004
                self._config.say(f"{error.message}; the try before got no reply, but deleted it")
                return done
            raise
        if not reply.body.strip():
            return done
        data = reply.json()
        if error_in(data) is not None or (isinstance(data, dict) and data.get("deleted") is False):
            raise refusal(reply)
        if not isinstance(data, dict):
            raise not_the_api(opened.reply, reply)
        return data

    def count_tokens(self, body: Json) -> Json:
        """POST /responses/input_tokens: an object whose `input_tokens` is the number (API 1, #6)."""
        return self._json(endpoints.count_tokens(body), lambda counted: isinstance(counted.get("input_tokens"), int))

    def compact(self, body: Json) -> Json:
        """POST /responses/compact: an object whose `output` are the items that take the place of others (API 1, #7)."""
        return self._json(endpoints.compact(body), lambda compacted: bool(listed(compacted.get("output"))))

    def create_conversation(self) -> str:
        """POST /conversations: the id of the new conversation (API 1, #8)."""
        return text(self._json(endpoints.create_conversation(), lambda made: is_plain_id(text(made.get("id"))))["id"])

    def items(
        self,
        stored_id: str,
        *,
        order: str = "asc",
        limit: int = PAGE,
        after: str | None = None,
        include: Sequence[str] = (),
    ) -> Json:
        """A page of a response's input or a conversation: `data` its items, `has_more` if there are others.

        GET /responses/{id}/input_items or /conversations/{id}/items (API 1, #5, #10).
        """
        request = endpoints.items(stored_id, order=order, limit=limit, after=after, include=include)
        return self._json(request, lambda page: isinstance(page.get("data"), list))

    def pages(
        self, stored_id: str, *, order: str = "asc", most: int | None = None, include: Sequence[str] = ()
    ) -> Iterator[Json]:
        """The pages of `items` until `most` items have come or the server has no more.

        A page whose last item ended an earlier page ends it too: the server ignores `after`.
        """
        after: str | None = None
        ends: set[str] = set()
        left = most
        while left is None or left > 0:
            limit = PAGE if left is None else min(left, PAGE)
            page = self.items(stored_id, order=order, limit=limit, after=after, include=include)
            after = _last_id(page)
            if after in ends:
                self._config.say("the server repeats a page of items: there may be more of them")
                return
            yield page
            if not page["data"] or not page.get("has_more") or after is None:
                return
            ends.add(after)
            left = None if left is None else left - len(page["data"])

    def models(self, is_list: Callable[[Any], bool], *, public: bool = False) -> Any:
        """GET /models, or if `public` GET /api/models beside /v1 without key: JSON that `is_list` (API 1, #11, #12)."""
        return self._value(endpoints.catalogue() if public else endpoints.models(), is_list)

    # files and batches ----------------------------------------------------------------------------------------------

    def upload(self, filename: str, file: Content, on_upload: OnUpload | None = None) -> str:
        """POST /files: the id of the uploaded file, which is read while it is sent (API 1, #13)."""
        made = self._json(endpoints.upload(filename, file), _has_id, on_upload=on_upload)
        return text(made["id"])

    @contextmanager
    def content(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """GET /files/{id}/content: the lines of the file as they come (API 1, #14)."""
        with self._requests.reply(endpoints.content(file_id)) as opened:
            yield lines_of(opened)

    def create_batch(self, body: Json, on_upload: OnUpload | None = None) -> Json:
        """POST /batches: the new batch (API 1, #16). It isn't tried again: the first try may have made one."""
        return self._json(endpoints.create_batch(body), _is_batch, retries=0, on_upload=on_upload)

    def batch(self, batch_id: str, *, retries: int | None = None) -> Json:
        """GET /batches/{id}: the batch as it is now (API 1, #17)."""
        return self._json(endpoints.batch(batch_id), _is_batch, retries=retries)

    def cancel_batch(self, batch_id: str) -> Json:
        """POST /batches/{id}/cancel: the batch as it then is (API 1, #18)."""
        return self._json(endpoints.cancel_batch(batch_id), _is_batch)

    def batches(self, limit: int, after: str | None = None) -> Json:
        """GET /batches: a page, the newest first: `data` and `has_more` (API 1, #19)."""
        return self._json(endpoints.batches(limit, after), lambda page: isinstance(page.get("data"), list))

    def _json(
        self,
        request: Request,
        is_expected: Callable[[Json], bool],
        *,
        retries: int | None = None,
        on_upload: OnUpload | None = None,
    ) -> Json:
        """The JSON object of a reply. Raises RequestRefusedError for an error, ProtocolError for anything else."""

        def is_it(data: Any) -> bool:
            return isinstance(data, dict) and is_expected(data)

        value: Json = self._value(request, is_it, retries=retries, on_upload=on_upload)
        return value

    def _value(
        self,
        request: Request,
        is_expected: Callable[[Any], bool],
        *,
        retries: int | None = None,
        on_upload: OnUpload | None = None,
    ) -> Any:
        with self._requests.reply(request, retries=retries, on_upload=on_upload) as opened:
            reply = read_whole(opened)
        data = reply.json()
        if is_expected(data):
            return data
        raise refusal(reply) if error_in(data) is not None else not_the_api(opened.reply, reply)


def _last_id(page: Json) -> str | None:
    data = page["data"]
    last = page.get("last_id") or (data[-1].get("id") if data and isinstance(data[-1], dict) else None)
    return text(last) or None


def _has_id(made: Json) -> bool:
    return is_plain_id(text(made.get("id")))


def _is_batch(made: Json) -> bool:
    return _has_id(made) and bool(text(made.get("status")))
