"""`--extract` and `--extract-last`: a fenced code block of an answer, found as CommonMark has it. Pure."""

import re
from typing import Any

_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|$)")


def fenced_block(text: str, *, last: bool, complete: bool) -> str | None:
    """The content of the first (or last) fenced block, as it stands there; None where there is none.

    Fences in lists and quotations count, indented blocks don't. A fence that the text leaves open ends with the text,
    but in an answer that isn't complete it is no block.
    """
    from markdown_it import MarkdownIt

    lines = [(match[1], match[2]) for match in _LINE.finditer(text)]
    # markdown-it would make these replacements itself; done here, its lines are ours.
    normal = [body.replace("\0", "\ufffd") for body, _ in lines]
    blocks = [_Fence(token) for token in MarkdownIt().parse("\n".join(normal)) if token.type == "fence"]
    if not complete:
        length = len("\n".join(normal).rstrip("\n").split("\n"))
        blocks = [block for block in blocks if block.closed or block.end < length]
    if not blocks:
        return None
    return _source(blocks[-1 if last else 0], lines, normal)


class _Fence:
    """A block's lines and its place: the lines of the text from `first`, its fence, to before `end`."""

    def __init__(self, token: Any) -> None:
        self.first, self.end = token.map
        self.lines: list[str] = token.content.split("\n")
        if not self.lines[-1]:  # the last line of a text needs no newline
            self.lines.pop()
        self.closed = self.end - self.first == len(self.lines) + 2


def _source(block: _Fence, lines: list[tuple[str, str]], normal: list[str]) -> str:
    """The block's content with the bytes of the text: markdown-it has other line endings, and no NUL."""
    parts = []
    for n, line in enumerate(block.lines, block.first + 1):
        body, ending = lines[n]
        whole = normal[n].endswith(line)  # but for a tab that is partly indentation
        parts.append((body[len(body) - len(line) :] if whole else line) + ending)
    return "".join(parts)
