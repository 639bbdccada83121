"""`--ordered`: the lines of the output in the order of the input."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from cometresp.batch.digests import digest


class Ordered:
    """Writes lines in the order of their places; those that come early are held until it is their turn."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._next = 0
        self._held: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def put(self, place: int, line: bytes) -> int:
        """Take a line; returns how many places are written."""
        with self._lock:
            self._held[place] = line
            while self._next in self._held:
                self._write(self._held[self._next])
                del self._held[self._next]
                self._next += 1
            return self._next

    def flush(self) -> None:
        """Write what is held, without those before that won't come any more."""
        with self._lock:
            for place in sorted(self._held):
                self._write(self._held.pop(place))


def in_order(ids: Iterable[str]) -> Callable[[BinaryIO], Iterator[bytes]]:
    """The lines of an output in the order of these ids, and then those of other ids: for `Output.replace`.

    A run that was interrupted may have written some of its lines before others that came only later.
    """

    def ordered(file: BinaryIO) -> Iterator[bytes]:
        places: dict[int, int] = {}
        at = 0
        for data in file:
            places[digest(json.loads(data)["custom_id"])] = at
            at += len(data)
        for custom_id in ids:
            if (place := places.pop(digest(custom_id), None)) is not None:
                file.seek(place)
                yield file.readline()
        for place in places.values():
            file.seek(place)
            yield file.readline()

    return ordered
