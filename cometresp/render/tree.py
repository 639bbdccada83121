"""Markdown as a tree of blocks, as markdown-it's block parser finds them.

A line that starts with `PRINTED` stands for text that was printed before: `blocks.Splitter` writes such lines in place
of the text, so that the rest is parsed inside the same lists and quotes. No text has that character: it is escaped.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cometresp.wire.json import Json

PRINTED = "\x02"
_DEEPEST = 100  # nested blocks; what is inside of more of them isn't parsed
_MARGIN = re.compile(r"(?:\s*>)+")  # of the quotes that a line is in
_LEAVES = frozenset({"heading", "paragraph"})
_KINDS = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "blockquote_open": "quote",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "html_block": "html",
    "hr": "rule",
    "definition": "definition",
}


class _Parser(MarkdownIt):
    """Addresses stay as they were written: what is shown can be found in the source."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        return url


_PARSER = _Parser("commonmark", {"inline_definitions": True, "maxNesting": _DEEPEST})
_PARSER.enable("strikethrough").enable("table")


@dataclass(slots=True)
class Node:
    """A block. `text` is the source of its inlines, or its content; lines are counted from 0."""

    kind: str
    start: int
    end: int
    level: int
    text: str = ""
    markup: str = ""  # the marker of a list or heading, the fence of code
    info: str = ""  # of a fence
    number: int = 1  # of a list's first item, or a heading's level
    ordered: bool = False
    children: list["Node"] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)  # of a table, from its head on
    aligned: list[str] = field(default_factory=list)
    inlines: list[list[Token]] = field(default_factory=list)  # of the text, or of the cells, row by row
    carried: Any = None  # what the layout of a block keeps for the rest of it

    @property
    def is_printed(self) -> bool:
        """Whether the block begins with text that was printed before."""
        return self.text.startswith(PRINTED)

    @property
    def language(self) -> str:
        """The language that a fence names, or ""."""
        return (self.info.split() or [""])[0]

    @property
    def code(self) -> str:
        """The code that wasn't printed before, without the blank lines at its end."""
        lines = self.text.removeprefix(f"{PRINTED}\n").split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        return "\n".join(lines)


def parse(source: str, env: Json) -> list[Node]:
    """The blocks of a source; its link definitions are added to `env["references"]`."""
    tokens: list[Token] = []
    _PARSER.block.parse(source, _PARSER, env, tokens)
    top: list[Node] = []
    path: list[Node] = []
    lines = source.split("\n")
    for token in tokens:
        kind = _KINDS.get(token.type)
        if kind is not None:
            node = _node(kind, token)
            (path[-1].children if path else top).append(node)
            if token.nesting:
                path.append(node)
        elif token.type == "inline" and path[-1].kind in _LEAVES:
            path[-1].text = token.content
        elif token.type == "inline":
            path[-1].rows[-1].append(token.content)
        elif token.type == "tr_open":
            path[-1].rows.append([])
        elif token.type == "th_open":
            path[-1].aligned.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
        elif token.type == "tr_close" and len(path[-1].rows) > 1:
            _add_surplus(path[-1].rows[-1], lines[path[-1].start + len(path[-1].rows)])
        elif token.nesting < 0 and f"{token.type[:-5]}open" in _KINDS:
            _add_unparsed(path.pop(), lines)
    return top


def parse_inlines(nodes: list[Node], env: Json) -> None:
    """Parse the inlines of blocks, with all link definitions in `env`."""
    for node in nodes:
        if node.kind in _LEAVES:
            node.inlines = [inlines_of(node.text, env)]
        elif node.kind == "table":
            node.inlines = [inlines_of(cell, env) for row in node.rows for cell in row]
        parse_inlines(node.children, env)


def inlines_of(source: str, env: Json) -> list[Token]:
    return _PARSER.inline.parse(source, _PARSER, env, [])


def link_target(address: str) -> str:
    """The address as it stands in a link: encoded, ASCII."""
    return MarkdownIt.normalizeLink(_PARSER, address)


def _node(kind: str, token: Token) -> Node:
    start, end = token.map or (0, 0)
    node = Node(kind, start, end, token.level, token.content, token.markup, token.info)
    if kind == "heading":
        node.number = int(token.tag[1:])
    elif token.type == "ordered_list_open":
        node.number, node.ordered = int(token.attrs.get("start", 1)), True
    elif kind == "definition":
        meta = token.meta
        title = f' "{meta["title"]}"' if meta["title"] else ""
        node.text = f"[{meta['label']}]: {meta['url']}{title}"
    return node


def _add_unparsed(node: Node, lines: list[str]) -> None:
    """What is nested too deeply to be parsed is text."""
    if node.level >= _DEEPEST - 2 and node.kind in ("quote", "item") and not node.children:
        text = "\n".join(lines[node.start : node.end])
        node.children.append(Node("html", node.start, node.end, node.level + 1, text))


def is_blank(line: str) -> bool:
    """Whether a line has no text, inside of all quotes."""
    return not line.strip(" \t>")


def _add_surplus(row: list[str], line: str) -> None:
    """Cells beyond the columns of the head, which GitHub's rule drops, are text of the last one."""
    margin = _MARGIN.match(line)
    cells = re.split(r"(?<!\\)\|", line[margin.end() if margin else 0 :].strip().removeprefix("|"))
    surplus = [cell.strip() for cell in cells[len(row) :] if cell.strip()]
    if surplus and row:
        row[-1] = " | ".join([row[-1], *(cell.replace("\\|", "|") for cell in surplus)])
