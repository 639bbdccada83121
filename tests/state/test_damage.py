"""A damaged state file: whichever command finds it sets it aside and says so."""

from pathlib import Path

import pytest

from tests.conftest import Command, Result
from tests.recorded import state_path
from tests.scripted import Wire, json_reply, message, response, text_stream

GARBAGE = b"not a database " * 100


def damaged(run: Command) -> Path:
    path = state_path(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(GARBAGE)
    return path


def damaged_inside(ask: Command, wire: Wire) -> Path:
    """A file that can be opened, but not read."""
    wire.answer(text_stream("x", response_id="r1"))
    assert ask("ask", "a" * 20_000).code == 0
    path = state_path(ask)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    return path


def set_aside(path: Path) -> str:
    """What is to be said of it."""
    [aside] = path.parent.glob("state.damaged-*.db")
    return f"the state file was damaged and is kept as {aside}"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("chains", ""),
        ("chains --json", "[]\n"),
        ("chains prune --older-than 1d", "removed 0 chains and 0 responses\n"),
        ("chains set a r1", ""),
        ("log", ""),
        ("log --json --chain a", "[]\n"),
    ],
)
def test_a_command_that_looks_for_nothing_by_name_warns(ask: Command, command: str, shown: str) -> None:
    path = damaged(ask)
    result = ask(*command.split())
    assert list(result) == [0, shown, f"cometresp: warning: {set_aside(path)}\n"]
    assert ask("log").err == ""


@pytest.mark.parametrize(
    "command",
    [
        "chains show",
        "chains head a",
        "chains rm a",
        "chains rename a b",
        "log r1",
        "get last",
        "get @a --wait",
        "cancel last",
        "delete @a",
        "items last",
        "continue more",
        "continue --from r1 more",
    ],
)
def test_a_command_that_looks_for_something_in_it_ends_with_73(ask: Command, wire: Wire, command: str) -> None:
    path = damaged(ask)
    result = ask(*command.split())
    told = f"cometresp: error: {set_aside(path)}\nhint: cometresp ask … starts a new chain\n"
    assert list(result) == [73, "", told]
    assert wire.requests == []


def test_a_response_that_is_named_by_its_id_is_fetched_with_a_warning(ask: Command, wire: Wire) -> None:
    path = damaged(ask)
    wire.answer(json_reply(response(message("x"), response_id="r1")))
    result = ask("get", "r1")
    assert list(result) == [0, "x\n", f"cometresp: warning: {set_aside(path)}\n"]


def test_damage_that_shows_only_when_it_is_read_is_told_too(ask: Command, wire: Wire) -> None:
    path = damaged_inside(ask, wire)
    wire.answer(json_reply(response(message("x"), response_id="r1")))
    result = ask("get", "r1")
    assert list(result) == [0, "x\n", f"cometresp: warning: {set_aside(path)}\n"]


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("command", ["continue --dry-run more", "continue --curl more", "get last --dry-run"])
def test_what_only_shows_a_request_leaves_the_file_where_it_is(
    ask: Command, wire: Wire, command: str, *, inside: bool
) -> None:
    path = damaged_inside(ask, wire) if inside else damaged(ask)
    before = path.read_bytes()
    assert list(ask(*command.split())) == [73, "", f"cometresp: error: the state file {path} is damaged\n"]
    assert ([path], before) == (list(path.parent.iterdir()), path.read_bytes())


def test_a_dry_run_that_needs_nothing_of_the_file_warns(ask: Command) -> None:
    path = damaged(ask)
    result = ask("get", "r1", "--dry-run")
    assert (result.code, result.err) == (0, f"cometresp: warning: the state file {path} is damaged\n")
    assert path.read_bytes() == GARBAGE


def test_completion_neither_moves_the_file_nor_says_a_word(ask: Command) -> None:
    path = damaged(ask)
    result: Result = ask(
        env={"_COMETRESP_COMPLETE": "complete_bash", "COMP_WORDS": "cometresp get ", "COMP_CWORD": "2"}
    )
    assert (result.err, path.read_bytes()) == ("", GARBAGE)
