"""Code, highlighted line by line while it arrives, in colours that are legible on light and dark terminals."""

from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Token,
    _TokenType,
    is_token_subtype,
)
from pygments.util import ClassNotFound
from rich.text import Text

_STYLES = {
    Comment: "dim italic",
    Keyword: "magenta",
    Operator.Word: "magenta",
    String: "green",
    Number: "cyan",
    Name.Function: "blue",
    Name.Class: "bold blue",
    Name.Decorator: "magenta",
    Name.Builtin: "cyan",
    Name.Tag: "blue",
    Name.Attribute: "cyan",
    Generic.Inserted: "green",
    Generic.Deleted: "red",
    Generic.Heading: "bold",
    Generic.Subheading: "magenta",
}
_UNSETTLED = (Comment, String)  # a line that ends in one of them may be in the middle of it
_LONGEST_UNSETTLED = 20_000  # characters that are read again for the next line


class Highlighter:
    """Highlights code whose lines come one after another; what a line looks like never changes."""

    def __init__(self, language: str) -> None:
        self._lexer = _lexer(language)
        self._unsettled = ""  # the end of the code so far, which the next lines are read together with

    def add(self, code: str) -> list[Text]:
        """The next lines."""
        lines, self._unsettled = self._highlight(code)
        return lines

    def preview(self, code: str) -> list[Text]:
        """The lines as they would look next."""
        return self._highlight(code)[0]

    def _highlight(self, code: str) -> tuple[list[Text], str]:
        if self._lexer is None:
            return [Text(line) for line in code.split("\n")], ""
        known = self._unsettled.count("\n")
        source = self._unsettled + code + "\n"
        lines, settled, place = [Text()], 0, 0
        for kind, value in _tokens(self._lexer, source):
            style = _style(kind)
            place += len(value)
            for n, piece in enumerate(value.split("\n")):
                if n:
                    lines.append(Text())
                lines[-1].append(piece, style)
            if value.endswith("\n") and not any(is_token_subtype(kind, unsettled) for unsettled in _UNSETTLED):
                settled = place
        if len(source) - settled > _LONGEST_UNSETTLED:
            settled = len(source)
        return lines[known : known + code.count("\n") + 1], source[settled:]


def highlighted(code: str, language: str, *, margin: str = "") -> Text:
    """Whole code, with a margin before each line."""
    lines = Highlighter(language).preview(code)
    return Text(margin) + Text(f"\n{margin}").join(lines)


def _tokens(lexer: Lexer, source: str) -> Iterator[tuple[_TokenType, str]]:
    for _, kind, value in lexer.get_tokens_unprocessed(source):
        yield kind, value


def _style(kind: _TokenType | None) -> str:
    """The style of a kind of token, or of the next kind that it belongs to."""
    while kind is not None and kind is not Token:
        if kind in _STYLES:
            return _STYLES[kind]
        kind = kind.parent
    return ""


def _lexer(language: str) -> Lexer | None:
    if not language or not language.isascii():
        return None
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return None
