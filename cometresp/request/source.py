"""The bytes of a file, read again each time a body is sent."""

import os
from collections.abc import Iterator
from typing import Any

from cometresp.errors import UsageError

_START = 1024  # bytes kept to identify the file's type
_CHUNK = 3 << 16  # a multiple of three, so that pieces of base64 can be joined


class Source:
    """The bytes of one file: `data`, or, where that is None, read again from `path` in chunks."""

    __slots__ = ("_chunk", "_digest", "_stamp", "data", "has_nul", "path", "shown", "size", "start")

    def __init__(self, shown: str, path: str, data: bytes | None = None, *, chunk: int = _CHUNK) -> None:
        self.shown = shown  # its name in messages
        self.path = path  # absolute; "" for standard input
        self.data = data
        self._chunk = chunk
        self._digest = ""
        self._stamp: tuple[int, ...] = ()
        if data is None:
            self._scan()
        else:
            self.size, self.start, self.has_nul = len(data), data[:_START], b"\0" in data

    def _scan(self) -> None:
        """Read the file once. Raises OSError, and UsageError if it changes while it is read."""
        digest, self.size, self.start, self.has_nul = sha256_of(), 0, b"", False
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
            before = _stamp_of(file.fileno())
            while chunk := file.read(self._chunk):
                digest.update(chunk)
                self.start = self.start or chunk[:_START]
                self.size += len(chunk)
                if self.size > before[2]:  # it grows, perhaps without end
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
        """Raises UsageError if the file has changed since it was first read."""
        if self.data is not None:
            return
        try:
            same = _stamp_of(self.path) == self._stamp
        except OSError as error:
            raise UsageError(f"--file: can't read {self.shown} again: {error.strerror}") from error
        if not same:
            raise self.changed("after it was read")

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in chunks. The last chunk is only returned after all of them are known to be unchanged."""
        if self.data is not None:
            view = memoryview(self.data)
            yield from (bytes(view[at : at + self._chunk]) for at in range(0, len(view), self._chunk))
            return
        digest, last, read = sha256_of(), b"", 0
        try:
            with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
                while chunk := _full_read(file.fileno(), self._chunk):
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
    facts = os.stat(file)  # noqa: PTH116 - it may be a descriptor
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def _full_read(descriptor: int, size: int) -> bytes:
    """A whole chunk; less only at the end, since base64 of other pieces can't be joined."""
    chunk = os.read(descriptor, size)
    while chunk and len(chunk) < size and (more := os.read(descriptor, size - len(chunk))):
        chunk += more
    return chunk
