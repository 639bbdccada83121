"""`chains`: the list, transcripts, and the commands that change what is recorded."""

import json
import sqlite3
import subprocess
import time
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Command
from tests.recorded import heads, recorded, state_path
from tests.scripted import Wire, call, error_reply, json_reply, response, text_stream
from tests.terminals import on_terminal
from tests.waiting import has_open, until

DAY = 86400


def change(ask: Command, *statements: str) -> None:
    with closing(sqlite3.connect(state_path(ask))) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def turns(wire: Wire, ask: Command, *commands: str) -> None:
    """Hold turns whose answers are called r1, r2 …: `command chain words` each."""
    wire.answer(*(text_stream(f"answer {n}", response_id=f"r{n}") for n in range(1, len(commands) + 1)))
    for command in commands:
        verb, chain, *words = command.split()
        assert ask(verb, "--chain", chain, *words).code == 0


def shown(ask: Command, *words: str, columns: int = 60) -> str:
    """What the command writes to a terminal of that width, without colour and bold."""
    _, text = on_terminal(ask, *words, env={"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"})
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m"):
        text = text.replace(code, "")
    return "\n".join(line.rstrip() for line in text.split("\n"))


# looking ----------------------------------------------------------------------------------------------------------


def test_chains_lists_the_last_used_first_with_what_they_began_with(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask work first words", "ask play [x] y", "continue work second")
    rows = [line.split("\t") for line in ask("chains").text.splitlines()]
    assert [(row[:3], row[4:]) for row in rows] == [
        (["work", "2", "m"], ["r3", "first words"]),
        (["play", "1", "m"], ["r2", "[x] y"]),
    ]
    assert all(time.strptime(row[3], "%Y-%m-%d %H:%M") for row in rows)
    [first, _] = json.loads(ask("chains", "--json").out)
    assert first.pop("used") > 0
    assert first == {
        "name": "work",
        "head": "r3",
        "pending": None,
        "turns": 2,
        "model": "m",
        "base_url": wire.url,
        "conversation": None,
        "replays": False,
        "began_with": "first words",
    }


def test_chains_is_a_table_on_a_terminal(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask work first words that go on and on and on and never end", "ask play [x] y")
    change(ask, f"UPDATE chains SET used = {time.time() - 3 * DAY - 60} WHERE name = 'work'")
    assert shown(ask, "chains") == (
        "CHAIN  TURNS  MODEL  USED     BEGAN WITH\n"
        "play   1      m      now      [x] y\n"
        "work   1      m      3 d ago  first words that go on and on…\n"
    )
    assert shown(ask, "chains", columns=34) == (
        "CHAIN  TURNS  MODEL  USED\nplay   1      m      now\nwork   1      m      3 d ago\n"
    )


def test_a_transcript_is_markdown_in_a_pipe_and_rendered_on_a_terminal(ask: Command, wire: Wire) -> None:
    wire.answer(
        json_reply(response(call(arguments='{"a":"*"}'), response_id="r1")),
        text_stream("**bold** [red]", response_id="r2"),
        text_stream('{"a_b_c": "*x*"}', response_id="r3"),
    )
    ask("ask", "one\n*two*")
    ask("continue", "--tool-output", "call_1=4 *C*")
    ask("continue", "json")
    assert ask("chains", "show").text == (
        '## r1 · m · completed\n\n> one\n> *two*\n\n`weather` call_1: {"a":"*"}\n\n'
        "## r2 · m · completed\n\n`function_call_output` call_1: 4 *C*\n\n**bold** [red]\n\n"
        '## r3 · m · completed\n\n> json\n\n{"a_b_c": "*x*"}\n'
    )
    assert shown(ask, "chains", "show") == (
        'r1 · m · completed\n\n▌ one\n▌ *two*\n\n`weather` call_1: {"a":"*"}\n\n'
        "r2 · m · completed\n\n`function_call_output` call_1: 4 *C*\n\nbold [red]\n\n"
        'r3 · m · completed\n\n▌ json\n\n{\n  "a_b_c": "*x*"\n}\n'
    )


def test_text_from_outside_reaches_no_terminal_as_it_is(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a\x1b[2Jb", response_id="r1"))
    ask("ask", "--chain", "c", "p\x1b[2Jq")
    change(ask, "UPDATE turns SET id = 'r' || char(27) || 'c', model = char(27) || '[2J'")
    for words in (["chains"], ["chains", "show", "c"], ["chains", "head", "c"], ["chains", "rm", "c"]):
        assert "\x1b" not in shown(ask, *words, columns=100)


def test_a_transcript_says_that_its_beginning_is_not_recorded(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"))
    ask("ask", "--previous-response-id", "elsewhere", "a")
    assert ask("chains", "show").text == (
        "(what came before r1 is not recorded: elsewhere)\n\n## r1 · m · completed\n\n> a\n\n1\n"
    )


# changing ---------------------------------------------------------------------------------------------------------


def test_set_makes_a_recorded_response_the_head(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a -s brief one", "continue a two", "ask b three")
    assert list(ask("chains", "set", "a", "r1")) == [0, "", ""]
    assert list(ask("chains", "set", "new", "r1")) == [0, "", ""]
    assert heads(ask) == {"new": "r1", "a": "r1", "b": "r3"}
    wire.answer(text_stream("4", response_id="r4"))
    assert ask("continue", "--chain", "new", "more").code == 0
    assert wire.bodies()[-1] == {
        "model": "m",
        "instructions": "brief",
        "input": "more",
        "previous_response_id": "r1",
        "stream": True,
    }
    assert heads(ask) == {"new": "r4", "a": "r1", "b": "r3"}
    assert ask("chains", "set", "a", "@b").code == 0
    assert ask("chains", "set", "b", "-", stdin=b"r2\n").code == 0
    assert heads(ask) == {"new": "r4", "a": "r3", "b": "r2"}


def test_set_takes_a_response_that_was_made_elsewhere(ask: Command, wire: Wire) -> None:
    assert list(ask("chains", "set", "a", "resp_far")) == [0, "", ""]
    assert heads(ask) == {"a": "resp_far"}
    assert ask("chains", "show", "a").text == "## resp_far\n\n(the text was not recorded, or is no longer)\n"
    wire.answer(text_stream("2", response_id="r2"))
    assert ask("continue", "--chain", "a", "--replay", "b").code == 65
    assert wire.requests == []
    assert list(ask("continue", "--chain", "a", "b")) == [0, "2\n", ""]
    assert wire.bodies() == [{"model": "m", "input": "b", "previous_response_id": "resp_far", "stream": True}]
    wire.answer(error_reply(404, "Previous response with id 'r2' not found.", "previous_response_not_found"))
    result = ask("continue", "--chain", "a", "c")
    assert (result.code, len(wire.requests)) == (65, 2)
    assert "the conversation can't be replayed: " in result.err
    assert heads(ask) == {"a": "r2"}


def test_set_keeps_the_base_url_and_a_model_that_is_configured(ask: Command, wire: Wire) -> None:
    ask("chains", "set", "a", "resp_far", env={"COMETAPI_DEFAULT_MODEL": "mine"})
    wire.answer(text_stream("2", response_id="r2"))
    assert ask("continue", "--chain", "a", "b").code == 0
    assert wire.bodies()[0]["model"] == "mine"
    ask("chains", "set", "a", "resp_far", "--base-url", "http://127.0.0.1:1")
    [row] = json.loads(ask("chains", "--json").out)
    assert (row["base_url"], row["head"]) == ("http://127.0.0.1:1/v1", "resp_far")
    assert ask("continue", "--chain", "a", "b").code == 65  # another server, and nothing to send it instead


def test_set_says_how_to_go_back(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a one")
    assert shown(ask, "chains", "set", "a", "resp_far", columns=80) == (
        "resp_far is not recorded here: its server must know it\nto go back: cometresp chains set a r1\n"
    )


@pytest.mark.parametrize("given", ["", "a b", "..", "x" * 1025, "a;b"])
def test_set_refuses_what_is_no_id(ask: Command, given: str) -> None:
    result = ask("chains", "set", "a", given)
    assert (result.code, heads(ask)) == (2, {})
    assert result.err == f"cometresp: error: ID: {given[:80]!r} is not a response id\n"


def test_a_response_that_didnt_end_well_is_no_head(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), json_reply(response(response_id="r2", status="failed")))
    ask("ask", "a")
    ask("continue", "b")
    assert list(ask("chains", "set", "default", "r2")) == [
        2,
        "",
        "cometresp: error: r2 can't be the head of default: it is recorded as failed\n"
        "hint: cometresp get r2 asks for its status; cometresp continue --from r2 continues it anyway\n",
    ]
    assert heads(ask) == {"default": "r1"}


def test_rename_takes_the_turns_along_and_no_name_that_is_taken(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a one", "continue a two", "ask b three")
    assert list(ask("chains", "rename", "a", "b")) == [
        2,
        "",
        "cometresp: error: there is a chain b already\nhint: cometresp chains rm removes it\n",
    ]
    assert ask("chains", "rename", "none", "c").err.startswith("cometresp: error: there is no chain none\n")
    assert list(ask("chains", "rename", "a", "c")) == [0, "", ""]
    assert heads(ask) == {"b": "r3", "c": "r2"}
    assert [turn["id"] for turn in json.loads(ask("log", "--json", "--chain", "c").out)] == ["r2", "r1"]


def test_a_chain_may_be_renamed_to_the_name_that_it_has(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a one")
    assert list(ask("chains", "rename", "a", "a")) == [0, "", ""]
    assert (heads(ask), recorded(ask)) == ({"a": "r1"}, ["r1"])
    assert ask("chains", "rename", "b", "b").code == 2


@pytest.mark.parametrize(
    ("words", "blamed"),
    [(("rename", "a", ""), "NEW"), (("rename", "", "a"), "NAME"), (("rm", "a", ""), "NAME"), (("show", ""), "NAME")],
)
def test_the_argument_that_is_no_name_is_blamed(ask: Command, words: tuple[str, ...], blamed: str) -> None:
    result = ask("chains", *words)
    assert (result.code, result.err) == (
        2,
        f"cometresp: error: {blamed}: '' is not a name: 1 to 100 printable characters, no blank at its ends\n",
    )


def test_rm_removes_a_chain_with_its_text(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a -s sesame secret", "continue a hidden", "ask b other")
    assert list(ask("chains", "rm", "a")) == [0, "removed a: 2 responses\n", ""]
    assert (heads(ask), recorded(ask)) == ({"b": "r3"}, ["r3"])
    kept = state_path(ask).read_bytes()
    assert [word in kept for word in (b"secret", b"sesame", b"hidden", b"answer 1", b"other")] == [False] * 4 + [True]


def test_rm_of_an_unknown_chain_removes_nothing(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a one")
    told = "cometresp: error: there are no chains x, y\nhint: cometresp chains lists them\n"
    assert list(ask("chains", "rm", "a", "x", "y")) == [2, "", told]
    assert heads(ask) == {"a": "r1"}


def test_rm_keeps_what_other_chains_go_on_from(ask: Command, wire: Wire) -> None:
    turns(
        wire,
        ask,
        "ask a one",
        "continue a two",
        "continue a three",
        "continue b --from r2 four",
        "ask b anew",
        "continue c --from r1 six",
    )
    assert (
        ask("chains", "rm", "a").text == "removed a: 1 response (2 responses kept: other chains continue from there)\n"
    )
    assert recorded(ask) == ["r1", "r2", "r4", "r5", "r6"]
    wire.answer(text_stream("7", response_id="r7"))
    assert ask("continue", "--chain", "b", "--from", "r4", "--replay", "seven").code == 0
    said = [item["content"] for item in wire.bodies()[-1]["input"] if item["role"] == "user"]
    assert said == ["one", "two", "four", "seven"]
    assert ask("chains", "rm", "b").text == "removed b: 4 responses\n"  # with what stayed for it alone
    assert recorded(ask) == ["r1", "r6"]
    assert ask("chains", "rm", "c", "c").text == "removed c: 2 responses\n"
    assert recorded(ask) == []


def test_prune_removes_unused_chains_and_turns_that_nothing_needs(ask: Command, wire: Wire) -> None:
    turns(
        wire,
        ask,
        "ask old one",
        "ask live two",
        "continue live three",
        "continue live --from r2 four",
        "continue live five",
        "ask fresh six",
    )
    long_ago = time.time() - 40 * DAY
    change(
        ask,
        f"UPDATE turns SET created = {long_ago} WHERE id IN ('r1', 'r2', 'r3', 'r4')",
        f"UPDATE chains SET used = {long_ago} WHERE name = 'old'",
    )
    assert list(ask("chains", "prune", "--older-than", "6w")) == [0, "removed 0 chains and 0 responses\n", ""]
    assert list(ask("chains", "prune", "--older-than", "30d")) == [0, "removed 1 chain and 2 responses\n", ""]
    assert (heads(ask), recorded(ask)) == ({"fresh": "r6", "live": "r5"}, ["r2", "r4", "r5", "r6"])
    kept = state_path(ask).read_bytes()
    assert [f"answer {n}".encode() in kept for n in range(1, 7)] == [False, True, False, True, True, True]


def test_a_chain_in_which_a_turn_failed_lately_is_not_pruned(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a one")
    long_ago = time.time() - 40 * DAY
    change(ask, f"UPDATE turns SET created = {long_ago}", f"UPDATE chains SET used = {long_ago}")
    wire.answer(json_reply(response(response_id="r2", status="failed")))
    assert ask("continue", "--chain", "a", "b").code == 1
    assert ask("chains", "prune", "--older-than", "30d").text == "removed 0 chains and 0 responses\n"
    assert recorded(ask) == ["r1", "r2"]


@pytest.mark.parametrize("age", ["30", "d", "0d", "-1d", "1.5d", "30m", "30 d", ""])
def test_an_age_is_a_number_and_a_unit(ask: Command, age: str) -> None:
    assert list(ask("chains", "prune", f"--older-than={age}")) == [
        2,
        "",
        f"cometresp: error: --older-than: {age!r} is not an age\nhint: a number and h, d or w: 12h, 30d, 8w\n",
    ]


def test_pruning_waits_for_others_and_gives_the_room_back(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x" * 500_000, response_id="r1"))
    ask("ask", "a")
    change(ask, "UPDATE turns SET created = 0", "UPDATE chains SET used = 0")
    with closing(sqlite3.connect(state_path(ask), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM turns").fetchone()
        process = ask.popen("chains", "prune", "--older-than", "1h")
        until(lambda: has_open(process.pid, state_path(ask)))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        reader.execute("ROLLBACK")
        assert process.communicate(timeout=30) == (b"removed 1 chain and 1 response\n", b"")
    assert state_path(ask).stat().st_size < 200_000


def test_the_emulators_chains_are_apart(run: Command) -> None:
    assert run("ask", "--offline", "--chain", "a", "hi").code == 0
    assert run("chains", "rename", "--offline", "a", "b").code == 0
    assert run("chains", "--offline", "head", "b").text == run("chains", "head", "--offline", "b").text
    assert run("chains", "rm", "b").err.startswith("cometresp: error: there is no chain b\n")
    assert run("chains", "rm", "--offline", "b").text == "removed b: 1 response\n"
    assert run("chains", "set", "--offline", "c", "resp_x").code == 0
    assert run("chains", "prune", "--older-than", "1d", "--offline").text == "removed 0 chains and 0 responses\n"


def test_dot_names_the_chain_of_the_directory(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask . one")
    assert ask("chains", "head", ".").text == "r1\n"
    assert ask("chains", "rename", ".", "here").code == 0
    assert heads(ask) == {"here": "r1"}


def test_a_chain_that_is_removed_while_a_turn_runs_is_told(ask: Command, wire: Wire) -> None:
    turns(wire, ask, "ask a one")

    def meanwhile(_: Any, connection: Any) -> None:
        begun, rest = text_stream("two", response_id="r2").split(b"event: response.output_text.delta", 1)
        connection.sendall(begun)
        while len(recorded(ask)) < 2:
            pass
        assert ask("chains", "rm", "a").text == "removed a: 2 responses\n"
        assert ask("chains", "set", "b", "resp_far").code == 0  # whose turn must not get the number of the other's
        connection.sendall(b"event: response.output_text.delta" + rest)

    wire.answer(meanwhile)
    assert list(ask("continue", "--chain", "a", "b")) == [
        73,
        "two\n",
        "cometresp: warning: this turn is not recorded: its chain was removed meanwhile\n"
        "cometresp: error: its chain was removed meanwhile\n",
    ]
    assert (heads(ask), recorded(ask)) == ({"b": "resp_far"}, ["resp_far"])
