"""What can drift is checked: flags stand in the docs, exit codes too, the changelog's top is the version."""

import re
from pathlib import Path

from cometresp import __version__
from cometresp.cli import COMMANDS
from cometresp.errors import ExitCode
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from tests.conftest import Command

ROOT = Path(__file__).parent.parent


def test_every_flag_has_help_and_stands_in_the_docs(run: Command) -> None:
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", (ROOT / "docs/flags.md").read_text(), re.IGNORECASE))
    for group in (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions):
        for name, annotation in group.__annotations__.items():
            option = annotation.__metadata__[0]
            assert option.help, name
            names = {part for given in (option.default, *(option.param_decls or ())) for part in str(given).split("/")}
            assert names - {"Ellipsis"} <= documented, name
    shown = run.each([[command, "--help"] for command in COMMANDS], env={"COLUMNS": "200"})
    for command, result in zip(COMMANDS, shown, strict=True):
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", result.text)) - {"--help"} <= documented, command


def test_every_exit_code_stands_in_the_docs() -> None:
    text = (ROOT / "docs/exit-codes.md").read_text()
    table = {int(number) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for number in row.split(",")}
    assert table == {int(code) for code in ExitCode}


def test_the_changelogs_top_is_the_version() -> None:
    assert re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == __version__


def test_help_lists_every_command_and_no_command_says_so(run: Command) -> None:
    shown = run("--help").text
    assert all(f" {name} " in shown for name in COMMANDS)
    assert list(run()) == [2, "", "cometresp: error: missing command\nhint: cometresp --help lists what there is\n"]
    assert list(run("aks", "hi")) == [
        2,
        "",
        "cometresp: error: no such command 'aks'. Did you mean 'ask'?\nhint: cometresp --help lists what there is\n",
    ]


def test_version_is_printed(run: Command) -> None:
    assert [list(run(*words)) for words in (["--version"], ["-V"])] == [[0, f"cometresp {__version__}\n", ""]] * 2
