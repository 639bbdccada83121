"""Bytes of a body as readable JSON, from which the same bytes can be made again.

JSON of a usual layout is kept as its value and the name of the layout, other text as a string, what isn't UTF-8 in
Base64. Whatever is chosen was tried first: it gives the very bytes.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any, Final

from cometresp.recording.exchange import Piece
from cometresp.wire.events import TERMINAL, response_in
from cometresp.wire.json import Json, is_deeper_than, obj
from cometresp.wire.json import text as text_in

Mask = Callable[[Any], Any]  # of a JSON value, or of a string

# Layouts of JSON: that of most servers, of Python's json, and the one of OpenAI's whole replies.
STYLES: Final[dict[str, Json]] = {
    "compact": {"separators": (",", ":")},
    "spaced": {},
    "indented": {"indent": 2},
}
DEEPEST = 100  # levels of JSON; copying and printing recurse
_FRAME = re.compile(r"event: ([^\r\n]+)\ndata: ([^\r\n]+)\n\n")
_END_OF_LINE = rb"(?:\r\n|\n|\r(?!\n))"
_END_OF_EVENT = re.compile(_END_OF_LINE + _END_OF_LINE)
_BASE64 = "base64"
_LAST_WORDS = (*TERMINAL, "error")


class NotABodyError(ValueError):
    """A form that stands for no bytes; the message says why."""


def form_of(data: bytes, mask: Mask, mask_text: Callable[[str], str]) -> Json:
    """The members of a JSON object that stand for the bytes of a body, its secrets masked; {} for no bytes."""
    if not data:
        return {}
    text = _text_of(data)
    if text is None:
        return {_BASE64: b64encode(data).decode()}
    value, style = _parsed(text, STYLES)
    if style is None:
        return {"text": mask_text(text)}
    return {"json": mask(value)} | ({} if style == "compact" else {"layout": style})


def bytes_of(form: Json) -> bytes:
    """The bytes that such members stand for. Raises NotABodyError."""
    if "json" in form:
        style = form.get("layout", "compact")
        if style not in STYLES:
            raise NotABodyError(f"layout must be {', '.join(STYLES)}, not {style!r}")
        return rendered(form["json"], style)
    if "text" in form:
        return _encoded(form["text"])
    return _decoded(form[_BASE64]) if _BASE64 in form else b""


# events -----------------------------------------------------------------------------------------------------------


def events_of(pieces: Iterable[Piece]) -> list[Piece]:
    """A stream split where its events end, each with the time at which it was whole."""
    given = [piece for piece in pieces if piece.data]
    whole = b"".join(piece.data for piece in given)
    ends: list[int] = []
    for piece in given:
        ends.append(len(piece.data) + (ends[-1] if ends else 0))
    cuts = [found.end() for found in _END_OF_EVENT.finditer(whole)]
    if whole and (not cuts or cuts[-1] < len(whole)):
        cuts.append(len(whole))
    starts = [0, *cuts]
    return [Piece(given[bisect_left(ends, end)].at, whole[start:end]) for start, end in zip(starts, cuts, strict=False)]


def is_over(end: bytes) -> bool:
    """Whether the end of a stream holds the event after which nothing comes (API 7.1)."""
    for line in end.decode(errors="replace").splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data == "[DONE]":
            return True
        if line.startswith("data:") and any(word in data for word in _LAST_WORDS):
            value = obj(_parsed(data, ())[0])
            kind = text_in(value.get("type"))
            if kind == "error" or response_in(kind, value).get("status") in TERMINAL:
                return True
    return False


def style_of(events: Iterable[Piece]) -> str:
    """The layout of the first event whose layout is known."""
    for event in events:
        if found := _FRAME.fullmatch(_text_of(event.data) or ""):
            _, style = _parsed(found[2], ("compact", "spaced"))
            if style is not None:
                return style
    return "compact"


def event_form(event: Piece, style: str, mask: Mask, mask_text: Callable[[str], str]) -> list[Any]:
    """An event as a row: `[0.5, {JSON}]` for the usual frame around it, `[0.5, "text"]`, `[0.5, "base64", "…"]`."""
    text = _text_of(event.data)
    if text is None:
        return [event.at, _BASE64, b64encode(event.data).decode()]
    found = _FRAME.fullmatch(text)
    if found:
        value, known = _parsed(found[2], (style,))
        if known and isinstance(value, dict) and value.get("type") == found[1]:
            return [event.at, mask(value)]
    return [event.at, mask_text(text)]


def event_bytes(row: list[Any], style: str) -> bytes:
    """The bytes of such a row. Raises NotABodyError."""
    match row:
        case [_, {"type": str(kind)} as value]:
            return b"event: " + _encoded(kind) + b"\ndata: " + rendered(value, style) + b"\n\n"
        case [_, str(text)]:
            return _encoded(text)
        case [_, "base64", data]:
            return _decoded(data)
    raise NotABodyError('must be [SECONDS, {"type": …}], [SECONDS, "text"] or [SECONDS, "base64", "…"]')


# JSON and text ----------------------------------------------------------------------------------------------------


def rendered(value: object, style: str) -> bytes:
    """JSON in a layout. A lone surrogate, which UTF-8 can't encode, becomes an escape."""
    return json.dumps(value, ensure_ascii=False, **STYLES[style]).encode(errors="backslashreplace")


def _parsed(text: str, styles: Iterable[str]) -> tuple[Any, str | None]:
    """The value of JSON text and the layout, of these, that it has; None for another one, and where it isn't JSON."""
    try:
        value = json.loads(text)
        if is_deeper_than(DEEPEST, value):
            return None, None
        for style in styles:
            if json.dumps(value, ensure_ascii=False, allow_nan=False, **STYLES[style]) == text:
                return value, style
    except (ValueError, RecursionError):
        return None, None
    return value, None


def _text_of(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _encoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise NotABodyError("text must be a string")
    return text.encode(errors="surrogatepass")


def _decoded(data: object) -> bytes:
    try:
        return b64decode(str(data), validate=True)
    except (Error, ValueError) as error:
        raise NotABodyError(f"not Base64: {error}") from None
