"""A damaged state file: whichever command finds it sets it aside and says so."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Command, Forker, Result
from tests.recorded import state_path
from tests.scripted import Wire, json_reply, message, response, text_stream
from tests.state.files import execute, named_by_prompt

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


def test_damage_that_sqlite_cant_put_into_words_is_damage(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x", response_id="r1"))
    assert ask("ask", "a").code == 0
    path = state_path(ask)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET name = CAST(x'74ff' AS TEXT), sql = 'CREATE (' WHERE name = 'turns'")
    results = ask.each([["ask", "b"], ["log", "r1"]])
    assert list(results[0]) == [0, "x\n", f"cometresp: warning: {set_aside(path)}\n"]
    assert (results[1].code, results[1].err) == (0, "")


@pytest.mark.parametrize("table", ["turns", "chains"])
def test_a_file_without_its_tables_is_damaged(ask: Command, wire: Wire, table: str) -> None:
    wire.answer(text_stream("x", response_id="r1"))
    assert ask("ask", "a").code == 0
    path = state_path(ask)
    execute(path.parent, f"DROP TABLE {table}")
    results = ask.each([["ask", "b"], ["ask", "c"]])
    assert list(results[0]) == [0, "x\n", f"cometresp: warning: this turn is not recorded: {set_aside(path)}\n"]
    assert list(results[1]) == [0, "x\n", ""]


SHOWN_OF_A_CHAIN = ("id", "number", "base_url", "model", "settings", "status")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", b"\x00"),
        ("parent", "x"),
        ("previous_id", b"\xff"),
        ("chain", b"\xff"),
        ("number", "x"),
        ("number", 1.5),
        ("base_url", b"u"),
        ("model", b"m"),
        ("settings", "null"),
        ("settings", "{"),
        ("settings", '{"conversation": 5}'),
        ("status", b"\x00"),
        ("usage", "[]"),
        ("created", "abc"),
        ("created", 1e300),
        ("created", -1.0),
        ("ended", "x"),
        ("sequence", "x"),
        ("input", "{"),
        ("input", "5"),
        ("output", "[" * 100_000),
        ("output", b"[]"),
        ("outputs", '"x"'),
        ("instructions", "{"),
        ("tools", "{}"),
        ("request_id", b"\xff"),
        ("deleted", "x"),
        ("reason", b"\x00"),
    ],
)
def test_a_damaged_record_is_told_and_left_out(
    ask: Command, wire: Wire, forker: Forker, column: str, value: object
) -> None:
    named_by_prompt(wire)
    for name in ("good", "bad"):
        assert forker.run(ask, ["ask", "--chain", name, name]).code == 0
    execute(state_path(ask).parent, f"UPDATE turns SET {column} = ? WHERE n = 2", value)
    name = "turn 2" if column == "id" else "turn 2 (resp_bad)"
    told = f"the record of {name} is damaged: its {column} can't be read\n"
    requests = len(wire.requests)
    unlisted = ["good"], f"cometresp: warning: {told}"
    listed = unlisted if column in SHOWN_OF_A_CHAIN else (["bad", "good"], "")
    for words, (names, warned) in (("log", (["resp_good"], unlisted[1])), ("chains", listed)):
        result = forker.run(ask, [words])
        lines = [line.partition("\t")[0] for line in result.text.splitlines()]
        assert (result.code, lines, result.err) == (0, names, warned)
    for line in ("continue --chain bad more", "get @bad", "chains show bad", "get last"):
        assert list(forker.run(ask, line.split())) == [73, "", f"cometresp: error: {told}"]
    assert len(wire.requests) == requests
    assert list(forker.run(ask, ["continue", "--chain", "good", "more"])) == [0, "x\n", ""]
    assert list(forker.run(ask, ["ask", "--chain", "bad", "again"])) == [0, "x\n", ""]
    assert list(forker.run(ask, ["continue", "--chain", "bad", "more"])) == [0, "x\n", ""]
    with closing(sqlite3.connect(state_path(ask))) as db:
        assert db.execute(f"SELECT {column} IS ? FROM turns WHERE n = 2", (value,)).fetchone() == (1,)


@pytest.mark.parametrize(("column", "value"), [("used", "abc"), ("used", 1e300), ("head", "x"), ("pending", b"\xff")])
def test_a_damaged_record_of_a_chain_is_told_and_left_out(
    ask: Command, wire: Wire, forker: Forker, column: str, value: object
) -> None:
    named_by_prompt(wire)
    for name in ("good", "bad"):
        assert forker.run(ask, ["ask", "--chain", name, name]).code == 0
    execute(state_path(ask).parent, f"UPDATE chains SET {column} = ? WHERE name = 'bad'", value)
    told = f"the record of chain bad is damaged: its {column} can't be read\n"
    listed = forker.run(ask, ["chains"])
    assert (listed.code, listed.text[:5], listed.err) == (0, "good\t", f"cometresp: warning: {told}")
    assert list(forker.run(ask, ["continue", "--chain", "bad", "more"])) == [73, "", f"cometresp: error: {told}"]
    assert list(forker.run(ask, ["ask", "--chain", "bad", "again"])) == [0, "x\n", ""]
    assert list(forker.run(ask, ["continue", "--chain", "bad", "more"])) == [0, "x\n", ""]


def test_completion_leaves_damaged_records_out(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    for name in ("good", "bad"):
        assert ask("ask", "--chain", name, name).code == 0
    execute(state_path(ask).parent, "UPDATE turns SET created = 'abc' WHERE n = 2")
    completing = {"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": "cometresp log resp_"}
    assert list(ask(env=completing)) == [0, "words\nresp_good\tgood\n", ""]
