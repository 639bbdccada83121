"""The docs agree with the code: they list all flags and exit codes, and citations lead to a section."""

import re
from pathlib import Path

import cometresp
from cometresp import __version__
from cometresp.cli import COMMANDS
from cometresp.errors import ExitCode
from cometresp.options.fields import option_of
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from tests.conftest import Command

ROOT = Path(__file__).parent.parent
FOLDERS = [Path(cometresp.__file__).parent, ROOT / "tests", ROOT / "benchmarks"]


def test_every_flag_has_help_and_is_in_the_docs(run: Command) -> None:
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", (ROOT / "docs/flags.md").read_text(), re.IGNORECASE))
    for group in (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions):
        for name, annotation in group.__annotations__.items():
            option = option_of(annotation)
            assert option.help, name
            names = {part for given in (option.default, *(option.param_decls or ())) for part in str(given).split("/")}
            assert names - {"Ellipsis"} <= documented, name
    shown = run.each([[command, "--help-all"] for command in COMMANDS], env={"COLUMNS": "200"})
    for command, result in zip(COMMANDS, shown, strict=True):
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", result.text)) <= documented, command


def test_every_exit_code_is_in_the_docs() -> None:
    text = (ROOT / "docs/exit-codes.md").read_text()
    table = {int(number) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for number in row.split(",")}
    assert table == {int(code) for code in ExitCode}


def test_the_changelogs_top_is_the_version_below_what_is_unreleased() -> None:
    heads = re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(head for head in heads if head != "Unreleased") == __version__


def cited(text: str) -> set[str]:
    """The numbers that follow the word API: "API 7.3.2, 12.2", "API 7.1-7.4 and 12", "API 1, #5"."""
    found: set[str] = set()
    for numbers in re.findall(r"\bAPI ((?:#?\d+(?:\.\d+)*(?:, (?=[#\d])| and (?=[#\d])|-(?=\d))?)+)", text):
        found.update(re.split(r", | and |-", numbers))
    return found


def test_every_citation_of_the_api_leads_to_a_passage_of_its_page() -> None:
    page = (ROOT / "docs/api.md").read_text()
    headings = re.findall(r"^##+ (\d+(?:\.\d+)*)", page, re.MULTILINE)
    entries = re.findall(r"^\*\*(\d+(?:\.\d+)+)\*\*", page, re.MULTILINE)
    rows = re.findall(r"^\| (#\d+) \|", page, re.MULTILINE)
    code = "\n".join(path.read_text() for folder in FOLDERS for path in folder.rglob("*.py"))
    assert len(cited(code)) > 40
    assert cited(code) - {*headings, *entries, *rows} == set()


def test_every_page_that_the_code_names_is_there() -> None:
    named = set()
    for folder in FOLDERS:
        for path in folder.rglob("*.py"):
            named |= set(re.findall(r"\bdocs/[\w-]+\.md", path.read_text()))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_nothing_cites_a_document_that_is_not_in_the_repository() -> None:
    lost = {
        f"{path.name}: {line}"
        for folder in FOLDERS
        for path in folder.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"\bdesign (section|promise)|\bAPI section\b|(?<!RFC 8259, )\bsection \d", line)
    }
    assert {line for line in lost if not line.startswith("test_docs.py")} == set()


def test_version_is_printed(run: Command) -> None:
    assert [list(run(*words)) for words in (["--version"], ["-V"])] == [[0, f"cometresp {__version__}\n", ""]] * 2


def test_every_promise_of_the_threat_model_names_its_tests_and_they_exist() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and line != "| promise | held by |"]
    assert [row for row in rows if "`tests/" not in row.rpartition(" | ")[2]] == []
    named = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", text)
    lost = {
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).is_file() or (test and f"\ndef {test}(" not in (ROOT / path).read_text())
    }
    assert (len(rows) > 20, lost) == (True, set())
