"""A request body as bytes, in pieces, with a length that is known before it is sent."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from cometresp.text import valid_json

HELD_BYTES = 1_000_000  # files up to this size are kept in memory, and recorded in full


class Content(ABC):
    """A string in a body that is read while the body is sent.

    `length` is the number of bytes between the quotes in the JSON, which `pieces` yields. `size` is the number of bytes
    of the source, such as a file.
    """

    __slots__ = ()
    length: int
    size: int

    @abstractmethod
    def pieces(self) -> Iterator[bytes]: ...

    @abstractmethod
    def check(self) -> None:
        """Raises UsageError if the source has changed since `length` was counted."""


class Upload:
    """How many bytes of a body have been sent. The client writes it, the screen reads it."""

    def __init__(self) -> None:
        self.sent = self.length = 0

    @property
    def under_way(self) -> bool:
        return self.sent < self.length and self.length > HELD_BYTES

    def words(self, width: int = 20) -> str:
        """`sending 12.3 of 50.0 MB ━━━━━╌╌╌╌╌`, with a bar of `width` characters."""
        done = width * self.sent // max(self.length, 1)
        return f"sending {self.sent / 1e6:.1f} of {megabytes(self.length)} {'━' * done}{'╌' * (width - done)}"


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


# a body as bytes --------------------------------------------------------------------------------------------------


class Payload:
    """The JSON of a value: its length, and an iterable of its pieces. It can be iterated over more than once.

    `on_upload(sent, length)` is called after each piece; both are in bytes.
    """

    def __init__(
        self, value: object, *, compact: bool = True, on_upload: Callable[[int, int], None] | None = None
    ) -> None:
        self._on_upload = on_upload
        contents: list[Content] = []
        mark = os.urandom(16).hex()  # random, so that it can't occur in the body

        def marked(content: object) -> str:
            if not isinstance(content, Content):
                raise TypeError(f"{type(content).__name__} is not JSON")
            contents.append(content)
            return mark

        separators = (",", ":") if compact else None
        text = json.dumps(value, ensure_ascii=False, separators=separators, default=marked)
        data = valid_json(text).encode(errors="backslashreplace")  # a lone surrogate is sent as a JSON escape
        self._fixed = data.split(mark.encode()) if contents else [data]
        self._contents = contents
        self.length = sum(map(len, self._fixed)) + sum(content.length for content in contents)

    def check(self) -> None:
        """Raises UsageError if a file has changed since the payload was made."""
        for content in self._contents:
            content.check()

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        if self._on_upload:
            self._on_upload(0, self.length)
        for piece in self._pieces():
            yield piece
            sent += len(piece)
            if self._on_upload:
                self._on_upload(sent, self.length)

    def _pieces(self) -> Iterator[bytes]:
        yield self._fixed[0]
        for content, after in zip(self._contents, self._fixed[1:], strict=True):
            yield from content.pieces()
            yield after
