"""Where text that may still grow can be cut: what comes before can't change any more."""

import re

from cometresp.render.inline import is_closed
from cometresp.render.layout import Before
from cometresp.render.tree import PRINTED, Node, inlines_of
from cometresp.tuples import NamedTuple

_MARKER = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])( *)")
_QUOTED = re.compile(r" {0,3}> ?")
_WIDEST = 4  # blanks behind the marker of a list item; more of them begin code
_ABOVE = 1  # blank line over a table


class Level(NamedTuple):
    """An open list item or quote."""

    opening: str  # the line that opens it again, without text
    margin: str  # what its further lines begin with
    width: int  # columns of its own in that margin, 0 for a quote
    node: Node  # the list, or the quote
    number: int = 1  # of the item


class Cut(NamedTuple):
    """The lines before `line` are final; `levels` are open there."""

    line: int
    levels: tuple[Level, ...] = ()
    inside: Node | None = None  # the block that is cut in two
    next_item: tuple[Node, int] | None = None  # a list that isn't one of the levels, and the number of its next item


class Cutter:
    """Finds the last line before which nothing can change.

    `rows`: lines of a table from which its columns are settled; None: never. `lag`: see `blocks.Splitter`.
    """

    def __init__(self, lines: list[str], before: Before, rows: int | None, *, lag: int | None) -> None:
        self._lines = lines
        self._before = before
        self._rows = rows
        self._lag = lag

    def cut(self, nodes: list[Node], levels: tuple[Level, ...] = ()) -> Cut:
        """Where the blocks of the document, or of the innermost level, can be cut."""
        last = nodes[-1]
        if self._is_closed(last, levels):
            return Cut(last.end, levels)
        part: Cut | None = None
        match last.kind:
            case "list":
                return self._cut_list(last, levels)
            case "quote":
                margin = levels[-1].margin if levels else ""
                level = Level(f"{margin}> ", f"{margin}> ", 0, last)
                part = self.cut(last.children, (*levels, level)) if last.children else None
                part = part if part and _shows_before(last, part.line) else None
            case "code":
                part = self._cut_code(last, levels)
            case "table":
                part = self._cut_table(last, levels)
            case "paragraph" if self._lag is not None:
                part = self._cut_paragraph(last, self._lag, levels)
        return part if part is not None and part.line > last.start else Cut(last.start, levels)

    def _cut_list(self, node: Node, levels: tuple[Level, ...]) -> Cut:
        """Before the last item, or inside of it."""
        item = node.children[-1]
        number = self._before.lists.get((node.start, node.level), node.number) + len(node.children) - 1
        before_item = Cut(item.start, levels)
        if len(node.children) > 1:
            # The item before stays open: as the first line of a text the next item could be the head of a table.
            earlier = self._level(node, node.children[-2], levels, number - 1)
            before_item = (
                Cut(item.start, (*levels, earlier)) if earlier else before_item._replace(next_item=(node, number))
            )
        level = self._level(node, item, levels, number)
        if level is None or not item.children:
            return before_item
        part = self.cut(item.children, (*levels, level))
        return part if _shows_before(item, part.line) else before_item

    def _level(self, node: Node, item: Node, levels: tuple[Level, ...], number: int) -> Level | None:
        """The level of an item; None where its columns are uncertain."""
        line = _inner(self._lines[item.start], levels)
        found = _MARKER.match(line)
        if found is None or "\t" in self._lines[item.start].removesuffix(line[found.end() + 1 :]):
            return None
        blanks = len(found[3])
        if blanks > _WIDEST or not line[found.end() :]:
            blanks = 1
        width = len(found[1]) + len(found[2]) + blanks
        margin = levels[-1].margin if levels else ""
        return Level(margin + line[:width].ljust(width), margin + " " * width, width, node, number)

    def _cut_code(self, node: Node, levels: tuple[Level, ...]) -> Cut | None:
        """Behind the last line that isn't blank: blank lines at the end of code aren't shown."""
        if not node.code:
            return None
        end = node.end
        while end > node.start + 1 and not _inner(self._lines[end - 1], levels).strip():
            end -= 1
        return Cut(end, levels, inside=node)

    def _cut_paragraph(self, node: Node, lag: int, levels: tuple[Level, ...]) -> Cut | None:
        """Behind its last line that waits for none, if the lines so far look the same whatever comes after them."""
        lines = node.text.split("\n")[: max(node.end - node.start - lag, 0)]
        if lines and "|" in lines[-1]:  # it may be the head of a table
            lines.pop()
        if not lines or lines[0].startswith("[") or not is_closed(inlines_of("\n".join(lines), {})):
            return None
        return Cut(node.start + len(lines), levels, inside=node)

    def _cut_table(self, node: Node, levels: tuple[Level, ...]) -> Cut | None:
        """Behind the last row, if the columns are settled, or must be."""
        if self._rows is None or node.end - node.start <= 2:  # noqa: PLR2004 - the head alone
            return None
        goes_on = node.start < self._before.head
        return Cut(node.end, levels, inside=node) if goes_on or node.end - node.start + _ABOVE > self._rows else None

    def _is_closed(self, node: Node, levels: tuple[Level, ...]) -> bool:
        """Whether a block, the last one so far, has ended."""
        if node.kind in ("heading", "rule"):
            return True
        if node.kind == "code":
            last = _inner(self._lines[node.end - 1], levels)
            return bool(node.markup) and node.end - node.start > 1 and _closes(last, node.markup)
        return node.kind != "list" and node.end < len(self._lines)  # a blank line follows


def opening_lines(cut: Cut, lines: list[str]) -> tuple[list[str], dict[tuple[int, int], int]]:
    """The lines that open again what is open at a cut, and the numbers of the lists in them, by line and level."""
    head: list[str] = []
    numbers = {}
    for level in cut.levels:
        if level.node.kind == "list":
            numbers[len(head), level.node.level] = level.number
        head += [level.opening + PRINTED, level.margin.rstrip()]
    margin = cut.levels[-1].margin if cut.levels else ""
    inside = cut.inside
    if inside is None:
        if cut.next_item is not None:
            node, number = cut.next_item
            numbers[len(head), node.level] = number
        return head, numbers
    if inside.kind == "paragraph":
        return (head[:-1] if head else [PRINTED]), numbers
    if inside.kind == "table":
        return [*head, *(margin + _inner(lines[inside.start + n], cut.levels) for n in range(2))], numbers
    if inside.markup:
        return [*head, margin + _inner(lines[inside.start], cut.levels), margin + PRINTED], numbers
    return [*head, f"{margin}    {PRINTED}"], numbers


def _inner(line: str, levels: tuple[Level, ...]) -> str:
    """A line without the margins of its levels."""
    for level in levels:
        line = line[level.width :] if level.width else _QUOTED.sub("", line, count=1)
    return line


def _shows_before(node: Node, line: int) -> bool:
    """Whether an item or quote has lines of its own before a line of the source."""
    return any(child.start < line and _is_surely_shown(child) for child in node.children)


def _is_surely_shown(node: Node) -> bool:
    """Whether a block has lines, as far as its source says: an item's marker stands before the first one."""
    if node.children or node.kind in ("quote", "list"):
        return any(map(_is_surely_shown, node.children))
    if node.kind == "code":
        return bool(node.text.strip())
    return node.kind not in ("paragraph", "heading") or bool(re.search(r"\w|\x02", re.sub(r"<[^>]*>", "", node.text)))


def _closes(line: str, fence: str) -> bool:
    found = re.fullmatch(r" {0,3}([`~]+)[ \t]*", line)
    return found is not None and found[1].startswith(fence) and set(found[1]) == {fence[0]}
