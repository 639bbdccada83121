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
from cometresp.wire.json import listed

HIGHEST = 2**63 - 1  # the highest number that a row can have
_PAGE = 200  # rows that are read at a time

# What is said of an item without a type, and looks like a word of the text.
_SAID = "none"
# Characters that `str.casefold` makes ASCII of, at least in part.
FOLDED = "ßİŉſǰẖẗẘẙẚẞ\u212aﬀﬁﬂﬃﬄﬅﬆ"
_PLAIN = re.compile(r"[a-z0-9_.-]+")  # as it is in JSON, also beside an escape
# Texts of one message are put together without a blank: a word may begin in the one and end in the other. Summaries of
# reasoning aren't looked through.
_TEXTS = (b'"text"', b'"refusal"')
_NO_TEXT = b'"type": "summary_text", "text": "'
_OF_SEVERAL = (b'"content": ["', b'}, "')
_IMAGE = b";base64,"  # its size is said in its place


class Search:
    """Turns that have all these words, in any case, in their prompt, their answer or their calls."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [word.casefold() for word in words]
        signs = [sign for word in self._words if (sign := _sign(word))]
        self._signs = [sign.encode() for sign in signs]
        self._only_escaped = not all(word.isascii() for word in self._words)
        letters = {letter for sign in signs for letter in sign}
        folded = [one for one in FOLDED if letters & set(one.casefold())]
        self._folded = re.compile("|".join(re.escape(_escaped(one)) for one in folded).encode()) if folded else None

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
        whole = asked + b"\n" + answered
        if self._only_escaped and b"\\u" not in whole and whole.isascii():
            return False
        lower = whole.lower()
        return all(sign in lower for sign in self._signs) or self._is_unlike_its_text(lower, answered)

    def _is_unlike_its_text(self, lower: bytes, answered: bytes) -> bool:
        """Whether the text may have a sign that the columns don't have."""
        texts = sum(answered.count(name) for name in _TEXTS)
        return (
            (texts > 1 and texts - answered.count(_NO_TEXT) > 1)
            or any(part in answered for part in _OF_SEVERAL)
            or _IMAGE in lower
            or not lower.isascii()
            or (self._folded is not None and b"\\u" in lower and self._folded.search(lower) is not None)
        )


def _sign(word: str) -> str:
    """The longest part of a word that stands in the columns as it does in the text; "" where there is none."""
    signs = _PLAIN.findall(word) + [_escaped(part) for part in _caseless(word)]
    return max((sign for sign in signs if sign not in _SAID), key=len, default="")


def _caseless(word: str) -> list[str]:
    """The parts of a word whose letters have no case, as those of Chinese: nothing else becomes them."""
    letters = "".join(letter if unicodedata.category(letter) == "Lo" else " " for letter in word)
    return letters.split()


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1].lower()
