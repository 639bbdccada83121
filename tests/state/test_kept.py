"""What is kept, and for how long: texts, settings, what servers refuse."""

from contextlib import closing
from pathlib import Path
from typing import Any

from cometresp.state.records import NewTurn, Settings
from cometresp.state.state import State
from tests.conftest import Command
from tests.recorded import state_path
from tests.scripted import Wire, message
from tests.state.files import named_by_prompt, opened


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
    named_by_prompt(wire)
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
