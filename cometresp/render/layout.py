"""Blocks laid out as lines of a width: one blank line between blocks, lists and quotes as their source has them.

Text is wrapped here. Lines of code are not: the terminal wraps them, so that what is copied is the code; for the same
reason nothing stands before them but the margin of a quote.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from rich.console import Console
from rich.text import Text

from cometresp.render.code import Highlighter
from cometresp.render.grid import Columns, rows_of
from cometresp.render.inline import inline_text
from cometresp.render.tree import Node, is_blank
from cometresp.text import escape
from cometresp.tuples import NamedTuple

_HEADINGS = {1: "bold underline magenta", 2: "bold magenta", 3: "bold"}
_LEAST = 10  # columns of text; blocks that are nested deeper aren't indented further
_SPACIOUS = frozenset({"code", "table", "html"})
_BLANK = Text()


class Before(NamedTuple):
    """What was printed of a document before the blocks that are laid out.

    The first `head` lines of their source stand for it, and the lists at `lists` (line, level) go on with a number.
    """

    last: str = ""  # the kind of the innermost last block, "" if there was none
    outer: str = ""  # the kind of the outermost block that it is in
    blank: bool = False  # the source has a blank line after it
    head: int = 0
    lists: Mapping[tuple[int, int], int] = MappingProxyType({})


class Row(NamedTuple):
    """A line; `verbatim`, it isn't wrapped, and has no blanks in front."""

    text: Text
    verbatim: bool = False

    def behind(self, margin: Text) -> "Row":
        if self.verbatim and not margin.plain.strip():
            return self
        text = margin + self.text
        if not self.verbatim:
            text.rstrip()
        return Row(text, self.verbatim)


class Layout:
    """The layout of the next blocks of a document. A preview changes nothing of what is carried to the blocks after."""

    def __init__(self, console: Console, lines: list[str], before: Before, *, links: bool, preview: bool) -> None:
        self._console = console
        self._lines = lines
        self._before = before
        self._links = links
        self._preview = preview
        self._plain = console.no_color or console.color_system is None
        self._ascii = console.options.ascii_only
        self._begun = False  # a line was laid out

    def rows(self, nodes: Iterable[Node], width: int, parent: Node | None = None) -> Iterator[Row]:
        """The lines of blocks; `parent` is the list item or quote that they are in."""
        return self._spaced(((node, self._rows(node, width)) for node in nodes), parent)

    def _spaced(self, laid_out: Iterable[tuple[Node, Iterator[Row]]], parent: Node | None) -> Iterator[Row]:
        """The lines of blocks, or of the items of a list, with the blank lines between them."""
        previous: Node | None = None
        for node, rows in laid_out:
            gap, shown = self._gap(previous, node, parent), False
            for row in rows:
                if gap and not shown:
                    yield Row(_BLANK)
                shown = self._begun = True
                yield row
            previous = node if shown else previous

    def _gap(self, previous: Node | None, node: Node, parent: Node | None) -> bool:
        """Whether a blank line comes before a block, or an item of a list."""
        if self._goes_on(node) or (previous is None and parent is not None and not self._goes_on(parent)):
            return False
        if self._begun:
            leaf = last_shown([previous] if previous is not None else [])
            last, blank = leaf.kind if leaf is not None else "", self._is_blank_before(node)
            before = previous.kind if previous is not None else ""
        else:
            is_next = all(map(is_blank, self._lines[self._before.head : node.start]))
            last, blank = self._before.last, (self._before.blank and is_next) or self._is_blank_before(node)
            before = self._before.outer
        if node.level or before == node.kind in ("definition", "list"):
            return blank or node.kind in _SPACIOUS or last in _SPACIOUS
        return bool(last)

    def _goes_on(self, node: Node) -> bool:
        """Whether a block began before."""
        return node.start < self._before.head or (node.start, node.level) in self._before.lists

    def _is_blank_before(self, node: Node) -> bool:
        line = node.start - 1
        return line >= self._before.head and is_blank(self._lines[line])

    def _rows(self, node: Node, width: int) -> Iterator[Row]:
        match node.kind:
            case "list":
                return self._list(node, width)
            case "quote":
                return self._quote(node, width)
            case "code":
                return self._code(node, width)
            case "table":
                return self._table(node, width)
            case "rule":
                return iter([Row(Text.assemble((("-" if self._ascii else "─") * width, "dim")))])
            case "html" | "definition":
                return self._wrapped(Text.assemble((escape(node.text.rstrip("\n")), "dim")), width)
        text = _prose(node, links=self._links)
        if not text:
            return iter(())
        if node.kind == "heading":
            text.stylize(_HEADINGS.get(node.number, "bold italic"))
        return self._wrapped(text, width)

    def _wrapped(self, text: Text, width: int) -> Iterator[Row]:
        for line in text.wrap(self._console, max(width, 1), overflow="fold", tab_size=4):
            line.rstrip()
            yield Row(line)

    def _code(self, node: Node, width: int) -> Iterator[Row]:
        if not node.is_printed and len(node.info.split()) > 1:  # a file's name, for example
            yield from self._wrapped(Text.assemble((escape(node.info.strip()), "dim")), width)
        code = node.code
        if not code:
            return
        if self._plain:
            lines = [Text(line) for line in code.split("\n")]
        else:
            node.carried = node.carried or Highlighter(node.language)
            lines = node.carried.preview(code) if self._preview else node.carried.add(code)
        for line in lines:
            if self._preview:
                yield from self._wrapped(line, width)
            else:
                yield Row(line, verbatim=True)

    def _table(self, node: Node, width: int) -> Iterator[Row]:
        node.carried = node.carried or Columns()
        cells = [inline_text(cell, links=self._links) for cell in node.inlines]
        goes_on = self._goes_on(node)
        for line in rows_of(node, cells, width, self._console, goes_on=goes_on, settle=not self._preview):
            yield Row(line)

    def _quote(self, node: Node, width: int) -> Iterator[Row]:
        margin = Text.assemble(("| " if self._ascii else "▌ ", "magenta"))
        inner = width - len(margin)
        if inner < _LEAST:
            yield from self.rows(node.children, width, node)
            return
        for row in self.rows(node.children, inner, node):
            yield row.behind(margin)

    def _list(self, node: Node, width: int) -> Iterator[Row]:
        number = self._before.lists.get((node.start, node.level), node.number)
        bullet = " * " if self._ascii else " • "
        markers = (f"{number + n}. ".rjust(4) if node.ordered else bullet for n in range(len(node.children)))
        items = zip(node.children, markers, strict=True)
        return self._spaced(((item, self._item(item, marker, width)) for item, marker in items), node)

    def _item(self, item: Node, marker: str, width: int) -> Iterator[Row]:
        inner, margin, first = width - len(marker), Text(" " * len(marker)), Text.assemble((marker, "bold"))
        if inner < _LEAST:
            inner, margin = width, Text()
        if self._goes_on(item):
            first = margin
        rows = self.rows(item.children, inner, item)
        row = next(rows, None)
        if row is None:
            if not self._goes_on(item):
                yield Row(Text.assemble((marker.rstrip(), "bold")))
            return
        if first is not margin and (row.verbatim or inner == width):
            yield Row(Text.assemble((marker.rstrip(), "bold")))
            first = margin
        yield row.behind(first)
        for row in rows:
            yield row.behind(margin)


def last_shown(nodes: list[Node], head: int = 0) -> Node | None:
    """The innermost block of the last one that has lines. What starts before the line `head` was printed before."""
    for node in reversed(nodes):
        if (leaf := last_shown(node.children, head)) is not None:
            return leaf
        if node.kind == "code":
            shown = bool(node.code)
        elif node.kind in ("paragraph", "heading"):
            shown = bool(_prose(node, links=False))
        elif node.kind == "item":
            shown = node.start >= head
        else:
            shown = node.kind not in ("quote", "list")
        if shown:
            return node
    return None


def _prose(node: Node, *, links: bool) -> Text:
    """The text of a paragraph or heading that wasn't printed before."""
    text = inline_text(node.inlines[0], links=links)
    while text.plain.startswith("\n"):  # behind what was printed, or a break without text before it
        text = text[1:]
    return text
