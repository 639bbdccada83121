"""Content of files in a request body, read when it is sent: a body's JSON piece by piece, its length known before.

A `Content` stands in a body where a string would: `Payload` writes the string's characters from the file. What is small
or came through a pipe is held; a larger file is read again, each time that the body is sent, and must be what it was.
"""

import json
import os
from binascii import b2a_base64
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from abc import ABC, abstractmethod
from typing import Any

from cometresp.errors import UsageError

HELD_BYTES = 1_000_000  # of a file that is kept in memory, and recorded whole (design section 5)
_START = 1024  # bytes that tell what a file is
_CHUNK = 3 << 16  # a multiple of three, so that pieces of base64 fit together


class Source:
    """The bytes of one file. `data` holds them, or `path` says where they are read again."""

    __slots__ = ("_digest", "_stamp", "data", "has_nul", "path", "shown", "size", "start")

    def __init__(self, shown: str, path: str, data: bytes | None = None) -> None:
        self.shown = shown  # as messages call it
        self.path = path  # absolute; "" for standard input
        self.data = data
        self._digest = ""
        self._stamp: tuple[int, ...] = ()
        if data is None:
            self._survey()
        else:
            self.size, self.start, self.has_nul = len(data), data[:_START], b"\0" in data

    def _survey(self) -> None:
        """Read the file once. Raises OSError, and UsageError where it changes meanwhile."""
        digest, self.size, self.start, self.has_nul = sha256_of(), 0, b"", False
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
            before = _stamp_of(file.fileno())
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                self.start = self.start or chunk[:_START]
                self.size += len(chunk)
                if self.size > before[2]:  # it grows, perhaps for ever
                    raise self.changed("while it was read")
                self.has_nul = self.has_nul or b"\0" in chunk
            self._stamp = _stamp_of(file.fileno())
        if self._stamp != before or self.size != self._stamp[2]:
            raise self.changed("while it was read")
        self._digest = digest.hexdigest()

    @property
    def sha256(self) -> str:
        if not self._digest:
            self._digest = sha256_of(self.data or b"").hexdigest()
        return self._digest

    def check(self) -> None:
        """Raises UsageError where the file is no longer what it was when it was read first."""
        if self.data is not None:
            return
        try:
            same = _stamp_of(self.path) == self._stamp
        except OSError as error:
            raise UsageError(f"--file: can't read {self.shown} again: {error.strerror}") from error
        if not same:
            raise self.changed("after it was read")

    def chunks(self) -> Iterator[bytes]:
        """The bytes again. The last chunk comes only when all of them are known to be the same as before."""
        if self.data is not None:
            view = memoryview(self.data)
            yield from (bytes(view[at : at + _CHUNK]) for at in range(0, len(view), _CHUNK))
            return
        digest, last, read = sha256_of(), b"", 0
        try:
            with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
                while chunk := _full_read(file.fileno()):
                    if (read := read + len(chunk)) > self.size:
                        break
                    if last:
                        yield last
                    digest.update(chunk)
                    last = chunk
        except OSError as error:
            raise UsageError(f"--file: can't read {self.shown} again: {error.strerror}") from error
        if read != self.size or digest.hexdigest() != self._digest:
            raise self.changed("while it was sent")
        yield last

    def changed(self, when: str) -> UsageError:
        return UsageError(f"--file: {self.shown} changed {when}", hint="attach a copy that nothing writes to")


def sha256_of(data: bytes = b"") -> Any:
    import hashlib  # which loads OpenSSL

    return hashlib.sha256(data)


def _stamp_of(file: str | int) -> tuple[int, ...]:
    facts = os.stat(file)  # noqa: PTH116 - also of a descriptor
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def _full_read(descriptor: int) -> bytes:
    """A whole chunk, less only at the end: base64 of other pieces doesn't fit together."""
    chunk = os.read(descriptor, _CHUNK)
    while chunk and len(chunk) < _CHUNK and (more := os.read(descriptor, _CHUNK - len(chunk))):
        chunk += more
    return chunk


class Content(ABC):
    """A string of a body that is made when the body is sent.

    `length` counts the bytes of its JSON between the quotes, which `pieces` are; `size` the bytes that it stands for.
    """

    __slots__ = ()
    length: int
    size: int

    @abstractmethod
    def pieces(self) -> Iterator[bytes]: ...

    @abstractmethod
    def check(self) -> None:
        """Raises UsageError where `pieces` wouldn't be any more what `length` was counted for."""


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
    """A text file under its name, in a fence longer than any run of backticks in it. `characters` counts its text.

    `encoding` and `errors` are those of `bytes.decode`; raises UnicodeDecodeError where the file isn't of it.
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
    """All of it, for what is small."""
    text: str = json.loads(b'"' + b"".join(content.pieces()) + b'"')
    return text


def stand_in(head: str, size: int, sha256: str, path: str = "") -> str:
    """`data:application/pdf;base64,… (2000000 bytes, sha256 9f86d081…, /a/b.pdf)`: what is too long to show or keep."""
    return f"{head}… ({size} bytes, sha256 {sha256}{', ' + path if path else ''})"


def with_stand_ins(value: Any) -> Any:
    """A body, or a part of one, for a person: the bytes of files by size, digest and path."""
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
    """The stand-in of a data URL that was given as one, in `--input` or `--body`; what isn't one stays."""
    import base64

    head, _, text = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        return url
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return url
    return stand_in(f"{head},", len(data), sha256_of(data).hexdigest())


class Upload:
    """How far a body is on its way, in bytes; written by who sends it, read by who shows it."""

    def __init__(self) -> None:
        self.sent = self.length = 0

    @property
    def under_way(self) -> bool:
        return self.sent < self.length and self.length > HELD_BYTES

    def words(self, width: int = 20) -> str:
        """`sending 12.3 of 50.0 MB ━━━━━╌╌╌╌╌`, of which the bar has `width` characters."""
        done = width * self.sent // max(self.length, 1)
        return f"sending {self.sent / 1e6:.1f} of {megabytes(self.length)} {'━' * done}{'╌' * (width - done)}"


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


# a body as bytes --------------------------------------------------------------------------------------------------


class Payload:
    """The JSON of a value: its length, and its pieces, as often as they are asked for.

    `sending(sent, length)` hears of every piece.
    """

    def __init__(self, value: Any, *, compact: bool = True, sending: Callable[[int, int], None] | None = None) -> None:
        self._sending = sending
        contents: list[Content] = []
        mark = os.urandom(16).hex()  # can't be foreseen by who writes the text around it

        def marked(content: Any) -> str:
            if not isinstance(content, Content):
                raise TypeError(f"{type(content).__name__} is not JSON")
            contents.append(content)
            return mark

        separators = (",", ":") if compact else None
        text = json.dumps(value, ensure_ascii=False, separators=separators, default=marked)
        data = text.encode(errors="backslashreplace")  # a lone surrogate stays the escape that it came as
        self._fixed = data.split(mark.encode()) if contents else [data]
        self._contents = contents
        self.length = sum(map(len, self._fixed)) + sum(content.length for content in contents)

    def check(self) -> None:
        """Raises UsageError where a file isn't any more what it was."""
        for content in self._contents:
            content.check()

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        if self._sending:
            self._sending(0, self.length)
        for piece in self._pieces():
            yield piece
            sent += len(piece)
            if self._sending:
                self._sending(sent, self.length)

    def _pieces(self) -> Iterator[bytes]:
        yield self._fixed[0]
        for content, after in zip(self._contents, self._fixed[1:], strict=True):
            yield from content.pieces()
            yield after
