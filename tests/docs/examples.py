"""The shell examples of README.md, docs/ and the help pages, statement by statement."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cometresp.cli import COMMANDS
from tests.conftest import Command, Forker

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
_WITH_TABLES = ("docs/coming-from.md",)
_GROUPS = ("batch", "chains", "config", "templates")


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
    """Those of the `sh` blocks, and of a page whose tables have commands also what calls cometresp there."""
    found = [Example(page, text) for block in blocks(page, "sh") for text in statements(block)]
    if page not in _WITH_TABLES:
        return found
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| ")]
    cells = [code.replace("\\|", "|") for row in rows for code in re.findall(r"`([^`]+)`", row)]
    return found + [Example(page, code) for code in cells if re.match(r"(\S+ .*\| )?cometresp \w", code)]


def help_examples(run: Command, forker: Forker) -> list[Example]:
    """The examples of the help pages; their page is what prints them, as in `help batch merge`."""
    wide = {"COLUMNS": "200"}
    paths = [[], *([name] for name in COMMANDS)]
    for group in _GROUPS:
        text = forker.run(run, ["help", group], env=wide).text
        listed = re.findall(r"^  ([a-z-]+) {2}", text.partition("\nCommands:\n")[2].partition("\n\n")[0], re.MULTILINE)
        paths += [[group, name] for name in listed]
    found: list[Example] = []
    for path in paths:
        text = forker.run(run, ["help", *path], env=wide).text
        shown = text.partition("\nExamples:\n")[2].partition("\n\n")[0]
        lines = statements(re.sub("^  ", "", shown, flags=re.MULTILINE))
        found += [Example(" ".join(["help", *path]), line) for line in lines]
    return found


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
