"""Inputs made from others: what is changed in them."""

import random
import re
from typing import NamedTuple

from hypothesis import strategies as st

from tests.fuzz.target import Target

_LONGEST = 1 << 16
_MOST = 6  # edits of one input
_BY_TOKEN = 0.4  # of the edits replace a token, so that what is around it keeps its meaning
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|\w+')  # a string or a word


class Edit(NamedTuple):
    """Some bytes are replaced: those at `place`, of which there are `removed`; both count parts if `by_part` is set."""

    place: int
    removed: int
    put: bytes
    by_part: bool


def edited(data: bytes, edits: list[Edit], separator: bytes) -> bytes:
    for edit in edits:
        if edit.by_part:
            parts = data.split(separator)
            place = edit.place % (len(parts) + 1)
            parts[place : place + edit.removed] = [edit.put] if edit.put else []
            data = separator.join(parts)
        else:
            place = edit.place % (len(data) + 1)
            data = data[:place] + edit.put + data[place + edit.removed :]
    return data[:_LONGEST]


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Seeds of the target with edits, and other bytes."""
    put = st.sampled_from(target.words) | st.binary(max_size=6)
    edits = st.builds(Edit, st.integers(0, 5000), st.integers(0, 4), put, st.booleans())
    seeds = st.sampled_from(target.seeds)
    made = st.builds(edited, seeds, st.lists(edits, max_size=_MOST), st.just(target.separator))
    return made | st.binary(max_size=60)


class Mutator:
    """Makes inputs from the seeds, and from those that were kept."""

    def __init__(self, target: Target, seed: int) -> None:
        self._random = random.Random(seed)
        self._target = target
        self._pool = list(target.seeds)

    def make(self) -> bytes:
        rnd = self._random
        data = rnd.choice(self._pool)
        edits = [self._edit(data) for _ in range(rnd.choice((1, 1, 1, 2, 2, 3, _MOST)))]
        return edited(data, edits, self._target.separator)

    def _edit(self, data: bytes) -> Edit:
        rnd = self._random
        by_part = rnd.random() < 0.5
        place = rnd.randrange(len(data) + 1)
        if rnd.random() < _BY_TOKEN and (old := _TOKEN.search(data, place)):
            return Edit(old.start(), len(old[0]), self._token(), by_part=False)
        match rnd.randrange(6):
            case 0:
                return Edit(place, rnd.choice((1, 1, 2, 5, 40)), b"", by_part)
            case 1:  # from another input
                other = rnd.choice(self._pool)
                start = rnd.randrange(len(other) + 1)
                put = rnd.choice(other.split(self._target.separator)) if by_part else other[start : start + 20]
                return Edit(place, rnd.choice((0, 0, 1)), put, by_part)
            case 2:  # again
                start = rnd.randrange(len(data) + 1)
                put = rnd.choice(data.split(self._target.separator)) if by_part else data[start : start + 20]
                return Edit(place, 0, put * rnd.choice((1, 1, 2, 40)), by_part)
            case 3:
                return Edit(place, rnd.choice((0, 1, 4)), rnd.randbytes(rnd.choice((1, 1, 2, 4))), by_part=False)
        return Edit(place, rnd.choice((0, 1, 1)), rnd.choice(self._target.words), by_part)

    def _token(self) -> bytes:
        """A token of another input, or a word."""
        rnd = self._random
        other = rnd.choice(self._pool)
        found = _TOKEN.search(other, rnd.randrange(len(other) + 1)) if rnd.random() < _BY_TOKEN else None
        return found[0] if found else rnd.choice(self._target.words)

    def keep(self, data: bytes) -> None:
        """Make further inputs from this one too."""
        self._pool.append(data)
