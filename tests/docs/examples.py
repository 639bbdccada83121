"""The shell examples of README.md and docs/, statement by statement."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
_WITH_TABLES = ("docs/coming-from.md",)


class Example(NamedTuple):
    """A statement of a shell, as it stands on a page, which may have several lines."""

    page: str
    text: str

    @property
    def code(self) -> int:
        """The exit code that its comment promises: 0 if it promises none."""
        promised = re.search(r"#.*\bexit code (\d+)", self.text)
        return int(promised[1]) if promised else 0

    def is_at(self, page: str, start: str) -> bool:
        return self.page == page and self.text.startswith(start)


def blocks(page: str, language: str) -> list[str]:
    """The contents of the fenced blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


def files_of(page: str) -> dict[str, str]:
    """The files that a page shows: a name in code with a colon, and a block below it."""
    return dict(re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE))


def examples(page: str) -> list[Example]:
    """Those of the `sh` blocks; of a page whose tables have commands also those of their second column."""
    found = [Example(page, text) for block in blocks(page, "sh") for text in statements(block)]
    if page not in _WITH_TABLES:
        return found
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| `")]
    cells = [re.split(r"(?<!\\)\|", row)[2].strip(" `").replace("\\|", "|") for row in rows]
    return found + [Example(page, cell) for cell in cells if cell]


def transcripts(page: str) -> list[tuple[Example, str]]:
    """The commands after a `$` in blocks of a page, each with the output that the page shows."""
    blocks_of_both = [block for language in ("text", "console") for block in blocks(page, language)]
    parts = [re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:] for block in blocks_of_both]
    return [(Example(page, part[at]), part[at + 1]) for part in parts for at in range(0, len(part), 2)]


def statements(block: str) -> Iterator[str]:
    """The statements of a block: a line, and those that belong to it. A script with `#!` is one."""
    if block.startswith("#!"):
        yield block
        return
    held = ""
    for line in block.splitlines(keepends=True):
        held += line
        if held.strip() and _is_whole(held):
            yield held.strip()
            held = ""
    assert not held.strip(), f"not a whole statement: {held}"


def _is_whole(text: str) -> bool:
    if text.rstrip().endswith("\\"):
        return False
    try:
        words = shlex.split(text, comments=True)
    except ValueError:  # a quotation that isn't closed
        return False
    return words.count("do") == len([word for word in words if word.rstrip(";)") == "done"])
