"""The state file among many processes, and when it is damaged, read-only or somebody else's."""

import json
import os
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from cometresp.errors import OutputError
from cometresp.state.records import Ending, NewTurn, Settings
from cometresp.state.state import State
from tests.conftest import Command
from tests.recorded import recorded, state_path
from tests.scripted import Request, Wire, text_stream
from tests.state.files import at_once, named_by_prompt, opened

MANY = 20


@pytest.mark.slow
def test_twenty_turns_at_once_on_twenty_chains_all_become_heads(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    names = [f"c{n}" for n in range(MANY)]
    assert set(at_once(ask, [["ask", "--chain", name, f"first{name}"] for name in names])) == {0}
    assert set(at_once(ask, [["continue", "--chain", name, f"second{name}"] for name in names])) == {0}
    heads = {row["name"]: row["head"] for row in json.loads(ask("chains", "--json").out)}
    assert heads == {name: f"resp_second{name}" for name in names}
    assert set(recorded(ask)) == {f"resp_{word}{name}" for word in ("first", "second") for name in names}


@pytest.mark.slow
def test_twenty_turns_at_once_on_one_chain_lose_none_and_one_is_the_head(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    ask("ask", "root")
    assert set(at_once(ask, [["continue", f"n{n}"] for n in range(MANY)])) == {0}
    assert set(recorded(ask)) == {"resp_root", *(f"resp_n{n}" for n in range(MANY))}
    assert ask("chains", "head").text.strip() in recorded(ask)
    db = sqlite3.connect(state_path(ask))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_a_turn_that_came_too_late_says_where_its_answer_is(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    ask("ask", "root")

    def meanwhile(request: Request, connection: object) -> None:
        if request.json()["input"] == "slow":
            assert ask("continue", "quick").code == 0
        connection.sendall(text_stream("x", response_id=f"resp_{request.json()['input']}"))  # type: ignore[attr-defined]

    wire.answer(meanwhile)
    assert list(ask("continue", "slow")) == [
        0,
        "x\n",
        "cometresp: warning: default moved on meanwhile: your answer is resp_slow, continue it with --from resp_slow\n",
    ]
    assert ask("chains", "head").text == "resp_quick\n"


def test_a_damaged_file_is_set_aside_and_the_answer_still_comes(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    path = state_path(ask)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database " * 100)
    result = ask("ask", "a")
    [aside] = path.parent.glob("state.damaged-*.db")
    assert list(result) == [
        0,
        "x\n",
        f"cometresp: warning: the state file was damaged and is kept as {aside}\n",
    ]
    assert aside.read_bytes() == b"not a database " * 100
    assert list(ask("continue", "b")) == [0, "x\n", ""]


def test_damage_that_shows_later_sets_the_file_aside_too(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    ask("ask", "a" * 20_000)
    path = state_path(ask)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    result = ask("ask", "b")
    assert (result.code, result.text) == (0, "x\n")
    assert "the state file was damaged and is kept as" in result.err
    assert ask("ask", "c").err == ""


@pytest.mark.parametrize("how", ["foreign", "newer", "folder"])
def test_a_file_that_isnt_ours_is_left_alone(ask: Command, wire: Wire, how: str) -> None:
    named_by_prompt(wire)
    path = state_path(ask)
    path.parent.mkdir(parents=True)
    if how == "folder":
        path.mkdir()
    else:
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE theirs (x)")
        if how == "newer":
            db.execute(f"PRAGMA application_id = {0x636F6D74}")
            db.execute("PRAGMA user_version = 99")
        db.commit()
        db.close()
    before = path.read_bytes() if path.is_file() else b""
    result = ask("ask", "a")
    assert (result.code, result.text) == (0, "x\n")
    assert result.err.startswith(
        f"cometresp: warning: this turn is not recorded: the state file {path} can't be used: "
    )
    sent = len(wire.requests)
    assert (ask("continue", "b").code, len(wire.requests)) == (73, sent)
    assert before == (path.read_bytes() if path.is_file() else b"")


def test_a_state_that_cant_be_written_stops_continue_before_it_sends(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    ask("ask", "a")
    path = state_path(ask)
    db = sqlite3.connect(path)
    db.execute("CREATE TRIGGER no_more BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    db.commit()
    db.close()
    result = ask("ask", "b")
    assert (result.code, result.text) == (0, "x\n")
    assert "this turn is not recorded" in result.err
    assert ask("continue", "c").code == 73


def test_the_emulators_state_is_apart_from_the_real_one(run: Command) -> None:
    assert run("ask", "--offline", "hi").code == 0
    assert run("chains").text == ""
    assert run("chains", "--offline").text.startswith("default\t1\t")
    assert not state_path(run).exists()


def test_an_interrupted_turn_keeps_its_text_and_never_becomes_the_head(ask: Command, wire: Wire) -> None:
    import signal

    from tests.scripted import created, delta, sse

    wire.answer(text_stream("1", response_id="r1"))
    ask("ask", "a")

    def stall(_: Request, connection: object) -> None:
        connection.sendall(sse(created("r2"), delta("half")))  # type: ignore[attr-defined]
        connection.recv(1)  # type: ignore[attr-defined]

    for name, code, word in (
        ("SIGINT", 130, "interrupted"),
        ("SIGTERM", 143, "terminated"),
        ("SIGHUP", 129, "hung up"),
    ):
        wire.answer(stall)
        process = ask.popen("stream", "-c", "b")
        assert process.stdout is not None
        assert process.stdout.read(4) == b"half"
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (code, b"\n")
        assert err.decode() == f"cometresp: error: {word}\nhint: what came is kept: cometresp log r2\n"
    assert ask("chains", "head").text == "r1\n"
    assert ask("log", "r2").text == "## r2 · m · interrupted\n\n> b\n\nhalf\n"


def test_many_threads_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    new = NewTurn(chain="c", base_url="u", model="m", settings=Settings(), input=[], restarts=True)

    def turn(n: int) -> None:
        state = State.open(tmp_path / "state")
        assert state is not None
        number, _ = state.turns.begin(new, f"r{n}")
        state.turns.finish(number, Ending("completed", {}, []), good=True)
        state.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(turn, range(64)))
    state = State.open(tmp_path / "state")
    assert state is not None
    assert len(state.turns.newest()) == 64
    state.close()


def test_a_state_folder_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(OutputError):
        State.open(tmp_path / "state")
    assert os.listdir(tmp_path) == ["state"]  # noqa: PTH208 - names are what is compared


@pytest.mark.slow
def test_turns_of_many_processes_make_one_tree_for_each_chain(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    names = ["left", "right"]
    assert set(at_once(ask, [["ask", "--chain", name, name] for name in names])) == {0}

    def turns(worker: int) -> list[int]:
        words = [["continue", "--chain", names[worker % 2], f"w{worker}n{n}"] for n in range(4)]
        return [ask(*line).code for line in words]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(turns, range(8))) == [[0] * 4] * 8
    with closing(opened(state_path(ask).parent)) as state:
        found = state.turns.newest()
        heads = [chain.head for name in names if (chain := state.chains.get(name))]
    by_number = {turn.n: turn for turn in found}
    assert {turn.id for turn in found} == {
        *(f"resp_{name}" for name in names),
        *(f"resp_w{worker}n{n}" for worker in range(8) for n in range(4)),
    }
    assert Counter(turn.chain for turn in found if turn.parent is None) == {"left": 1, "right": 1}
    for turn in found:
        if turn.parent is not None:
            parent = by_number[turn.parent]
            assert (parent.chain, parent.id, parent.number + 1) == (turn.chain, turn.previous_id, turn.number)
    assert {head.status for head in heads if head} == {"completed"}


@pytest.mark.parametrize("name", ["a?mode=memory", "a#b", "a%41", "ä b"])
def test_a_state_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = Path(f"/{tmp_path}") / name  # with two slashes at its beginning
    opened(folder).close()
    assert [path.name for path in (tmp_path / name).iterdir()] == ["state.db"]
