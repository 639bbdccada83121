"""The first turn of each conversation and its length are as a walk finds them, whatever is added and removed."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.state.records import Ending, NewTurn, Settings, Turn
from cometresp.state.search import FOLDED
from cometresp.state.state import State
from cometresp.state.transcript import has_words
from tests.scripted import call
from tests.state.files import execute, old_file, opened

NAMES = ("a", "b", "c")
STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("continue"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("from"), st.sampled_from(NAMES), st.integers(0, 9)),
    st.tuples(st.just("fail"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("set"), st.sampled_from(NAMES), st.integers(0, 9)),
    st.tuples(st.just("rename"), st.sampled_from(NAMES), st.integers(0, 2)),
    st.tuples(st.just("rm"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.just("prune"), st.just("a"), st.integers(0, 9)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=25))
def test_what_is_stored_of_conversations_is_what_a_walk_finds(steps: list[tuple[str, str, int]]) -> None:
    with TemporaryDirectory() as folder, closing(opened(Path(folder) / "s")) as state:
        for step in steps:
            try:
                take(state, Path(folder) / "s", *step)
            except UsageError:  # there is no such chain
                continue
        kept = {turn.n: turn for turn in state.turns.newest()}
        walked = {n: walk(kept, turn) for n, turn in kept.items()}
        listed = {chain.name: chain for chain in state.chains.listed([], words=99)}
        lasts = {name: found.last for name in listed if (found := state.chains.get(name))}
        with sqlite3.connect(Path(folder) / "s" / "state.db") as db:
            assert dict(db.execute("SELECT n, first FROM lines")) == {n: line[0].n for n, line in walked.items()}
        assert [(turn.number, turn.n) for turn in kept.values()] == [(len(line), n) for n, line in walked.items()]
        assert {name: (chain.turns, chain.words) for name, chain in listed.items()} == {
            name: (len(walked[last.n]), said(walked[last.n][0])) if last else (0, "") for name, last in lasts.items()
        }


def take(state: State, folder: Path, what: str, name: str, number: int) -> None:
    turns = state.turns.newest()
    chosen = turns[number % len(turns)] if turns else None
    chain = state.chains.get(name)
    match what:
        case "ask" | "fail":
            record(state, name, None, good=what == "ask")
        case "continue" if chain and chain.head:
            record(state, name, chain.head)
        case "from" if chosen:
            record(state, name, chosen)
        case "set":
            state.chains.set_head(name, chosen.id if chosen else "elsewhere", base_url="u", model=None)
        case "rename":
            state.chains.rename(name, NAMES[number])
        case "rm":
            state.chains.remove([name])
        case "prune" if turns:
            execute(folder, "UPDATE turns SET created = 1 WHERE n <= ?", turns[-1].n + number)
            execute(folder, "UPDATE chains SET used = 1 WHERE name = ?", NAMES[number % 3])
            state.chains.prune(2)


def record(state: State, name: str, parent: Turn | None, *, good: bool = True) -> None:
    items = [{"role": "user", "content": f"{name} {time.monotonic_ns()}"}]
    new = NewTurn(name, "u", "m", Settings(), items, restarts=parent is None, parent=parent)
    n, _ = state.turns.begin(new, f"resp_{time.monotonic_ns()}")
    state.turns.finish(n, Ending("completed" if good else "failed", {}, []), good=good)


def walk(kept: dict[int, Turn], turn: Turn) -> list[Turn]:
    line = [turn]
    while (parent := line[0].parent) is not None and parent in kept:
        line.insert(0, kept[parent])
    return line


def said(turn: Turn) -> str:
    return str(turn.input[0]["content"]) if turn.input else ""


def test_a_migrated_file_has_the_first_turns_of_its_conversations(tmp_path: Path) -> None:
    path = old_file(tmp_path / "old", "u")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE turns SET parent = 99 WHERE n = 6")
        db.execute("UPDATE turns SET parent = 'x' WHERE n = 4")
        db.commit()
    opened(tmp_path / "old").close()
    with closing(sqlite3.connect(path)) as db:
        assert dict(db.execute("SELECT n, first FROM lines")) == {1: 1, 2: 1, 3: 1, 4: 4, 5: 1, 6: 6}


# old text ---------------------------------------------------------------------------------------------------------


def test_one_turn_drops_no_more_than_a_hundred_old_ones_and_the_next_ones_the_rest(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "s")) as state:
        for n in range(3):
            record(state, f"old {n}", None)
        copied = "SELECT id, chain, number, base_url, settings, status, 9, input, '\"i\"' FROM turns WHERE n = 1"
        columns = "id, chain, number, base_url, settings, status, created, input, instructions"
        for _ in range(250):
            execute(tmp_path / "s", f"INSERT INTO turns ({columns}) {copied}")
        execute(tmp_path / "s", "UPDATE turns SET created = n, instructions = '\"i\"'")
        left = []
        for n in range(4):
            record(state, f"new {n}", None)
            turns = [turn for turn in state.turns.newest() if turn.created < 1000]
            left.append(
                (sum(turn.input is not None for turn in turns), sum(not turn.settings.forgotten for turn in turns))
            )
    assert left == [(153, 156), (53, 56), (0, 3), (0, 3)]  # the three are heads


# words ------------------------------------------------------------------------------------------------------------

TEXTS = st.lists(
    st.sampled_from(
        ["Straße", "STRASSE", "ﬁne", "Kelvin", "naïve", "ПРИВЕТ", "日本語", 'a"b\\n', "😀", "one", "x\ny", "İs"]
    ),
    max_size=3,
).map(" ".join)
PARTS = st.lists(st.one_of(st.builds(lambda text: {"type": "output_text", "text": text}, TEXTS), TEXTS), max_size=3)
ITEMS = st.one_of(
    st.builds(lambda parts: {"type": "message", "role": "assistant", "content": parts}, PARTS),
    st.builds(lambda text: {**call(), "arguments": text}, TEXTS),
    st.builds(lambda text: {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}, TEXTS),
    st.builds(lambda text: {"id": text}, TEXTS),
)
WORDS = st.sampled_from(
    ["strasse", "ss", "fi", "kel", "ï", "привет", "本", "b\\n", '"', "😀", "none", "ne", "call_1", "i̇s", "y", "assek"]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, st.lists(ITEMS, max_size=2)), min_size=1, max_size=4),
    st.lists(WORDS, min_size=1, max_size=2),
)
def test_the_same_turns_are_found_as_by_reading_each_whole(
    turns: list[tuple[str, list[dict[str, object]]]], words: list[str]
) -> None:
    with TemporaryDirectory() as folder, closing(opened(Path(folder) / "s")) as state:
        for prompt, output in turns:
            new = NewTurn("c", "u", "m", Settings(), [{"role": "user", "content": prompt}], restarts=True)
            n, _ = state.turns.begin(new, "r")
            state.turns.finish(n, Ending("completed", {}, output), good=True)
        folded = [word.casefold() for word in words]
        whole = [turn.n for turn in state.turns.newest() if has_words(turn.input or [], turn.output or [], folded)]
        assert [turn.n for turn in state.turns.newest(words=words)] == whole


def test_every_character_that_becomes_ascii_is_known() -> None:
    every = [chr(code) for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000]
    assert {one for one in every if any(letter.isascii() for letter in one.casefold())} == set(FOLDED)
