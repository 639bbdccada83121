"""The text of a file: one request, its reply, and when each part of it came.

It is JSON that can be read and edited by hand; docs/record-replay.md describes it. Each event of a stream has a line.
"""

import json
from typing import Any

from cometresp.recording.bodies import (
    STYLES,
    NotABodyError,
    bytes_of,
    event_bytes,
    event_form,
    events_of,
    form_of,
    style_of,
)
from cometresp.recording.exchange import ENDS, Exchange, Piece, Reply, is_stream
from cometresp.recording.masks import Masks
from cometresp.recording.requests import RecordedRequest
from cometresp.text import json_bytes
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

_FORMAT = 1
_EVENTS = "EVENTS"
_ERROR = 400
_SPACE = " \t\r\n"

Path = tuple[str | int, ...]


class Recorded(NamedTuple):
    request: RecordedRequest
    reply: Reply


class WrongDocumentError(Exception):
    """A text that is no recording: the line at fault, from 1, and what is wrong there."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


# written ------------------------------------------------------------------------------------------------------------


def written(exchange: Exchange, recorded: RecordedRequest, masks: Masks) -> bytes:
    """The text of an exchange without its secrets."""
    request, reply = exchange.request, exchange.reply
    document: Json = {
        "recording": _FORMAT,
        "at": exchange.at,
        "upstream": exchange.upstream,
        "request": {
            "method": recorded.method,
            "path": recorded.path,
            **({"query": recorded.query} if recorded.query else {}),
            "headers": masks.request_headers(request.headers),
            **recorded.form,
        },
        "reply": {
            "status": reply.status,
            "headers": masks.reply_headers(reply.headers),
            "seconds": _rounded(reply.seconds),
            **({"ended": reply.ended} if reply.ended else {}),
            **({"length": reply.length} if reply.length is not None else {}),
        },
    }
    rows: list[list[Any]] | None = None
    if is_stream(reply.headers, reply.body):
        events = [piece._replace(at=_rounded(piece.at)) for piece in events_of(reply.pieces)]
        style = style_of(events)
        rows = [event_form(event, style, masks.body, masks.text) for event in events]
        masks.deltas(rows)
        document["reply"] |= ({"layout": style} if style != "compact" else {}) | {_EVENTS: []}
    else:
        error = reply.status >= _ERROR
        mask, mask_text = (masks.error, masks.message) if error else (masks.body, masks.text)
        last = reply.pieces[-1].at if reply.pieces else reply.seconds
        document["reply"] |= {"seconds": _rounded(last), **form_of(reply.body, mask, mask_text)}
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return json_bytes((text if rows is None else _with_rows(text, rows)) + "\n")


def _with_rows(text: str, rows: list[list[Any]]) -> str:
    """The text with the events, each on a line, in the place that was kept for them, at its end."""
    before, _, after = text.rpartition(f'"{_EVENTS}": []')
    lines = ",\n".join(f"      {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return f'{before}"events": [{f"{chr(10)}{lines}{chr(10)}    " if rows else ""}]{after}'


def _rounded(seconds: float) -> float:
    return round(seconds, 3)


# read ---------------------------------------------------------------------------------------------------------------


def read(data: bytes) -> Recorded:
    """The request and the reply in the text of a file. Raises WrongDocumentError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongDocumentError(data.count(b"\n", 0, error.start) + 1, "not UTF-8") from None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise WrongDocumentError(error.lineno, f"not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise WrongDocumentError(1, "its JSON has a number that is too long, or is nested too deeply") from None
    try:
        return _Reader(document).recorded()
    except _WrongError as error:
        raise WrongDocumentError(_line(text, error.path), str(error)) from None


class _WrongError(Exception):
    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{_shown(path)}: {what}" if path else what)
        self.path = path


class _Reader:
    """Reads the fields of a document. Raises _WrongError with the path of a wrong one."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict) or "recording" not in document:
            raise _WrongError((), 'not a recording: it has no "recording": 1')
        if document["recording"] != _FORMAT:
            raise _WrongError(("recording",), f"must be {_FORMAT}; a later version of cometresp may have made it")
        self._document = document

    def recorded(self) -> Recorded:
        request = self._object("request")
        form: Json = {name: request[name] for name in ("json", "text", "base64") if name in request}
        recorded = RecordedRequest(
            self._text(request, "request", "method"),
            self._text(request, "request", "path"),
            self._text(request, "request", "query", default=""),
            form,
        )
        return Recorded(recorded, self._reply(self._object("reply")))

    def _reply(self, reply: Json) -> Reply:
        status, ended, length = reply.get("status"), reply.get("ended", ""), reply.get("length")
        if not isinstance(status, int) or not 100 <= status <= 599:  # noqa: PLR2004 - what a status is
            raise _WrongError(("reply", "status"), "must be a number from 100 to 599")
        if ended not in ENDS:
            raise _WrongError(("reply", "ended"), 'must be "cut" or "client", or left out')
        if length is not None and (not isinstance(length, int) or length < 0):
            raise _WrongError(("reply", "length"), "must be a number of bytes")
        headers = reply.get("headers", {})
        if not isinstance(headers, dict) or any(not _is_header(*entry) for entry in headers.items()):
            raise _WrongError(("reply", "headers"), "must be an object of strings without line ends, in Latin-1")
        seconds = _seconds(reply.get("seconds", 0.0), ("reply", "seconds"))
        pieces = self._events(reply) if "events" in reply else self._whole(reply, seconds)
        return Reply(status, headers, seconds, pieces, ended, length)

    def _events(self, reply: Json) -> tuple[Piece, ...]:
        rows, style = reply["events"], reply.get("layout", "compact")
        if style not in STYLES:
            raise _WrongError(("reply", "layout"), f"must be {', '.join(STYLES)}")
        if not isinstance(rows, list):
            raise _WrongError(("reply", "events"), "must be a list")
        pieces: list[Piece] = []
        for index, row in enumerate(rows):
            where = ("reply", "events", index)
            if not isinstance(row, list) or not row:
                raise _WrongError(where, "must be a list that begins with seconds")
            try:
                pieces.append(Piece(_seconds(row[0], where), event_bytes(row, style)))
            except NotABodyError as error:
                raise _WrongError(where, str(error)) from None
        return tuple(pieces)

    def _whole(self, reply: Json, seconds: float) -> tuple[Piece, ...]:
        try:
            data = bytes_of(reply)
        except NotABodyError as error:
            raise _WrongError(("reply",), str(error)) from None
        return (Piece(seconds, data),) if data else ()

    def _object(self, name: str) -> Json:
        value = self._document.get(name)
        if not isinstance(value, dict):
            raise _WrongError((name,), "must be an object")
        return value

    def _text(self, holder: Json, name: str, key: str, default: str | None = None) -> str:
        value = holder.get(key, default)
        if not isinstance(value, str):
            raise _WrongError((name, key), "must be a string")
        return value


def _is_header(name: object, value: object) -> bool:
    return all(
        isinstance(text, str) and not set(text) & set("\r\n\0") and all(ord(character) < 256 for character in text)  # noqa: PLR2004
        for text in (name, value)
    )


def _seconds(value: object, where: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:  # noqa: PLR2004 - days
        raise _WrongError(where, "the seconds must be a number from 0")
    return float(value)


def _shown(path: Path) -> str:
    """`reply.events[3]`, counted from 0."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _line(text: str, path: Path) -> int:
    """The line, from 1, on which a value of a JSON text begins; of what it would be in, where it is missing."""
    decoder = json.JSONDecoder()

    def skipped(at: int) -> int:
        while text[at] in _SPACE:
            at += 1
        return at

    at = skipped(text.startswith("\ufeff"))
    for step in path:
        found, inner, index = None, skipped(at + 1), 0
        while text[inner] not in "]}":
            name: Any = index
            if isinstance(step, str):
                name, inner = decoder.raw_decode(text, inner)
                inner = skipped(skipped(inner) + 1)  # behind the colon
            if name == step:
                found = inner  # the last of several of the same name counts
            _, inner = decoder.raw_decode(text, inner)
            inner, index = skipped(inner), index + 1
            inner = skipped(inner + 1) if text[inner] == "," else inner
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1
