"""The state file among many processes, and when it is damaged, read-only or somebody else's."""

import json
import os
import sqlite3
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cometresp.errors import OutputError
from cometresp.state import file as state_file
from cometresp.state.migrations import STEPS
from cometresp.state.records import NewTurn, Settings
from cometresp.state.state import State
from tests.conftest import Command
from tests.recorded import recorded, state_path
from tests.scripted import Request, Wire, call, message, text_stream

MANY = 20
VERSION_1 = Path(__file__).parent / "state_v1.sql"


def numbered(wire: Wire) -> None:
    """Every answer gets an id of its own, told by the request's prompt."""

    def answer(request: Request, connection: object) -> None:
        connection.sendall(text_stream("x", response_id=f"resp_{request.json()['input']}"))  # type: ignore[attr-defined]

    wire.answer(answer)


def at_once(run: Command, commands: list[list[str]]) -> list[int]:
    processes = [run.popen(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for words in commands]
    return [process.wait(60) for process in processes]


def test_twenty_turns_at_once_on_twenty_chains_all_become_heads(ask: Command, wire: Wire) -> None:
    numbered(wire)
    names = [f"c{n}" for n in range(MANY)]
    assert set(at_once(ask, [["ask", "--chain", name, f"first{name}"] for name in names])) == {0}
    assert set(at_once(ask, [["continue", "--chain", name, f"second{name}"] for name in names])) == {0}
    heads = {row["name"]: row["head"] for row in json.loads(ask("chains", "--json").out)}
    assert heads == {name: f"resp_second{name}" for name in names}
    assert set(recorded(ask)) == {f"resp_{word}{name}" for word in ("first", "second") for name in names}


def test_twenty_turns_at_once_on_one_chain_lose_none_and_one_is_the_head(ask: Command, wire: Wire) -> None:
    numbered(wire)
    ask("ask", "root")
    assert set(at_once(ask, [["continue", f"n{n}"] for n in range(MANY)])) == {0}
    assert set(recorded(ask)) == {"resp_root", *(f"resp_n{n}" for n in range(MANY))}
    assert ask("chains", "head").text.strip() in recorded(ask)
    db = sqlite3.connect(state_path(ask))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_a_turn_that_came_too_late_says_where_its_answer_is(ask: Command, wire: Wire) -> None:
    numbered(wire)
    ask("ask", "root")

    def meanwhile(request: Request, connection: object) -> None:
        if request.json()["input"] == "slow":
            assert ask("continue", "quick").code == 0
        connection.sendall(text_stream("x", response_id=f"resp_{request.json()['input']}"))  # type: ignore[attr-defined]

    wire.answer(meanwhile)
    assert list(ask("continue", "slow")) == [
        0,
        "x\n",
        "cometresp: warning: default moved on meanwhile: your answer is resp_slow, go on with --from resp_slow\n",
    ]
    assert ask("chains", "head").text == "resp_quick\n"


def test_a_damaged_file_is_set_aside_and_the_answer_still_comes(ask: Command, wire: Wire) -> None:
    numbered(wire)
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
    numbered(wire)
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
    numbered(wire)
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
    numbered(wire)
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
    new = NewTurn(chain="c", base_url="u", model="m", settings=Settings(), input=[], anew=True)

    def turn(n: int) -> None:
        state = State.open(tmp_path / "state")
        assert state is not None
        number, _ = state.begin(new, f"r{n}")
        state.finish(number, status="completed", usage={}, sequence=None, output=[], good=True)
        state.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(turn, range(64)))
    state = State.open(tmp_path / "state")
    assert state is not None
    assert len(state.turns()) == 64
    state.close()


def test_a_state_folder_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(OutputError):
        State.open(tmp_path / "state")
    assert os.listdir(tmp_path) == ["state"]  # noqa: PTH208 - names are what is compared


def opened(directory: Path) -> State:
    state = State.open(directory)
    assert state is not None
    return state


def test_turns_of_many_processes_make_one_tree_for_each_chain(ask: Command, wire: Wire) -> None:
    numbered(wire)
    names = ["left", "right"]
    assert set(at_once(ask, [["ask", "--chain", name, name] for name in names])) == {0}

    def turns(worker: int) -> list[int]:
        words = [["continue", "--chain", names[worker % 2], f"w{worker}n{n}"] for n in range(4)]
        return [ask(*line).code for line in words]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(turns, range(8))) == [[0] * 4] * 8
    with closing(opened(state_path(ask).parent)) as state:
        found = state.turns()
        heads = [row.head for row in state.chains()]
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


# versions ---------------------------------------------------------------------------------------------------------


def old_file(directory: Path, base_url: str) -> Path:
    """A state file of version 1 whose turns were begun just now."""
    directory.mkdir(parents=True)
    with closing(sqlite3.connect(directory / "state.db")) as db:
        db.executescript(VERSION_1.read_text())
        db.execute("UPDATE turns SET base_url = ?, created = ?", (base_url, time.time()))
        db.commit()
    return directory / "state.db"


def tables(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as db:
        return sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_an_old_file_is_migrated_and_goes_on(ask: Command, wire: Wire) -> None:
    path = old_file(state_path(ask).parent, wire.url)
    numbered(wire)
    assert ask("continue", "new").code == 0
    assert wire.bodies() == [
        {
            "model": "m2",
            "instructions": "be brief",
            "input": "new",
            "tools": [{"type": "function", "name": "weather", "parameters": {}}],
            "previous_response_id": "r3",
            "stream": True,
        }
    ]
    heads = {row["name"]: (row["head"], row["pending"]) for row in json.loads(ask("chains", "--json").out)}
    assert heads == {"default": ("resp_new", None), "other": ("r5", None), "late": (None, "bg")}
    assert json.loads(ask("chains", "show", "other", "--json").out) == [
        {"role": "user", "content": "a"},
        call(),
        {"type": "function_call_output", "call_id": "call_1", "output": "4"},
        message("4 degrees"),
        {"role": "user", "content": "d"},
        message("branch"),
    ]
    statuses = [(turn["id"], turn["status"]) for turn in json.loads(ask("log", "--json").out)]
    assert statuses == [
        ("resp_new", "completed"),
        ("bg", "queued"),
        ("r5", "completed"),
        ("r4", "cut"),
        ("r3", "completed"),
        ("r2", "completed"),
        ("r1", "completed"),
    ]
    assert version(path) == state_file.VERSION


def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    path = old_file(tmp_path / "old", "u")
    opened(tmp_path / "old").close()
    opened(tmp_path / "new").close()
    assert tables(path) == tables(tmp_path / "new" / "state.db")


def test_settings_survive_the_migration(tmp_path: Path) -> None:
    path = old_file(tmp_path / "old", "u")
    with closing(sqlite3.connect(path)) as db:
        db.execute("""UPDATE turns SET settings = '{"store": false, "conversation": "conv"}' WHERE id = 'r4'""")
        db.execute("UPDATE turns SET settings = 'broken' WHERE id = 'bg'")
        db.commit()
    tools = [{"type": "function", "name": "weather", "parameters": {}}]
    with closing(opened(tmp_path / "old")) as state:
        assert {turn.id: turn.settings for turn in state.turns()} == {
            "r1": Settings("be brief", tools),
            "r2": Settings("be brief", tools),
            "r3": Settings("be brief", tools),
            "r4": Settings(store=False, conversation="conv"),
            "r5": Settings("be brief"),
            "bg": Settings(),
        }


def test_many_processes_open_an_old_file_at_once(ask: Command, wire: Wire) -> None:
    old_file(state_path(ask).parent, wire.url)
    numbered(wire)
    assert set(at_once(ask, [["ask", "--chain", f"c{n}", f"n{n}"] for n in range(8)])) == {0}
    assert set(recorded(ask)) == {"r1", "r2", "r3", "r4", "r5", "bg", *(f"resp_n{n}" for n in range(8))}


def test_a_migration_that_stops_midway_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_file(tmp_path / "old", "u")
    before = tables(path)
    real = STEPS[1]

    def stopping(db: sqlite3.Connection) -> None:
        real(db)
        raise KeyboardInterrupt

    monkeypatch.setattr(state_file, "STEPS", (STEPS[0], stopping))
    with pytest.raises(KeyboardInterrupt):
        State.open(tmp_path / "old")
    assert (version(path), tables(path)) == (1, before)
    monkeypatch.undo()
    with closing(opened(tmp_path / "old")) as state:
        assert len(state.turns()) == 6
    assert version(path) == 2


def test_a_file_that_a_newer_one_migrates_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_file(tmp_path / "old", "u")
    real = state_file.patiently

    def overtaken(db: sqlite3.Connection, *statements: str) -> None:
        if statements == ("BEGIN IMMEDIATE",):
            with closing(sqlite3.connect(path)) as other:
                other.execute("PRAGMA user_version = 99")
        real(db, *statements)

    monkeypatch.setattr(state_file, "patiently", overtaken)
    with pytest.raises(OutputError, match="newer cometresp"):
        State.open(tmp_path / "old")
    assert version(path) == 99


# what is kept -----------------------------------------------------------------------------------------------------


def held(state: State, settings: Settings, *, anew: bool = False, text: bool = True, name: str = "c") -> int:
    """A turn of that chain, which becomes its head."""
    row = state.chain(name)
    items: list[dict[str, Any]] | None = [{"role": "user", "content": "question"}] if text else None
    new = NewTurn(name, "u", "m", settings, items, anew=anew or row is None, parent=row.head if row else None)
    n, _ = state.begin(new, f"r_{name}")
    output = [message("said")] if text else None
    state.finish(n, status="completed", usage={"total_tokens": 3}, sequence=None, output=output, good=True)
    return n


SETTINGS = Settings("be brief", [{"type": "web_search"}], store=True, conversation="conv")


def aged(state: State, *numbers: int, days: int = 91) -> None:
    for n in numbers:
        state.db.execute("UPDATE turns SET created = created - ? WHERE n = ?", (days * 86400, n))


def test_text_is_dropped_after_ninety_days_and_settings_that_no_head_needs(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        one, two, other = held(state, SETTINGS), held(state, SETTINGS), held(state, SETTINGS, name="other")
        aged(state, one, two, other)
        young = held(state, SETTINGS, name="other")
        aged(state, young, days=89)
        held(state, Settings(), name="third")
        found = {turn.n: turn for turn in state.turns()}
        bare = Settings(store=True, conversation="conv", forgotten=("instructions", "tools"))
        assert [found[n].settings for n in (one, two, other, young)] == [bare, SETTINGS, bare, SETTINGS]
        assert [found[n].input is None for n in (one, two, other, young)] == [True, True, True, False]
        assert [found[n].output is None for n in (one, two, other, young)] == [True, True, True, False]
        assert found[one].usage == {"total_tokens": 3}


def test_looking_for_old_text_needs_no_look_at_every_turn(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        seen: list[str] = []
        state.db.set_trace_callback(seen.append)
        held(state, SETTINGS)
        state.db.set_trace_callback(None)
        looking = [statement for statement in seen if statement.lstrip().startswith("UPDATE turns SET in")]
        plans = [str(state.db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()) for statement in looking]
        assert ["turns_with_text" in plan for plan in plans] == [True, True]


def test_recording_ids_keeps_no_text_of_settings_either(ask: Command, wire: Wire) -> None:
    numbered(wire)
    tool = '{"type":"function","name":"sesame","parameters":{}}'
    assert ask("ask", "-s", "secret word", "-t", tool, "hidden", env={"COMETRESP_RECORD": "ids"}).code == 0
    data = state_path(ask).read_bytes()
    assert [word in data for word in (b"secret", b"sesame", b"hid" + b'den"')] == [False] * 3
    with closing(opened(state_path(ask).parent)) as state:
        [turn] = state.turns()
    assert (turn.settings, turn.input, turn.output) == (Settings(forgotten=("instructions", "tools")), None, None)


def test_dropped_text_is_overwritten(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        one = held(state, Settings("sesame"))
        aged(state, one)
        held(state, Settings(), anew=True, text=False)
    data = (tmp_path / "s" / "state.db").read_bytes()
    assert [word in data for word in (b"sesame", b"question", b"said")] == [False] * 3


# what servers refuse ----------------------------------------------------------------------------------------------


def test_turns_left_to_the_server_are_told_from_those_that_a_command_still_holds(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        head = state.turn_at(held(state, SETTINGS))
        assert head is not None
        new = NewTurn(head.chain, "u", "m", SETTINGS, None, anew=False, parent=head)
        numbers = [state.begin(new._replace(chain=name), "r")[0] for name in (head.chain, head.chain, "other")]
        assert state.pending_after(head, head.chain) == []
        for n, status in zip(numbers, ("queued", "failed", "in_progress"), strict=True):
            state.finish(n, status=status, usage={}, sequence=None, output=None, good=False)
        assert [turn.n for turn in state.pending_after(head, head.chain)] == numbers[:1]
        assert [turn.n for turn in state.pending_after(head, "other")] == numbers[2:]


def test_what_a_server_refuses_is_remembered_for_seven_days(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        assert not state.refuses("u", "no_get")
        state.seen_refusing("u", "no_get")
        state.seen_refusing("u", "no_previous")
        refused = [state.refuses("u", what) for what in ("no_previous", "no_get", "no_follow")]
        assert refused == [True, True, False]
        assert not state.refuses("v", "no_get")
        state.taken_back("u", "no_get")
        state.taken_back("v", "no_get")
        assert [state.refuses("u", what) for what in ("no_previous", "no_get")] == [True, False]
        state.db.execute("UPDATE servers SET no_previous = no_previous - 7 * 86400 - 1")
        assert not state.refuses("u", "no_previous")
        state.seen_refusing("u", "no_previous")
        assert state.refuses("u", "no_previous")


def test_numbers_of_removed_turns_are_not_used_again(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        first = held(state, Settings())
        assert state.remove(["c"]) == [(1, 0)]
        assert held(state, Settings()) == first + 1
