"""Markdown as it arrives: finished top-level blocks are returned once, the unfinished rest can be previewed.

markdown-it's block parser decides what is finished, not blank lines. Only whole lines are parsed, and the last block of
them remains open: a setext underline, a table's second line or a lazy continuation may still change it. Blocks before
it are final, since CommonMark closes blocks line by line; the text after them parses alone as it does in the whole
document. Link definitions are kept, so that they apply to all text after them.

Text is escaped twice: the source, so that control characters are no part of its structure, and each token that is
rendered, since parsing decodes character references (`&#8238;`). An escape is plain ASCII, which stays what it is.
"""

from collections.abc import Iterable
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, MarkdownElement
from rich.markdown import Markdown as RichMarkdown
from rich.segment import Segment
from rich.text import Text

from cometresp.text import escape
from cometresp.wire.json import Json

_PARSER = MarkdownIt().enable("strikethrough").enable("table")


class HtmlBlock(MarkdownElement):
    """HTML as text: Rich leaves it out, but it is part of the answer."""

    def __init__(self, source: str) -> None:
        self.source = source

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "HtmlBlock":  # noqa: ARG003 - Rich's signature
        return cls(token.content)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.source.rstrip("\n"), style="dim")


class Code(CodeBlock):
    """A block of code; its language is untrusted text, and code without a known lexer is shown as plain text."""

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "Code":
        words = token.info.split()
        return cls(words[0] if words else "text", markdown.code_theme)


class Blocks(RichMarkdown):
    """Parsed blocks, rendered by Rich as they are in the whole document."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **RichMarkdown.elements,
        "html_block": HtmlBlock,
        "fence": Code,
        "code_block": Code,
    }

    def __init__(self, tokens: list[Token], *, after_block: bool) -> None:
        super().__init__("", hyperlinks=False)
        # An empty block at the start makes Rich print the blank line that separates blocks.
        self.parsed = ([Token("nothing", "", 0)] if after_block else []) + tokens

    def _flatten_tokens(self, tokens: Iterable[Token]) -> Iterable[Token]:
        """The tokens, escaped, with inline HTML as text, except for the tags that Rich supports.

        Every token that Rich renders comes from here.
        """
        for token in super()._flatten_tokens(tokens):
            if token.type == "html_inline" and token.content not in ("<kbd>", "</kbd>"):
                yield _escaped(Token("text", "", 0, content=token.content))
            else:
                yield _escaped(token)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = Segment.split_lines(console.render(_Rich(self), options))
        for line in lines:
            yield from _without_blanks(list(line))
            yield Segment.line()


def _escaped(token: Token) -> Token:
    """The token with all its text escaped: character references and the %XX of a link bring back what was escaped."""
    token.content, token.info = escape(token.content), escape(token.info)
    for name, value in token.attrs.items():
        if isinstance(value, str):
            token.attrs[name] = escape(value)
    return token


class _Rich:
    """The inherited rendering of Blocks, as a separate renderable."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from RichMarkdown.__rich_console__(self.blocks, console, options)


def _without_blanks(line: list[Segment]) -> list[Segment]:
    """A line without invisible blanks at its end: they would wrap when the window gets narrower."""
    while line and not (line[-1].style and line[-1].style.bgcolor) and not line[-1].text.strip(" "):
        line.pop()
    if line and not (line[-1].style and line[-1].style.bgcolor):
        last = line.pop()
        line.append(Segment(last.text.rstrip(" "), last.style, last.control))
    return line


class Splitter:
    """Splits text that arrives in pieces of any size into finished blocks."""

    def __init__(self) -> None:
        self._env: Json = {"references": {}}
        self._rest = ""  # not returned yet
        self._parsed = 0  # length of the whole lines in it that were parsed
        self._carry = ""  # a carriage return whose newline may be in the next piece
        self._after_block = False

    def feed(self, text: str) -> None:
        text = self._carry + text
        self._carry = "\r" if text.endswith("\r") else ""
        self._rest += escape(text.removesuffix("\r"))

    def insert(self, text: str, *, before: str) -> bool:
        """Put text before the end of what was fed, `before`, unless that was returned; returns whether it was done."""
        rest, tail = self._rest, escape(before)
        place = len(rest) - len(tail)
        if self._carry or place <= 0 or not rest.endswith(tail):
            return False
        self._rest = rest[:place] + escape(text) + rest[place:]
        self._parsed = min(self._parsed, place)  # what follows is parsed again
        return True

    def finished(self) -> Blocks | None:
        """The blocks that were finished since the last call, if any."""
        end = self._rest.rfind("\n") + 1
        if end <= self._parsed:
            return None
        self._parsed = end
        whole = self._rest[:end]
        tokens: list[Token] = []
        _PARSER.block.parse(whole, _PARSER, self._scratch(), tokens)
        starts = [token.map[0] for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]
        # Definitions make no block: those before the last block are returned with the finished blocks.
        if len(starts) < 2:  # noqa: PLR2004 - a finished one and the open one
            return None
        cut = _offset(whole, starts[-1])
        return self._take(cut)

    def rest(self) -> Blocks:
        """A preview of the unfinished text."""
        return Blocks(_PARSER.parse(self._rest, self._scratch()), after_block=self._after_block)

    def tail(self, lines: int) -> Blocks:
        """A preview of the end of the unfinished text: at least so many lines, without parsing all of a long block."""
        if self._rest.count("\n") <= 2 * lines:
            return self.rest()
        opening = self._rest.lstrip("\n").split("\n", 1)[0]
        fence = opening.lstrip(" ")[:1]
        last = "\n".join(self._rest.split("\n")[-2 * lines :])
        if fence in ("`", "~") and opening.lstrip(" ").startswith(fence * 3):
            last = f"{opening}\n{last}"
        return Blocks(_PARSER.parse(last, self._scratch()), after_block=False)

    def end(self) -> Blocks | None:
        """The rest of the text; the next text starts a new document."""
        self._rest += escape(self._carry)
        self._carry = ""
        blocks = self._take(len(self._rest)) if self._rest.strip(" \t\n") else None
        self._rest, self._parsed = "", 0
        return blocks

    def _scratch(self) -> Json:
        """A copy of the link definitions so far, for a preview: those in the rest may still change."""
        return {"references": dict(self._env["references"])}

    def _take(self, cut: int) -> Blocks | None:
        tokens = _PARSER.parse(self._rest[:cut], self._env)
        self._rest = self._rest[cut:]
        self._parsed = max(self._parsed - cut, 0)
        if not tokens:
            return None
        blocks = Blocks(tokens, after_block=self._after_block)
        self._after_block = tokens[-1].type != "hr"  # Rich prints no blank line after a rule
        return blocks


def _offset(text: str, line: int) -> int:
    """The position at which the line of that number starts."""
    place = 0
    for _ in range(line):
        place = text.index("\n", place) + 1
    return place
