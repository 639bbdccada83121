"""Every shell example of README.md, docs/ and the help pages does what it says, against the emulator."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cometresp.emulator.server import Emulator
from tests.conftest import Command, Forker
from tests.docs.examples import PAGES, Example, examples, transcripts
from tests.docs.helped import help_examples
from tests.docs.place import Ended, callable_command, free_port, furnish, run_page
from tests.docs.table import FILES, NOT_RUN, PRINTED, REPLACED, STANDARD_INPUT

pytestmark = [
    pytest.mark.skipif(not shutil.which(tool), reason=f"there is no {tool}") for tool in ("bash", "git", "jq", "curl")
]


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    with callable_command() as folder:
        yield folder


@pytest.fixture
def place(run: Command, programs: Path) -> Iterator[tuple[Command, dict[str, str]]]:
    """The command with a key and the emulator as its server, and what is replaced in examples."""
    furnish(run.home, PAGES)
    with Emulator() as emulator:
        run.environ |= {
            "PATH": f"{programs}{os.pathsep}{run.environ['PATH']}",
            "COMETAPI_KEY": "sk-example-key",
            "COMETAPI_BASE_URL": emulator.base_url,
            "COMETAPI_DEFAULT_MODEL": "emulator",
            "EDITOR": "editor",
        }
        yield run, {"https://api.cometapi.com/v1": emulator.base_url, "8123": str(free_port())}


def to_run(listed: list[Example]) -> list[Example]:
    return [one for one in listed if not _of(one, NOT_RUN)]


def _of(example: Example, table: dict[tuple[str, str], str]) -> str:
    """What a table has for an example, or nothing."""
    return next((text for (page, start), text in table.items() if example.is_at(page, start)), "")


def wrong(done: list[Ended]) -> list[tuple[str, int, str]]:
    """Those with another exit code than their comment says, or that print something else on stderr than expected."""
    return [
        (one.example.text, one.code, one.err)
        for one in done
        if (one.code, one.err) != (one.example.code, _of(one.example, PRINTED))
    ]


@pytest.mark.parametrize("page", [page for page in PAGES if to_run(examples(page))])
def test_the_examples_of_a_page_work(place: tuple[Command, dict[str, str]], page: str) -> None:
    command, replaced = place
    assert wrong(run_page(command.home, command.environ, to_run(examples(page)), replaced)) == []


def test_the_examples_of_the_help_pages_work(place: tuple[Command, dict[str, str]]) -> None:
    command, replaced = place
    helped = help_examples()
    assert len(helped) > 30
    assert wrong(run_page(command.home, command.environ, to_run(helped), replaced)) == []


def test_a_page_shows_what_a_terminal_shows(run: Command, forker: Forker) -> None:
    shown = [(example, text) for page in PAGES for example, text in transcripts(page) if not _of(example, NOT_RUN)]
    for example, text in shown:
        result = forker.run(run, shlex.split(example.text)[1:], terminal=True)
        printed = re.sub(r" +$", "", re.sub(r"\x1b\[[\d;]*m", "", result.text), flags=re.MULTILINE)
        assert (result.code, printed) == (0, text), example
    assert shown != []


def test_each_entry_of_the_tables_is_about_an_example() -> None:
    listed = [*help_examples(), *(one for page in PAGES for one in examples(page))]
    listed += [example for page in PAGES for example, _ in transcripts(page)]
    assert [key for key in (*NOT_RUN, *PRINTED) if not any(one.is_at(*key) for one in listed)] == []
    named = "\n".join(one.text for one in listed)
    known = [name.removeprefix(".config/cometresp/templates/").removesuffix(".toml") for name in FILES]
    assert [name for name in (*known, *REPLACED, *STANDARD_INPUT) if name not in named] == []
