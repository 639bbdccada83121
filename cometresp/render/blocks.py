"""Markdown as it arrives: finished top-level blocks are given out once, the unfinished rest can be looked at.

What is finished is told by markdown-it's own block parser, never by blank lines. Only whole lines are asked about, and
the last block of them stays open: a setext underline, a table's second line or a lazy continuation may still change it.
A block before that is closed for good, since CommonMark closes blocks line by line; the text after it parses by itself
as it does in the whole. Link definitions are carried on, so that they hold for all that comes after them.
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
    """Rich leaves HTML out; a reader of the answer must not miss it."""

    def __init__(self, source: str) -> None:
        self.source = source

    @classmethod
    def create(cls, markdown: RichMarkdown, token: Token) -> "HtmlBlock":  # noqa: ARG003 - Rich's signature
        return cls(token.content)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.source.rstrip("\n"), style="dim")


class Code(CodeBlock):
    """A block of code whose language is foreign text: what no lexer knows is shown as it is."""

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
        # An empty block in front makes Rich put the blank line there that it puts between blocks.
        self.parsed = ([Token("nothing", "", 0)] if after_block else []) + tokens

    def _flatten_tokens(self, tokens: Iterable[Token]) -> Iterable[Token]:
        """Inline HTML is text for a reader, but for the tags that Rich knows."""
        for token in super()._flatten_tokens(tokens):
            if token.type == "html_inline" and token.content not in ("<kbd>", "</kbd>"):
                yield Token("text", "", 0, content=token.content)
            else:
                yield token

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = Segment.split_lines(console.render(_Rich(self), options))
        for line in lines:
            yield from _without_blanks(list(line))
            yield Segment.line()


class _Rich:
    """The renderer that Blocks inherits, as a renderable of its own."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from RichMarkdown.__rich_console__(self.blocks, console, options)


def _without_blanks(line: list[Segment]) -> list[Segment]:
    """A line without the blanks at its end that show nothing: they would wrap when the window gets narrower."""
    while line and not (line[-1].style and line[-1].style.bgcolor) and not line[-1].text.strip(" "):
        line.pop()
    if line and not (line[-1].style and line[-1].style.bgcolor):
        last = line.pop()
        line.append(Segment(last.text.rstrip(" "), last.style, last.control))
    return line


class Splitter:
    """Takes text in pieces of any size; gives out what is finished."""

    def __init__(self) -> None:
        self._env: Json = {"references": {}}
        self._rest = ""  # what is not given out
        self._seen = 0  # how far into it whole lines were asked about
        self._held = ""  # a carriage return whose newline may be in the next piece
        self._after_block = False

    def feed(self, text: str) -> None:
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        self._rest += escape(text.removesuffix("\r"))

    def finished(self) -> Blocks | None:
        """The blocks that were closed since the last call, if any."""
        end = self._rest.rfind("\n") + 1
        if end <= self._seen:
            return None
        self._seen = end
        whole = self._rest[:end]
        tokens: list[Token] = []
        _PARSER.block.parse(whole, _PARSER, self._scratch(), tokens)
        starts = [token.map[0] for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]
        # Definitions make no block: those before the last block go out with what is finished.
        if len(starts) < 2:  # noqa: PLR2004 - one that is finished and one that is open
            return None
        cut = _offset(whole, starts[-1])
        return self._give(cut)

    def rest(self) -> Blocks:
        """What isn't finished, as it looks now."""
        return Blocks(_PARSER.parse(self._rest, self._scratch()), after_block=self._after_block)

    def tail(self, lines: int) -> Blocks:
        """The end of what isn't finished; of a long block of code no more than its last lines are worked on."""
        if self._rest.count("\n") <= 2 * lines:
            return self.rest()
        opening = self._rest.lstrip("\n").split("\n", 1)[0]
        fence = opening.lstrip(" ")[:1]
        last = "\n".join(self._rest.split("\n")[-2 * lines :])
        if fence in ("`", "~") and opening.lstrip(" ").startswith(fence * 3):
            last = f"{opening}\n{last}"
        return Blocks(_PARSER.parse(last, self._scratch()), after_block=False)

    def end(self) -> Blocks | None:
        """All that is left; the next text begins another document."""
        self._rest += escape(self._held)
        self._held = ""
        blocks = self._give(len(self._rest)) if self._rest.strip() else None
        self._rest, self._seen = "", 0
        return blocks

    def _scratch(self) -> Json:
        """The definitions so far, for a look: what the rest defines may still change."""
        return {"references": dict(self._env["references"])}

    def _give(self, cut: int) -> Blocks | None:
        tokens = _PARSER.parse(self._rest[:cut], self._env)
        self._rest = self._rest[cut:]
        self._seen = max(self._seen - cut, 0)
        if not tokens:
            return None
        blocks = Blocks(tokens, after_block=self._after_block)
        self._after_block = tokens[-1].type != "hr"  # Rich puts no blank line behind a rule
        return blocks


def _offset(text: str, line: int) -> int:
    """Where the line of that number begins."""
    place = 0
    for _ in range(line):
        place = text.index("\n", place) + 1
    return place
