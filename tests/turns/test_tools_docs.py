"""What docs/tools.md shows is what happens: its files and commands are run as they stand there."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Command
from tests.terminals import at_terminal

TEXT = (Path(__file__).parents[2] / "docs" / "tools.md").read_text()
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
TITLES = ("A Python function", "A command", "An MCP server")


class Example(NamedTuple):
    """`commands` are the words after `cometresp`; `shown` are the blocks of what is printed."""

    files: dict[str, str]
    commands: list[list[str]]
    shown: list[str]


def section(title: str) -> str:
    """What stands below a heading, up to the next one."""
    [found] = re.findall(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    lines = "".join(blocks("sh", text)).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    assert {line[0] for line in words} == {"cometresp"}
    return [line[1:] for line in words]


def example(title: str) -> Example:
    text = section(title)
    files = dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    return Example(files, commands(text), blocks("text", text))


@pytest.fixture
def place(run: Command) -> Command:
    """The command in a folder with the examples' files; with git, a repository of two commits."""
    for title in TITLES:
        for name, text in example(title).files.items():
            (run.home / name).write_text(text)
    return run


def commit(place: Command, day: str, message: str) -> None:
    who = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    when = {"GIT_AUTHOR_DATE": f"{day}T12:00:00Z", "GIT_COMMITTER_DATE": f"{day}T12:00:00Z"}
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", message]):
        subprocess.run(["git", *words], cwd=place.home, env=place.environ | who | when, check=True, timeout=60)


def quoted(prompt: str, rest: str) -> str:
    """The emulator's whole answer, with the part of it that the docs show."""
    return f"This is the **emulator**: no model was asked.\n\nYou said:\n\n> {prompt}\n\n{rest}"


def without_ids(text: str) -> str:
    return re.sub(r"\b(call|mcpr)_[0-9a-f]{32}", r"\1_…", text)


def left_open(place: Command, *words: str) -> str:
    """Run what ends on a call that waits; the call's id."""
    told = place(*words)
    assert told.code == 5
    return str(re.findall(r"\b(?:call|mcpr)_[0-9a-f]{32}\b", told.err)[0])


@pytest.mark.parametrize("title", TITLES)
def test_a_command_against_a_server_offers_what_the_offline_one_offers(place: Command, title: str) -> None:
    real, offline = example(title).commands
    assert ["--offline" in words for words in (real, offline)] == [False, True]
    server = {"COMETAPI_BASE_URL": "https://api.example/v1", "COMETAPI_DEFAULT_MODEL": "m"}
    bodies = [json.loads(place(*words, "--dry-run", env=server).out) for words in (real, offline)]
    assert bodies[0]["input"] == real[-1]
    assert bodies[0]["tools"] == bodies[1]["tools"] != []


def test_the_python_function_is_asked_about_and_runs(place: Command) -> None:
    _, offline = example("A Python function").commands
    session, answer = example("A Python function").shown
    question, _, line = session.rpartition("✓")
    code, out, err, asked = at_terminal(place, "y", *offline, "--verbose")
    assert (code, without_ids(out), asked) == (0, quoted(offline[-1], answer), "\n" + question)
    assert re.sub(r"\d\.\d s", "0.0 s", err).splitlines()[0] + "\n" == "✓" + line


def test_a_function_that_is_allowed_beforehand_runs_without_a_question(place: Command) -> None:
    _, offline = example("A Python function").commands
    [allowed] = re.findall(r"\(`(--allow-tool \w+)` says yes beforehand\)", section("A Python function"))
    code, out, err = place(*offline, *allowed.split())
    assert (code, without_ids(out), err) == (0, quoted(offline[-1], example("A Python function").shown[1]), "")
    assert place(*offline).code == 5


@needs_git
def test_the_command_reads_the_repository_without_a_question(place: Command) -> None:
    for day, message in (("2026-11-17", "Begin"), ("2026-11-18", "Greet"), ("2026-11-20", "Greet in French")):
        commit(place, day, message)
    _, offline = example("A command").commands
    code, out, err = place(*offline)
    assert (code, without_ids(out), err) == (0, quoted(offline[-1], *example("A command").shown), "")


def test_the_approval_of_the_mcp_tool_is_given_by_its_pattern(place: Command) -> None:
    _, offline = example("An MCP server").commands
    assert list(place(*offline)) == [0, quoted(offline[-1], *example("An MCP server").shown), ""]
    at = offline.index("--allow-tool")
    assert place(*offline[:at], *offline[at + 2 :]).code == 5


def test_an_mcp_tool_given_with_never_is_not_asked_about(place: Command) -> None:
    [never] = re.findall(r'`("require_approval": "never")`', section("An MCP server"))
    tool = f'{{"type": "mcp", "server_label": "d", "server_url": "https://mcp.example", {never}}}'
    assert place("ask", "--offline", "-t", tool, "emulate:mcp").code == 0


# what waits for the user ------------------------------------------------------------------------------------------


def test_an_open_call_is_answered_by_hand_or_run_as_the_docs_say(place: Command) -> None:
    by_hand, run_open = commands(section("What waits for you"))
    _, asked = example("A Python function").commands
    [in_a_file] = re.findall(r"--tool-output-file CALL_ID=PATH", section("What waits for you"))
    (place.home / "result").write_text("from a file")

    def outcome(*words: str) -> str:
        call = left_open(place, *asked)
        given = [
            word.replace("=TEXT", "=by hand").replace("=PATH", "=result").replace("CALL_ID", call) for word in words
        ]
        code, out, err = place(*given, "--offline")
        assert (code, err) == (0, "")
        return without_ids(out).splitlines()[-1]

    assert outcome(*by_hand) == "- `call_…`: by hand"
    assert outcome(by_hand[0], *in_a_file.split()) == "- `call_…`: from a file"
    assert outcome(*run_open, "--approve", "always") == "- `call_…`: 3"


@pytest.mark.parametrize(("word", "outcome"), [("yes", "was approved and emulated"), ("no", "was refused")])
def test_an_approval_is_given_by_hand(place: Command, word: str, outcome: str) -> None:
    assert "An MCP approval is `--tool-output ID=yes`, or `no`" in TEXT
    call = left_open(place, "ask", "--offline", "-t", "mcp:d=https://mcp.example", "emulate:mcp")
    told = place("continue", "--offline", "--tool-output", f"{call}={word}")
    assert (told.code, outcome in told.text) == (0, True)


def test_the_definitions_stay_with_the_chain_and_the_file_does_not(place: Command) -> None:
    _, asked = example("A Python function").commands
    assert place(*asked, "--approve", "always").code == 0
    call = left_open(place, "continue", "--offline", asked[-1])
    assert place("continue", "--offline", "--tool-output", f"{call}=3").code == 0
    assert place("continue", "--offline", "--no-tools", asked[-1]).code == 0


def test_a_result_that_got_no_answer_is_sent_again(place: Command) -> None:
    (place.home / "note.py").write_text(
        'def note() -> None:\n    """Note."""\n    with open("noted", "a") as f:\n        f.write("x")\n'
    )
    tools = ("--offline", "--functions", "note.py", "--approve", "always")
    assert place("ask", *tools, "--retries", "0", "--fault", "503@2", "note").code == 69
    assert place("continue", "--offline").code == 0
    assert (place.home / "noted").read_text() == "x"


@pytest.mark.slow
def test_after_background_the_call_is_taken_up(place: Command) -> None:
    _, asked = example("A Python function").commands
    accepted = place(*asked, "--approve", "always", "--background")
    assert (accepted.code, place("get", accepted.text.strip(), "--wait", "--offline").code) == (0, 5)
    assert place("continue", "--offline", "--functions", "dates.py", "--approve", "always").code == 0


# the run ------------------------------------------------------------------------------------------------------------


def test_max_turns_is_ten_and_ends_with_5(place: Command) -> None:
    assert "`--max-turns` responses (10) were received: exit code 5" in section("How a run goes").replace("\n  ", " ")
    tools = ("--offline", "--functions", "dates.py", "--approve", "always")
    told = place("ask", *tools, "emulate:endless_call")
    assert (told.code, told.err.splitlines()[0]) == (
        5,
        "cometresp: error: stopped after 10 turns (--max-turns) before days_between ran",
    )
    assert place("ask", *tools, "--max-turns", "9", "emulate:call_chain=8").code == 0
    assert place("ask", *tools, "--max-turns", "8", "emulate:call_chain=8").code == 5


def test_the_line_of_events_has_the_keys_of_the_docs(place: Command) -> None:
    [line] = blocks("json", section("What is shown"))
    _, asked = example("A Python function").commands
    events = place(*asked, "--approve", "always", "--events").text.splitlines()
    [told] = [event for event in map(json.loads, events) if event["type"] == json.loads(line)["type"]]

    def shape(event: Any) -> list[tuple[str, type]]:
        return [(key, type(value)) for key, value in event.items()]

    assert shape(told) == shape(json.loads(line))
    assert (told["name"], told["ok"], told["output"]) == ("days_between", True, "3")


def test_one_call_that_waits_keeps_the_others_from_running(place: Command) -> None:
    own = '{"type": "function", "name": "weather", "parameters": {}}'
    tools = ("--functions", "dates.py", "--approve", "always", "-t", own)
    _, asked = example("A Python function").commands
    mine = left_open(place, "ask", "--offline", *tools, f"emulate:calls=2 weather {asked[-1]}")
    mixed = ("continue", "--offline", "--functions", "dates.py", "--approve", "always")
    told = place(*mixed, "--tool-output", f"{mine}=rain")
    answered = told.text.partition("The tools answered:\n\n")[2].replace(mine, "mine").splitlines()
    assert sorted(map(without_ids, answered)) == ["- `call_…`: 3", "- `mine`: rain"]
