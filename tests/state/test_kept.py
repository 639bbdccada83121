"""What is kept, and for how long: texts, settings, what servers refuse."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from cometresp.state import retention
from cometresp.state.batches import Submitted
from cometresp.state.records import Ending, NewTurn, Settings
from cometresp.state.state import State
from tests.conftest import Command
from tests.recorded import state_path
from tests.scripted import Wire, message
from tests.state.files import execute, named_by_prompt, opened


def held(state: State, settings: Settings, *, restarts: bool = False, text: bool = True, name: str = "c") -> int:
    """A turn of that chain, which becomes its head."""
    chain = state.chains.get(name)
    items: list[dict[str, Any]] | None = [{"role": "user", "content": "question"}] if text else None
    new = NewTurn(
        name, "u", "m", settings, items, restarts=restarts or chain is None, parent=chain.head if chain else None
    )
    n, _ = state.turns.begin(new, f"r_{name}")
    output = [message("said")] if text else None
    state.turns.finish(n, Ending("completed", {"total_tokens": 3}, output), good=True)
    return n


SETTINGS = Settings("be brief", [{"type": "web_search"}], store=True, conversation="conv")


def aged(folder: Path, *numbers: int, days: int = 91) -> None:
    for n in numbers:
        execute(folder, "UPDATE turns SET created = created - ? WHERE n = ?", days * 86400, n)


def test_text_is_dropped_after_ninety_days_and_settings_that_no_head_needs(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        one, two, other = held(state, SETTINGS), held(state, SETTINGS), held(state, SETTINGS, name="other")
        aged(tmp_path / "s", one, two, other)
        young = held(state, SETTINGS, name="other")
        aged(tmp_path / "s", young, days=89)
        held(state, Settings(), name="third")
        found = {turn.n: turn for turn in state.turns.newest()}
        bare = Settings(store=True, conversation="conv", forgotten=("instructions", "tools"))
        assert [found[n].settings for n in (one, two, other, young)] == [bare, SETTINGS, bare, SETTINGS]
        assert [found[n].input is None for n in (one, two, other, young)] == [True, True, True, False]
        assert [found[n].output is None for n in (one, two, other, young)] == [True, True, True, False]
        assert found[one].usage == {"total_tokens": 3}


def test_looking_for_old_text_needs_no_look_at_every_turn(tmp_path: Path) -> None:
    path = tmp_path / "s" / "state.db"
    with closing(opened(path.parent)) as state:
        held(state, SETTINGS)
    with closing(sqlite3.connect(path)) as db:
        seen: list[str] = []
        db.set_trace_callback(seen.append)
        retention.drop_old_text(db, time.time())
        db.set_trace_callback(None)
        asked = [sql for sql in seen if "created" in sql]
        plans = [str(db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()) for sql in asked]
    indexes = ("turns_with_text", "looked", "turns_with_settings", "unanswered_by_time", "batches_by_time")
    assert [index in plan for index, plan in zip(indexes, plans, strict=True)] == [True] * 5


def test_recording_ids_keeps_no_text_of_settings_either(ask: Command, wire: Wire) -> None:
    named_by_prompt(wire)
    tool = '{"type":"function","name":"sesame","parameters":{}}'
    assert ask("ask", "-s", "secret word", "-t", tool, "hidden", env={"COMETRESP_RECORD": "ids"}).code == 0
    data = state_path(ask).read_bytes()
    assert [word in data for word in (b"secret", b"sesame", b"hid" + b'den"')] == [False] * 3
    with closing(opened(state_path(ask).parent)) as state:
        [turn] = state.turns.newest()
    assert (turn.settings, turn.input, turn.output) == (Settings(forgotten=("instructions", "tools")), None, None)


def test_dropped_text_is_overwritten(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        one = held(state, Settings("sesame"))
        aged(tmp_path / "s", one)
        held(state, Settings(), restarts=True, text=False)
    data = (tmp_path / "s" / "state.db").read_bytes()
    assert [word in data for word in (b"sesame", b"question", b"said")] == [False] * 3


# what servers refuse ----------------------------------------------------------------------------------------------


def test_turns_left_to_the_server_are_told_from_those_that_a_command_still_holds(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        head = state.turns.at(held(state, SETTINGS))
        assert head is not None
        new = NewTurn(head.chain, "u", "m", SETTINGS, None, restarts=False, parent=head)
        numbers = [state.turns.begin(new._replace(chain=name), "r")[0] for name in (head.chain, head.chain, "other")]
        assert state.turns.pending_after(head, head.chain) == []
        for n, status in zip(numbers, ("queued", "failed", "in_progress"), strict=True):
            state.turns.finish(n, Ending(status, {}, None), good=False)
        assert [turn.n for turn in state.turns.pending_after(head, head.chain)] == numbers[:1]
        assert [turn.n for turn in state.turns.pending_after(head, "other")] == numbers[2:]


def test_what_a_server_refuses_is_remembered_for_seven_days(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        assert not state.servers.takes_no_previous("u")
        state.servers.saw_no_previous("u")
        assert [state.servers.takes_no_previous(url) for url in ("u", "v")] == [True, False]
        execute(tmp_path / "s", "UPDATE servers SET no_previous = no_previous - 7 * 86400 - 1")
        assert not state.servers.takes_no_previous("u")
        state.servers.saw_no_previous("u")
        assert state.servers.takes_no_previous("u")


def test_numbers_of_removed_turns_are_not_used_again(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        first = held(state, Settings())
        assert state.chains.remove(["c"]) == [(1, 0)]
        assert held(state, Settings()) == first + 1


def test_batches_are_kept_for_ninety_days_and_a_damaged_row_is_passed_over(tmp_path: Path) -> None:
    now = time.time()
    made = [Submitted(f"batch_{n}", "u", "in.jsonl", 2, 0, 1, "in_progress", now - n, now) for n in range(4)]
    with closing(opened(tmp_path / "s")) as state:
        for batch in made:
            state.batches.keep(batch)
        state.batches.keep(made[0]._replace(status="completed", done=2, file=None, created=0.0))
        assert state.batches.newest("u", 2) == [made[0]._replace(status="completed", done=2), made[1]]
        assert state.batches.beginning("u", "batch_", 9)[1:] == made[1:]
        assert (state.batches.beginning("u", "batch_3", 9), state.batches.newest("v", 9)) == ([made[3]], [])
        execute(tmp_path / "s", "UPDATE batches SET status = x'ff', done = 'many' WHERE id = 'batch_1'")
        assert [batch.id for batch in state.batches.newest(None, 9)] == ["batch_0", "batch_2", "batch_3"]
        execute(tmp_path / "s", "UPDATE batches SET created = 1 WHERE id = 'batch_2'")
        with state._database.writing() as db:  # noqa: SLF001
            retention.drop_old_text(db, now - 90 * 86400)
        assert [batch.id for batch in state.batches.newest("u", 9)] == ["batch_0", "batch_3"]
