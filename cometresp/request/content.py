"""Content of files in a request body, read when the body is sent.

A `Content` takes the place of a string in a body: `Payload` writes the string's characters from the file. Small files
and pipes are kept in memory; a larger file is read again each time the body is sent, and must not have changed.
"""

import json
from binascii import b2a_base64
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any

from cometresp.request.source import Source, sha256_of
from cometresp.wire.payload import Content


class DataUrl(Content):
    """`data:TYPE;base64,…` of a file (API 3.1)."""

    __slots__ = ("head", "length", "size", "source")

    def __init__(self, source: Source, mime: str) -> None:
        self.source = source
        self.size = source.size
        self.head = f"data:{mime};base64,"
        self.length = len(self.head) + 4 * -(-source.size // 3)

    def check(self) -> None:
        self.source.check()

    def pieces(self) -> Iterator[bytes]:
        yield self.head.encode()
        for chunk in self.source.chunks():
            yield b2a_base64(chunk, newline=False)


class FencedText(Content):
    """A text file under its name, in a fence longer than any run of backticks in it. `characters` is the text's length.

    `encoding` and `errors` are those of `bytes.decode`. Raises UnicodeDecodeError for bytes of another encoding.
    """

    __slots__ = ("_encoding", "_errors", "characters", "head", "length", "size", "source", "tail")

    def __init__(self, source: Source, title: str, encoding: str, errors: str) -> None:
        self.source = source
        self.size = source.size
        self._encoding, self._errors = encoding, errors
        longest, carried, length, newline, self.characters = 0, "", 0, False, 0
        for text in self._texts():
            self.characters += len(text)
            length += len(_escaped(text))
            longest = max(longest, longest_run(carried + text))
            carried = (carried + text)[len((carried + text).rstrip("`")) :]
            newline = text.endswith("\n")
        fence = "`" * max(3, longest + 1)
        self.head, self.tail = f"{title}:\n{fence}\n", f"{'' if newline else chr(10)}{fence}"
        self.length = length + len(_escaped(self.head)) + len(_escaped(self.tail))

    def check(self) -> None:
        self.source.check()

    def _texts(self) -> Iterator[str]:
        decoder = getincrementaldecoder(self._encoding)(self._errors)
        for chunk in self.source.chunks():
            if text := decoder.decode(chunk):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def pieces(self) -> Iterator[bytes]:
        given = 0
        try:
            for text in self._parts():
                piece = _escaped(text)
                given += len(piece)
                if given > self.length:
                    raise self.source.changed("while it was sent")
                yield piece
        except UnicodeDecodeError as error:
            raise self.source.changed("while it was sent") from error

    def _parts(self) -> Iterator[str]:
        yield self.head
        yield from self._texts()
        yield self.tail


def longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    import re

    return max(map(len, re.findall("`+", text)), default=0)


def _escaped(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


def whole_text(content: "DataUrl | FencedText") -> str:
    """The whole string of a small file."""
    text: str = json.loads(b'"' + b"".join(content.pieces()) + b'"')
    return text


def stand_in(head: str, size: int, sha256: str, path: str = "") -> str:
    """`data:application/pdf;base64,… (2000000 bytes, sha256 9f86d081…, /a/b.pdf)`: in place of bytes."""
    return f"{head}… ({size} bytes, sha256 {sha256}{', ' + path if path else ''})"


def with_stand_ins(value: Any) -> Any:
    """A body, or a part of one, for display: the bytes of files replaced by stand-ins."""
    if isinstance(value, DataUrl | FencedText):
        source = value.source
        return stand_in(value.head, source.size, source.sha256, source.path)
    if isinstance(value, dict):
        return {
            key: given_stand_in(entry)
            if key in ("image_url", "file_data") and isinstance(entry, str)
            else with_stand_ins(entry)
            for key, entry in value.items()
        }
    return [with_stand_ins(entry) for entry in value] if isinstance(value, list) else value


def given_stand_in(url: str) -> str:
    """The stand-in of a data URL that `--input` or `--body` contains; any other string is returned unchanged."""
    import base64

    head, _, text = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        return url
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return url
    return stand_in(f"{head},", len(data), sha256_of(data).hexdigest())
