"""What a reply holds: the events of a stream, or one event for a whole reply (API 7.1, 12.1)."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from httpx_sse import EventSource

from cometresp.client.body import STREAM_TYPE, Body, Opened, Text, kind_of, not_the_api
from cometresp.errors import Cause, ProtocolError, UnreachableError
from cometresp.wire import replies
from cometresp.wire.error_bodies import error_in, without_markup
from cometresp.wire.events import Event, is_response
from cometresp.wire.json import Json, obj
from cometresp.wire.json import unreadable as unreadable_json
from cometresp.wire.replies import Reply

_FAILED, _COMPLETED = "response.failed", "response.completed"
_QUOTED = 200


def events_of(opened: Opened) -> Iterator[Event]:
    """The events of a reply, which is read by what it is, whichever was requested (API 7.1)."""
    body = Body(opened)
    if body.is_stream():
        return _stream(Text(body, body.chunks()), opened)
    whole = body.whole()
    if (event := _whole_event(whole.json(), whole.text())) is not None:
        return iter([_shown(event, opened)])
    if kind_of(opened.reply) == STREAM_TYPE and whole.body.strip():
        return _stream(Text(body, iter([whole.body]), kept=len(whole.body) + 1), opened)
    opened.debug(whole.text())
    raise not_the_api(opened.reply, whole)


def whole_event(opened: Opened) -> Event:
    """A response as `response.<status>`, an error body as `error`. Raises ProtocolError for anything else."""
    whole = read_whole(opened)
    event = _whole_event(whole.json(), whole.text())
    if event is None:
        opened.debug(whole.text())
        raise not_the_api(opened.reply, whole)
    return _shown(event, opened)


def read_whole(opened: Opened) -> Reply:
    return Body(opened).whole()


def lines_of(opened: Opened) -> Iterator[bytes]:
    """The lines of a file of JSON Lines, without their ends, as they come. Raises ProtocolError for anything else."""
    body = Body(opened)
    if not body.is_json():
        raise not_the_api(opened.reply, body.whole())
    rest = bytearray()
    for chunk in body.watched():
        rest += chunk
        if b"\n" in chunk:
            *lines, last = bytes(rest).split(b"\n")
            yield from lines
            rest = bytearray(last)
        if len(rest) > opened.limit:
            raise replies.too_large("a line of the file", opened.limit)
    if rest:
        yield bytes(rest)


# whole replies ------------------------------------------------------------------------------------------------------


def _whole_event(data: Any, raw: str) -> Event | None:
    """The event that a whole body amounts to: a response, also one in an event, or an error; else None."""
    inner = obj(obj(data).get("response"))
    response = data if is_response(data) else inner if is_response(inner) else None
    if response is not None:
        kind = f"response.{response.get('status') or 'completed'}"
        made = {"type": kind, "response": response}
        return Event(kind, made, replies.written(made), whole=True)
    error = error_in(data)
    if error is None:
        return None
    return _error_event(error, data, raw, whole=True)


def _error_event(error: Json, data: Any, raw: str, *, whole: bool = False) -> Event:
    """The event of an error that was found in `data`, which may also be a list, or hold it in a `response`."""
    is_plain = isinstance(data, dict) and not isinstance(data.get("response"), dict)
    return Event("error", data if is_plain else {"type": "error", "error": error}, raw, whole=whole)


def _shown(event: Event, opened: Opened) -> Event:
    """The event, which --debug prints if it is an error."""
    if event.type in ("error", _FAILED):
        opened.debug(event.raw)
    return event


# streams ------------------------------------------------------------------------------------------------------------


def _stream(text: Text, opened: Opened) -> Iterator[Event]:
    decoder = _Decoder()
    decode = decoder.decode
    make: Callable[[Any], Event] = partial(tuple.__new__, Event)  # without what a call of Event does and checks
    kind: Any = None
    seen = False
    for frame in EventSource(text).iter_sse():  # type: ignore[arg-type]
        given = frame.data
        if not given or given == "[DONE]":  # an `id:` or `event:` line alone; API 7.1
            continue
        if text.is_suspect:
            given = opened.secrets.frame(given)
        try:
            data = decode(given)
        except (ValueError, RecursionError) as error:
            if text.cut:
                break  # the end of the bytes fell into this frame
            if frame.event != "error":
                what = f"holds {why}" if (why := unreadable_json(error)) else f"is not JSON: {given[:100]!r}"
                raise ProtocolError(f"an event of the stream {what}", cause=None if why else Cause.PATH) from error
            data = {"type": "error", "message": given}
        if decoder.found_constant:
            decoder.found_constant, given = False, replies.written(data)
        kind = data.get("type") if isinstance(data, dict) else None
        seen = True
        if kind.__class__ is str and kind.startswith("response."):  # nearly always
            if kind == _FAILED:
                opened.debug(given)
            yield make((kind, data, given, False, text.more))
        else:
            yield _shown(_other_event(frame.event, data, given), opened)
    if kind != _COMPLETED:  # nothing is missing then
        yield from _stray_events(text, opened, seen=seen)


def _other_event(name: str, data: Any, raw: str) -> Event:
    """An event without one of the API's types, which are then the name of the frame (API 7.1)."""
    if is_response(data):
        status = f"response.{data.get('status') or 'completed'}"
        return Event(status, {"type": status, "response": data}, raw)
    error = error_in(data)
    if isinstance(data, dict):
        kind = data.get("type")
        if (not kind or not isinstance(kind, str)) and name != "message":
            data["type"] = kind = name
            error = error_in(data)
        if error is None or is_response(data.get("response")):
            return Event(str(kind or name), data, raw)
    elif error is None and name == "error" and isinstance(data, str):
        error = {"message": data}
    return Event(name, {}, raw) if error is None else _error_event(error, data, raw)


def _stray_events(text: Text, opened: Opened, *, seen: bool) -> Iterator[Event]:
    """What the lines amount to that are no fields of a stream which ended too early: an event, or the error.

    Proxies write their errors as plain text, JSON or HTML into a stream that they break off.
    """
    stray = opened.secrets.frame(text.stray(at_end=seen))
    if not stray:
        return
    try:
        event = _whole_event(_Decoder().decode(stray), stray)
    except (ValueError, RecursionError):
        event = None
    if event is not None:
        yield _shown(event, opened)
        return
    opened.debug(stray)
    if not seen and replies.is_html(stray):
        body = Reply(opened.reply.status_code, opened.reply.headers, stray.encode(errors="replace"))
        raise not_the_api(opened.reply, body)
    shown = without_markup(stray) if "<" in stray else " ".join(stray.split())
    shown = shown if len(shown) <= _QUOTED else shown[: _QUOTED - 1] + "…"
    raise UnreachableError(f"the stream ended before the answer was complete: {shown!r}", passing=True)


class _Decoder:
    """JSON of a server; `found_constant` is set where NaN or an infinity became null (API 12.11)."""

    def __init__(self) -> None:
        self.found_constant = False
        decoder = json.JSONDecoder(parse_constant=self._null)
        self._scan, self._decode = decoder.scan_once, decoder.decode  # type: ignore[attr-defined] # typeshed lacks it

    def decode(self, text: str) -> Any:
        """The value. Raises ValueError and RecursionError."""
        try:
            value, end = self._scan(text, 0)
        except StopIteration:
            end = -1
        # What has blanks around it, or is no JSON, is left to `decode`: without those this takes a third less time.
        return value if end == len(text) else self._decode(text)

    def _null(self, _: str) -> None:
        self.found_constant = True
