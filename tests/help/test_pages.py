"""Help: plain pages of one screen for everyday, all flags by subject, and the topics of docs/."""

import re
from pathlib import Path

import pytest

from cometresp.cli import COMMANDS
from cometresp.help.layout import laid_out
from cometresp.help.page import Page, Section
from cometresp.help.root import GROUPS
from cometresp.help.topics import ENVIRONMENT, EXIT_CODES, TOPICS
from cometresp.options.everyday import EVERYDAY
from tests.conftest import Command, Forker

ROOT = Path(__file__).parent.parent.parent
CHAINS = ("show", "head", "set", "rename", "rm", "prune", "compact")
PATHS = [[name] for name in COMMANDS] + [["chains", name] for name in CHAINS]


def rows(path: str, head: str) -> list[tuple[str, str]]:
    """The rows of a table of docs/ without its marks and links."""
    text = (ROOT / path).read_text()
    table = text[text.index(head) :].split("\n\n")[0].splitlines()[2:]
    cells = [re.sub(r" \(\[[^]]*\]\([^)]*\)\)", "", row).strip("|").replace("`", "").split(" | ", 1) for row in table]
    return [(left.strip(), right.strip()) for left, right in cells]


def test_the_topics_have_the_rows_of_the_docs() -> None:
    assert list(EXIT_CODES) == rows("docs/exit-codes.md", "| code |")
    assert list(ENVIRONMENT) == rows("docs/flags.md", "| variable |")


def test_every_command_is_in_one_group() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)


def test_help_is_printed_without_a_command_and_by_its_name(run: Command) -> None:
    shown = [run(), run("help"), run("--help"), run("-h"), run("--help-all")]
    assert {(result.code, result.text, result.err) for result in shown} == {(0, shown[0].text, "")}
    text = shown[0].text
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert text.count("\n  cometresp ") + text.count("\n  git diff | cometresp") == 4
    assert "\n  COMETAPI_KEY " in text
    assert "\n  help exit-codes " in text
    assert "\n  docs/ " in text


def test_the_everyday_help_of_a_prompt_is_one_screen_of_twenty_flags_and_three_examples(
    run: Command, forker: Forker
) -> None:
    text = forker.run(run, ["ask", "-h"]).text
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 80
    flags = re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", text, re.MULTILINE)
    assert flags == [*EVERYDAY, "--help", "--help-all"]
    assert len(EVERYDAY) == 20
    assert len(re.findall(r"^  .*cometresp ask ", text.partition("Examples:")[2], re.MULTILINE)) == 3


def test_all_flags_stand_under_their_subjects_and_say_what_they_take(run: Command, forker: Forker) -> None:
    text = forker.run(run, ["ask", "--help-all"]).text
    assert re.findall(r"^([A-Z].*):$", text, re.MULTILINE) == [
        *("Arguments", "Prompt", "Sampling and reasoning", "Output shape", "Tools", "Service", "Anything else"),
        *("Chain", "Output", "Connection", "Flags", "Examples"),
    ]
    for path in PATHS:
        page = forker.run(run, [*path, "--help-all"])
        assert (page.code, page.err, re.findall(r"[<>]\w+|TEXT\.\.\.", page.text)) == (0, "", []), path
        assert re.findall(r"\b(?:FLOAT|INTEGER)\b", page.text) == [], path


def test_a_command_doesnt_list_the_flag_that_it_stands_for(run: Command, forker: Forker) -> None:
    stream, continued = (forker.run(run, [name, "--help-all"]).text for name in ("stream", "continue"))
    assert ("--no-stream" in stream, "--no-stream" in continued) == (False, True)
    assert (" --continue" in stream, " --continue" in continued) == (True, False)
    assert forker.run(run, ["ask", "--offline", "hi"]).code == 0
    assert forker.run(run, ["continue", "-c", "--offline", "more"]).code == 0  # as it was meant


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_of_a_command_is_what_its_flag_prints(run: Command, forker: Forker, path: list[str]) -> None:
    by_name, by_flag = forker.run(run, ["help", *path]), forker.run(run, [*path, "-h"])
    assert list(by_name) == list(by_flag) == [0, by_flag.text, ""]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_a_page(run: Command, forker: Forker, topic: str) -> None:
    result = forker.run(run, ["help", topic])
    assert (result.code, result.err, max(map(len, result.text.splitlines())) <= 80) == (0, "", True)


def test_help_is_as_wide_as_columns_says_and_has_no_colour_in_a_pipe(run: Command, forker: Forker) -> None:
    for columns in (40, 60, 120):
        text = forker.run(run, ["ask", "--help-all"], env={"COLUMNS": str(columns), "FORCE_COLOR": "1"}).text
        long = [line for line in text.splitlines() if len(line) > columns]
        assert [line for line in long if " " in line.strip() and "cometresp" not in line and "--" not in line] == []
        assert ("\x1b" in text, "─" in text) == (False, False)


def test_on_a_terminal_only_the_headings_are_bold(run: Command, forker: Forker) -> None:
    pipe = forker.run(run, ["get", "-h"], env={"COLUMNS": "80"}).text
    terminal = forker.run(run, ["get", "-h"], terminal=True).text
    dumb = forker.run(run, ["get", "-h"], env={"TERM": "dumb"}, terminal=True).text
    bold = [f"{heading}:" for heading in ("Usage", "Arguments", "Flags", "Examples")]
    assert re.findall(r"\x1b\[1m(.*?)\x1b\[22m", terminal) == bold
    assert re.sub(r"\x1b\[(?:1|22)m", "", terminal) == dumb == pipe


def test_the_version_is_a_command_too(run: Command) -> None:
    assert list(run("version")) == list(run("--version"))
    assert run("version", "--json").err == (
        "cometresp: error: no such flag: --json\nhint: see cometresp version --help\n"
    )


def test_a_page_is_laid_out_in_two_columns() -> None:
    page = Page(
        "x [FLAGS]",
        "About\nit.\n\nMore.",
        [
            Section(
                "Flags", [("-m, --model MODEL", "Model to use, of all that there are."), ("--a-long-flag NAME", "It.")]
            ),
            Section("Examples", [("x  y", ""), ("", ""), ("z", "")]),
        ],
        "End",
    )
    assert laid_out(page, 44) == (
        "About it.\n\nMore.\n\nUsage: x [FLAGS]\n\n"
        "Flags:\n"
        "  -m, --model MODEL   Model to use, of all\n"
        "                      that there are.\n"
        "  --a-long-flag NAME  It.\n\n"
        "Examples:\n  x  y\n\n  z\n\nEnd\n"
    )
    assert "Flags:\n  -m, --model MODEL\n    Model to use, of all\n    that there are.\n" in laid_out(page, 25)
