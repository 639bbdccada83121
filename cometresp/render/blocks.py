"""Markdown as it arrives: what can't change any more is returned once, the unfinished rest can be previewed.

markdown-it's block parser decides what is finished, not blank lines. Only whole lines are parsed. CommonMark closes
blocks line by line, so everything before the last block is final. So are, inside the last block, the items before its
last one, the blocks before the last one of an item or quote, complete lines of code, and rows of a table whose columns
are settled.

The text of what was returned is forgotten. Where it leaves lists, quotes, code or a table open, lines are put in its
place that open them again (`tree.PRINTED`), so that the rest is parsed as it is in the whole document. Link definitions
are kept: they apply to all text after them.

Text is escaped twice: the source here, so that control characters are no part of its structure, and what is rendered in
`inline`, since parsing decodes character references. An escape is plain ASCII, which stays what it is.
"""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from cometresp.render.code import Highlighter
from cometresp.render.console import AnswerConsole
from cometresp.render.cuts import Cut, Cutter, opening_lines
from cometresp.render.grid import Columns
from cometresp.render.layout import Before, Layout, last_shown
from cometresp.render.tree import Node, is_blank, parse, parse_inlines
from cometresp.text import escape
from cometresp.wire.json import Json

_OFTEN = 2_000  # characters; of a longer rest only every eighth that is added is parsed again


class Blocks:
    """Blocks as a renderable."""

    def __init__(self, nodes: list[Node], lines: list[str], before: Before, *, preview: bool = False) -> None:
        self.nodes = nodes
        self._lines = lines
        self._before = before
        self._preview = preview

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        links = isinstance(console, AnswerConsole) and console.links
        layout = Layout(console, self._lines, self._before, links=links, preview=self._preview)
        for row in layout.rows(self.nodes, options.max_width):
            yield from row.text.render(console, end="")
            yield Segment.line()


class Splitter:
    """Splits text that arrives in pieces of any size into finished blocks, or parts of blocks.

    `lag`: a line of a paragraph is finished when so many complete lines follow it and no markup is open; None: when the
    paragraph is. It may look different than in the whole document then: as the title over a row of `=`, for example.
    """

    def __init__(self, *, lag: int | None = None) -> None:
        self._lag = lag
        self._env: Json = {"references": {}}
        self._rest = ""  # not returned yet, behind the lines that stand for what was
        self._parsed = 0  # length of the whole lines in it that were parsed
        self._carry = ""  # a carriage return whose newline may be in the next piece
        self._before = Before()
        self._carried: object = None  # of the block that goes on

    def feed(self, text: str) -> None:
        text = self._carry + text
        self._carry = "\r" if text.endswith("\r") else ""
        self._rest += escape(text.removesuffix("\r"))

    def insert(self, text: str, *, before: str) -> bool:
        """Put text before the end of what was fed, `before`, unless that was returned; returns whether it was done."""
        rest, tail = self._rest, escape(before)
        place = len(rest) - len(tail)
        returned = sum(len(line) + 1 for line in rest.split("\n")[: self._before.head])
        if self._carry or place <= returned or not rest.endswith(tail):
            return False
        self._rest = rest[:place] + escape(text) + rest[place:]
        self._parsed = min(self._parsed, place)  # what follows is parsed again
        return True

    def finished(self, rows: int | None = None) -> Blocks | None:
        """What was finished since the last call, if anything.

        The rows of a table are returned together when it has ended; or, if there are more than `rows` lines of it, as
        they come.
        """
        end = self._rest.rfind("\n") + 1
        if end <= self._parsed or (end > _OFTEN and end - self._parsed < end // 8):
            return None
        self._parsed = end
        whole = self._rest[:end]
        nodes = self._parse(whole, self._scratch())
        if not nodes:
            return None
        lines = whole.split("\n")[:-1]
        cut = Cutter(lines, self._before, rows, lag=self._lag).cut(nodes, ())
        if cut.line <= self._before.head:
            return None
        return self._take(lines, cut)

    def tail(self, lines: int) -> Blocks:
        """A preview of the end of the unfinished text: at least so many lines, without parsing all of a long block."""
        all_lines = self._rest.split("\n")
        head = self._before.head
        if len(all_lines) - head <= 4 * lines:
            return self._preview(self._rest)
        return self._preview("\n".join(all_lines[:head] + all_lines[-2 * lines :]))

    def end(self) -> Blocks | None:
        """The rest of the text; the next text starts a new document."""
        self._rest += escape(self._carry)
        self._carry = ""
        lines = self._rest.split("\n")
        is_text = any(line.strip() for line in lines[self._before.head :])
        blocks = self._take(lines, Cut(len(lines))) if is_text else None
        self._rest, self._parsed = "", 0
        self._before = Before(last=self._before.last and "paragraph")
        return blocks

    def _preview(self, source: str) -> Blocks:
        env = self._scratch()
        nodes = self._parse(source, env)
        parse_inlines(nodes, env)
        return Blocks(nodes, source.split("\n"), self._before, preview=True)

    def _parse(self, source: str, env: Json) -> list[Node]:
        """The blocks of the source; the one that goes on has what was carried to it."""
        nodes = parse(source, env)
        if self._carried is not None and (node := _last_before(nodes, self._before.head)) is not None:
            node.carried = self._carried
        return nodes

    def _scratch(self) -> Json:
        """A copy of the link definitions so far: those in the rest may still change."""
        return {"references": dict(self._env["references"])}

    def _take(self, lines: list[str], cut: Cut) -> Blocks | None:
        source = "".join(f"{line}\n" for line in lines[: cut.line])
        nodes = self._parse(source, self._env)
        parse_inlines(nodes, self._env)
        blocks = Blocks(nodes, lines[: cut.line], self._before)
        leaf = last_shown(nodes, self._before.head)
        self._carried = None
        if leaf is not None and cut.inside is not None:
            leaf.carried = self._carried = leaf.carried or _carried_by(leaf)
        head, lists = opening_lines(cut, lines)
        self._rest = "".join(f"{line}\n" for line in head) + self._rest[len(source) :]
        self._parsed = 0
        last = leaf.kind if leaf is not None else self._before.last
        outer = next(
            (node.kind for node in reversed(nodes) if last_shown([node], self._before.head)), self._before.outer
        )
        self._before = Before(last, outer, is_blank(lines[cut.line - 1]), len(head), lists)
        return blocks if nodes else None


def _carried_by(leaf: Node) -> object:
    """What the layout of the first part of a block keeps for the next."""
    if leaf.kind == "code":
        return Highlighter(leaf.language)
    return Columns(goes_on=True) if leaf.kind == "table" else None


def _last_before(nodes: list[Node], line: int) -> Node | None:
    """The innermost of the last blocks that start before a line."""
    found = None
    while earlier := [node for node in nodes if node.start < line]:
        found = earlier[-1]
        nodes = found.children
    return found
