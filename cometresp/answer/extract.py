"""`--extract` and `--extract-last`: a fenced code block of an answer, by the rules of CommonMark. Pure."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|$)")


def fenced_block(text: str, *, last: bool, complete: bool) -> str | None:
    """The content of the first or last fenced block that isn't blank, byte for byte; None if there is none.

    Blocks in lists and quotations count, indented blocks don't. A block without a closing fence ends with the text; if
    the answer isn't complete, such a block doesn't count.
    """
    from markdown_it import MarkdownIt

    lines = [(match[1], match[2]) for match in _LINE.finditer(text)]
    # markdown-it makes these replacements itself. Made here, its lines can be compared with those of `normal`.
    normal = [body.replace("\0", "\ufffd") for body, _ in lines]
    blocks = [_Fence(token) for token in MarkdownIt().parse("\n".join(normal)) if token.type == "fence"]
    if not complete:
        length = len("\n".join(normal).rstrip("\n").split("\n"))
        blocks = [block for block in blocks if block.closed or block.end < length]
    sources = (_source(block, lines, normal) for block in (reversed(blocks) if last else blocks))
    return next((source for source in sources if source.strip()), None)


class _Fence:
    """The lines of a block, and its position: from its opening fence, line `first` of the text, up to line `end`."""

    def __init__(self, token: "Token") -> None:
        assert token.map is not None
        self.first, self.end = token.map
        self.lines: list[str] = token.content.split("\n")
        if not self.lines[-1]:  # the last line of a text needs no newline
            self.lines.pop()
        self.closed = self.end - self.first == len(self.lines) + 2


def _source(block: _Fence, lines: list[tuple[str, str]], normal: list[str]) -> str:
    """The content as it is in the text: markdown-it replaces line endings and NUL characters."""
    parts = []
    for n, line in enumerate(block.lines, block.first + 1):
        body, ending = lines[n]
        unchanged = normal[n].endswith(line)  # not where part of a tab is indentation
        parts.append((body[len(body) - len(line) :] if unchanged else line) + ending)
    return "".join(parts)
