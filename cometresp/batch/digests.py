"""A set of digests of ids, in 8 to 27 bytes for each: a million of them are no burden."""

from array import array
from hashlib import blake2b

_LEAST = 1 << 12
_FULL = 0.6


def digest(custom_id: str) -> int:
    """A number below 2**64 that is the same for an id on every machine, and never 0."""
    data = custom_id.encode(errors="surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") or 1


class Digests:
    """Open addressing in one array; a place that holds 0 is free."""

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * _LEAST))
        self._mask = _LEAST - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        return self._places[self._place(number)] != 0

    def add(self, number: int) -> bool:
        """Add a digest; False if it was there."""
        place = self._place(number)
        if self._places[place]:
            return False
        self._places[place] = number
        self._count += 1
        if self._count > _FULL * (self._mask + 1):
            self._grow()
        return True

    def _place(self, number: int) -> int:
        place, mask, places = number & self._mask, self._mask, self._places
        while (found := places[place]) and found != number:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = self._places
        self._mask = (self._mask + 1) * 2 - 1
        self._places = array("Q", bytes(8 * (self._mask + 1)))
        for number in old:
            if number:
                self._places[self._place(number)] = number
