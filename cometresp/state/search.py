r"""Recorded turns that have some words. Most of them are passed over by their bytes, without reading JSON.

A turn that is passed over can't have the words: what is recorded has ASCII as it is in the text, and everything else
as `\u` and four digits. Those that are left are read, and looked through as text.
"""

import json
import re
import sqlite3
import unicodedata
from collections.abc import Sequence

from cometresp.state.transcript import has_words
from cometresp.tuples import NamedTuple
from cometresp.wire.json import listed

HIGHEST = 2**63 - 1  # the highest number that a row can have
_PAGE = 200  # rows that are read at a time

# What is said of an item without a type, and looks like a word of the text.
_SAID = "none"
# Characters that `str.casefold` makes ASCII of, at least in part.
FOLDED = "ßİŉſǰẖẗẘẙẚẞ\u212aﬀﬁﬂﬃﬄﬅﬆ"
_WITH_CASE = range(0x80, 0x1E944)  # beyond it no character has another case
_PLAIN = re.compile(r"[a-z0-9_.-]+")  # as it is in JSON, also beside an escape
# Texts of one message are put together without a blank: a word may begin in the one and end in the other. Summaries of
# reasoning aren't looked through.
# Each pattern begins with a character that few texts have: `in` would be slower.
_TEXT, _NO_TEXT = b'"text"', b'"type": "summary_text", "text": "'
_PARTS = re.compile(rb'"(?:text"|refusal"|content": \[")')
_STRING = re.compile(rb'\}, "')
_IMAGE = b";base64,"  # its size is said in its place


class Search:
    """Turns that have all these words, in any case, in their prompt, their answer or their calls."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [word.casefold() for word in words]
        self._signs = [sign for word in self._words if (sign := _sign(word))]
        self._letters = _letters(self._words)

    def page(self, db: sqlite3.Connection, last: int, chain: str | None) -> tuple[list[int], int | None]:
        """The numbers of the turns among the next ones before `last`, and the `last` of the next page, if there is one.

        One whose record can't be read is among them: whoever reads it finds that out.
        """
        of_chain = "" if chain is None else "AND chain = :chain"
        rows = db.execute(
            "SELECT n, CAST(coalesce(input, '') AS BLOB), CAST(coalesce(output, '') AS BLOB) FROM turns"  # noqa: S608
            f" WHERE n < :n {of_chain} ORDER BY n DESC LIMIT :most",
            {"n": last, "chain": chain, "most": _PAGE},
        ).fetchall()
        return [n for n, *columns in rows if self._fits(*columns)], rows[-1][0] if rows else None

    def _fits(self, asked: bytes, answered: bytes) -> bool:
        if not (asked or answered) or not self._may_fit(asked, answered):
            return False
        try:
            items, output = (listed(json.loads(column)) if column else [] for column in (asked, answered))
            return has_words(items, output, self._words)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return True

    def _may_fit(self, asked: bytes, answered: bytes) -> bool:
        """Whether the columns have what they must have where the text has the words."""
        lower = (asked + b"\n" + answered).lower()
        for forms in self._letters:
            if not any(form in lower for form in forms):
                return not lower.isascii()
        for sign in self._signs:
            if sign.text not in lower and not (sign.others and sign.is_in(lower)):
                return _is_unlike_its_text(lower, answered)
        return True


class _Sign(NamedTuple):
    """A part of a word as it stands in the columns; `others` are characters that become a part of it, and what."""

    text: bytes
    others: tuple[tuple[bytes, bytes], ...]

    def is_in(self, lower: bytes) -> bool:
        """Whether it is there once the others have become what they become."""
        if not any(escape in lower for escape, _ in self.others):
            return False
        for escape, folded in self.others:
            lower = lower.replace(escape, folded)
        return self.text in lower


def _is_unlike_its_text(lower: bytes, answered: bytes) -> bool:
    """Whether the text may have what the columns don't have. Most turns have one text; this is run for each of them."""
    if not lower.isascii():
        return True
    parts = _PARTS.findall(answered)
    if len(parts) > 1 and len(parts) - answered.count(_NO_TEXT) > 1:
        return True
    if parts.count(_TEXT) != len(parts):
        return True
    return _STRING.search(answered) is not None or (b";" in lower and _IMAGE in lower)


def _sign(word: str) -> _Sign | None:
    """The longest part of a word that stands in the columns as it does in the text; None where there is none."""
    caseless = "".join(letter if unicodedata.category(letter) == "Lo" else " " for letter in word)
    parts = [*_PLAIN.findall(word), *map(_escaped, caseless.split())]
    sign = max((part for part in parts if part not in _SAID), key=len, default="")
    others = [(_escaped(one), _escaped(one.casefold())) for one in FOLDED if _overlap(sign, one.casefold())]
    return _Sign(sign.encode(), tuple((escape.encode(), fold.encode()) for escape, fold in others)) if sign else None


def _overlap(sign: str, folded: str) -> bool:
    """Whether the one has the other, or the end of the one may be the beginning of the other."""
    ends = range(1, len(folded) + 1)
    return (
        sign in folded or folded in sign or any(sign.endswith(folded[:n]) or sign.startswith(folded[-n:]) for n in ends)
    )


def _letters(words: Sequence[str]) -> list[list[bytes]]:
    """Of each character that isn't ASCII and may have several forms, how those stand in the columns."""
    wanted = {letter for word in words for letter in word if not letter.isascii()}
    cased = {letter for letter in wanted if unicodedata.category(letter) != "Lo"}
    if not cased:
        return []
    folds = [(one, one.casefold()) for one in map(chr, _WITH_CASE)]
    return [
        [_escaped(one).encode() for one in {letter, *(one for one, folded in folds if letter in folded)}]
        for letter in sorted(cased)
    ]


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1].lower()
