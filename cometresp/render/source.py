"""Which parts of a text of Markdown are shown as their source: code, HTML and link definitions. Pure."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from cometresp.render.tree import Node, parse

_KINDS = frozenset({"code", "html", "definition"})
_MAY_BE = re.compile(r" {4}|\t|```|~~~|<|\]:")  # without any of these there is none


class Source:
    """The source in a text that grows. What can't change any more isn't parsed again; `parsed` counts characters."""

    def __init__(self) -> None:
        self.parsed = 0
        self._begin = 0  # of the last block that was found
        self._end = 0  # of the text that was read
        self._final: list[tuple[int, int]] = []  # source before `_begin`
        self._open: list[tuple[int, int]] = []  # source behind it

    def has(self, whole: str, place: int, end: int) -> bool:
        """Whether the character before a place is in source, as far as the first `end` characters of a text say."""
        if end != self._end:
            self._read(whole, end)
        ranges = self._final if place <= self._begin else self._open
        before = bisect_left(ranges, (place,))
        return before > 0 and place <= ranges[before - 1][1]

    def _read(self, whole: str, end: int) -> None:
        if end < self._end:
            self._begin, self._final = 0, []
        self._end, self._open = end, []
        text = whole[self._begin : end]
        if not _MAY_BE.search(text):
            return
        self.parsed += len(text)
        nodes = parse(text.replace("\r", " "), {"references": {}})
        lines = text.split("\n")
        starts = list(accumulate((len(line) + 1 for line in lines), initial=self._begin))
        found = [(starts[first], starts[behind]) for first, behind in _lines_of(nodes)]
        whole_lines = len(lines) - 1  # the last one may become anything
        last = max((node.start for node in nodes if node.start < whole_lines), default=0)
        self._begin = starts[last]
        self._final += [one for one in found if one[0] < self._begin]
        self._open = [one for one in found if one[0] >= self._begin]


def _lines_of(nodes: Iterable[Node]) -> Iterator[tuple[int, int]]:
    """The first line of each source, and the line behind its last one."""
    for node in nodes:
        if node.kind in _KINDS:
            yield node.start, node.end
        else:
            yield from _lines_of(node.children)
