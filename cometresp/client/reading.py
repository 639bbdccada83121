"""What a reply holds: the events of a stream, or one event for a whole reply (API 7.1, 12.1)."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

import httpx
from httpx_sse import EventSource

from cometresp.errors import Cause, CometrespError, ProtocolError
from cometresp.wire import replies
from cometresp.wire.error_bodies import error_in
from cometresp.wire.events import Event
from cometresp.wire.masking import Secrets
from cometresp.wire.replies import Reply

_decode = json.JSONDecoder().decode


class Opened(NamedTuple):
    """A reply whose body hasn't been read. `watch` limits each wait for it; `broken` maps httpx's exceptions.

    `secrets` are masked in what is read.
    """

    reply: httpx.Response
    watch: Callable[[], AbstractContextManager[None]]
    broken: Callable[[httpx.TransportError], CometrespError]
    secrets: Secrets


def events_of(opened: Opened) -> Iterator[Event]:
    """The events of a reply, which is read by its content type, whichever was requested (API 7.1)."""
    if _kind(opened.reply) == "text/event-stream":
        return _stream(opened)
    return iter([whole_event(opened)])


def whole_event(opened: Opened) -> Event:
    """A response as `response.<status>`, an error body as `error`. Raises ProtocolError for anything else."""
    whole = read_whole(opened)
    data = whole.json()
    if replies.is_response(data):
        kind = f"response.{data.get('status') or 'completed'}"
        event = {"type": kind, "response": data}
        return Event(kind, event, json.dumps(event, ensure_ascii=False), whole=True)
    if error_in(data) is not None:
        return Event("error", data, whole.text(), whole=True)
    raise not_the_api(opened.reply, whole)


def read_whole(opened: Opened) -> Reply:
    reply = opened.reply
    try:
        with opened.watch():
            body = reply.read()
    except httpx.TransportError as error:
        raise opened.broken(error) from error
    except httpx.DecodingError as error:
        raise ProtocolError(f"the reply's compression is broken: {error}", cause=Cause.PATH) from error
    return Reply(reply.status_code, reply.headers, opened.secrets.body(body))


def not_the_api(reply: httpx.Response, whole: Reply) -> ProtocolError:
    """The exception for a 2xx reply that holds neither a response nor an error."""
    return replies.not_the_api(whole, f"{reply.request.method} {reply.request.url.path}", _kind(reply))


def _kind(reply: httpx.Response) -> str:
    kind: str = reply.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _stream(opened: Opened) -> Iterator[Event]:
    source = EventSource(_Text(opened))  # type: ignore[arg-type]
    for frame in source.iter_sse():
        text = opened.secrets.frame(frame.data)
        if not text or text == "[DONE]":  # an `id:` or `event:` line alone; API 7.1
            continue
        try:
            data = _decode(text)
        except (ValueError, RecursionError) as error:
            if source.response.cut:  # type: ignore[attr-defined]
                return  # the end of the bytes fell into this frame
            raise ProtocolError(f"an event of the stream is not JSON: {text[:100]!r}", cause=Cause.PATH) from error
        if isinstance(data, dict):
            yield Event(str(data.get("type") or frame.event), data, text)
        else:
            yield Event(frame.event, {}, text)


class _Text:
    """Takes the place of the reply in httpx-sse, and adds what that leaves out (API 7.1).

    UTF-8 whatever the content type says, no BOM, and a blank line at the end, so that a last event without one is not
    dropped. `cut` is set once the bytes have ended.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.headers = {"content-type": "text/event-stream"}
        self.cut = False

    def iter_text(self) -> Iterator[str]:
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder("utf-8")("replace")
        chunks = self._opened.reply.iter_bytes()
        broken: httpx.TransportError | None = None
        first = True
        while True:
            try:
                with self._opened.watch():
                    chunk = next(chunks, None)
            except httpx.TransportError as error:
                broken, chunk = error, None
            except httpx.DecodingError as error:
                raise ProtocolError(f"the stream's compression is broken: {error}", cause=Cause.PATH) from error
            if chunk is None:
                break
            text = decoder.decode(chunk)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            if text:
                yield text
        self.cut = True
        yield decoder.decode(b"", final=True) + "\n\n"
        if broken:
            raise self._opened.broken(broken) from broken
