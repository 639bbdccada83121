"""A damaged state file, read and written as commands do: only the errors of a state file come out.

An input is changes of a good file, one on each line: `@OFFSET BYTES` writes over the file's bytes, `=LENGTH` cuts it,
`TABLE COLUMN ROW VALUE` sets a value, which is `iINTEGER`, `fNUMBER`, `tTEXT`, `bBLOB` or `n` for NULL.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cometresp.errors import OutputError, UsageError
from cometresp.state.records import TURN_COLUMNS, Ending, NewTurn, Settings, Turn
from cometresp.state.state import State
from cometresp.state.transcript import passages, prompt_of
from cometresp.wire.json import Json
from tests.fuzz.target import Target
from tests.state.files import opened

URL = "http://127.0.0.1:0/v1"  # of the emulator
_COLUMNS = {
    "turns": tuple(TURN_COLUMNS.split(", ")),
    "chains": ("name", "head", "pending", "used", "before"),
    "servers": ("base_url", "no_previous", "no_get", "no_follow"),
}
_CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed"}
_TOOLS: list[Json] = [{"type": "function", "name": "f", "parameters": {}}]


def check(data: bytes) -> None:
    damaged = changed(data)
    with TemporaryDirectory(prefix="cometresp-fuzz-") as folder:
        for step in _STEPS:
            (Path(folder) / "state.db").write_bytes(damaged)
            with suppress(OutputError, UsageError):
                state = State.open(Path(folder))
                assert state is not None
                with state:
                    step(state)


# what commands do with it -------------------------------------------------------------------------------------------


def _list(state: State) -> None:
    listed = [*state.chains.listed([], words=40), *state.chains.beginning("d", 9, words=40)]
    for chain in [found for row in listed if (found := state.chains.get(row.name))]:
        _read(state, [turn for turn in (chain.head, chain.pending, chain.before, chain.last) if turn])
    state.servers.without_previous()


def _show(state: State) -> None:
    _read(state, state.turns.newest())
    _read(state, state.turns.newest(chain="b", limit=2))
    state.turns.newest(words=("answer", "e"), skipped=[])
    state.turns.recent("resp", 3, among=9)
    state.turns.models()
    for by in ("day", "model", "chain", "profile"):
        state.turns.sums(by)


def _read(state: State, turns: list[Turn]) -> None:
    for turn in turns:
        line = state.turns.lineage(turn)
        assert passages(line)
        prompt_of(turn)
        state.turns.back(turn, 2)
        state.turns.was_deleted(turn)
        state.turns.answers_to(turn, ["call_1"])
        state.turns.pending_after(turn, turn.chain)


def _continue(state: State) -> None:
    state.check_writable()
    chain = state.chains.get("default")
    if chain and chain.head:
        state.servers.takes_no_previous(chain.head.base_url)
        _record(state, chain.head, restarts=False)


def _ask(state: State) -> None:
    _record(state, None, restarts=True)


def _record(state: State, parent: Turn | None, *, restarts: bool) -> None:
    items: list[Json] = [{"role": "user", "content": "more"}]
    settings = Settings(instructions="i", tools=_TOOLS)
    previous = parent.id if parent else None
    new = NewTurn("default", URL, "m", settings, items, restarts=restarts, parent=parent, previous_id=previous)
    n, _ = state.turns.begin(new, "resp_new")
    state.turns.finish(n, Ending("completed", {"input_tokens": 1}, [_CALL]), good=True)
    state.turns.keep_output(n, {"type": "function_call_output", "call_id": "call_1", "output": "x"})
    state.turns.at(n)


def _change(state: State) -> None:
    state.turns.get("resp_2", base_url=URL)
    state.turns.mark_deleted("resp_2", URL)
    state.servers.saw_no_previous(URL)
    state.chains.restart("b")
    state.chains.set_head("c", "resp_2", base_url=URL, model=None)
    state.chains.rename("c", "d")
    state.chains.remove(["d"])


def _prune(state: State) -> None:
    state.chains.prune(2e9)


_STEPS: tuple[Callable[[State], None], ...] = (_list, _show, _continue, _ask, _change, _prune)


# the file -----------------------------------------------------------------------------------------------------------


@cache
def good_file() -> bytes:
    """A file with two chains, some turns that need more than one page, a call with its output, and a server."""
    with TemporaryDirectory(prefix="cometresp-fuzz-") as folder:
        with opened(Path(folder)) as state:
            parent: Turn | None = None
            for n in range(6):
                items: list[Json] = [{"role": "user", "content": f"prompt {n} " * (1000 if n == 2 else 1)}]
                settings = Settings(instructions="be brief", tools=_TOOLS, store=True)
                chain = "b" if n == 5 else "default"
                parent = parent if n != 5 else None
                previous = parent.id if parent else None
                new = NewTurn(chain, URL, "emulator", settings, items, parent is None, parent, previous)
                row, _ = state.turns.begin(new, f"resp_{n}")
                answer = {"type": "message", "content": [{"type": "output_text", "text": f"answer {n}"}]}
                state.turns.finish(row, Ending("completed", {"input_tokens": n}, [answer, _CALL], n), good=n != 4)
                if n == 3:
                    state.turns.keep_output(row, {"type": "function_call_output", "call_id": "call_1", "output": "x"})
                parent = state.turns.at(row)
            state.servers.saw_no_previous(URL)
        return (Path(folder) / "state.db").read_bytes()


_CHANGE = re.compile(rb"(turns|chains|servers) (\w+) (\d{1,3}) ([iftbn])(.*)", re.DOTALL)
_BYTES = re.compile(rb"@(\d{1,6}) (.+)", re.DOTALL)
_LENGTH = re.compile(rb"=(\d{1,6})")


def changed(data: bytes) -> bytes:
    """The good file with the changes of an input; those of values come first."""
    lines = data.split(b"\n")
    file = bytearray(_with_values([found for line in lines if (found := _CHANGE.fullmatch(line))]))
    for line in lines:
        if found := _BYTES.fullmatch(line):
            place = int(found[1]) % len(file) if file else 0
            file[place : place + len(found[2])] = found[2]
        elif found := _LENGTH.fullmatch(line):
            del file[int(found[1]) :]
    return bytes(file)


def _with_values(changes: list["re.Match[bytes]"]) -> bytes:
    if not changes:
        return good_file()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(good_file())
        for table, column, row, kind, value in (change.groups() for change in changes):
            name = table.decode()
            if (place := column.decode()) not in _COLUMNS[name]:
                continue
            rows = [n for (n,) in db.execute(f"SELECT rowid FROM {name} ORDER BY rowid")]
            as_kind = "CAST(? AS TEXT)" if kind == b"t" else "?"
            with suppress(sqlite3.Error, ValueError, OverflowError):  # the table doesn't take it
                statement = f"UPDATE {name} SET {place} = {as_kind} WHERE rowid = ?"
                db.execute(statement, (_value(kind, value), rows[int(row) % len(rows)] if rows else 0))
        return db.serialize()


def _value(kind: bytes, value: bytes) -> object:
    match kind:
        case b"i":
            return int(value)
        case b"f":
            return float(value)
        case b"n":
            return None
    return value


# what to start from -------------------------------------------------------------------------------------------------

_VALUES = (
    *("n", "i0", "i-1", "i1", "i3", "i9223372036854775807", "f1e300", "fnan", "f-1e300", "f0.5", "tabc", "t", "tnull"),
    *('t{"a": 1}', "t[]", "t[1]", 't[{"role": "user", "content": 1}]', 't"x"', "t{", "t\u202e", "b\\xff", "t1e999"),
    *('t[{"type": "message", "content": [1]}]', 't{"input_tokens": "x"}', 't{"tools": 1}', "t" + "9" * 5000, "t-1"),
    *("t" + "[" * 3000, "tcompleted", "tcompacted", "tqueued", "tdefault", 't[{"type": 1, "call_id": {}}]', "t\\u0000"),
)
_BAD_TEXT = (b"t\xff", b"b\xff\0", b"t\0", b"t\xed\xa0\x80", b't"\xff"')


def _seeds() -> Iterator[bytes]:
    yield b""
    values = [*(value.encode() for value in _VALUES), *_BAD_TEXT]
    places = [(table, column) for table, columns in _COLUMNS.items() for column in columns]
    for n, (table, column) in enumerate(places):
        for k in range(3):
            value = values[(n * 3 + k) % len(values)]
            yield f"{table} {column} {n * 7 + k} ".encode() + value
    for offset in (0, 18, 24, 28, 56, 60, 68, 96, 100, 103, 107, 4096, 4100, 8192, 12288, 16384, 20000, 24576, 30000):
        yield f"@{offset} ".encode() + b"\xff\xff\xff\xff"
        yield f"@{offset} ".encode() + b"\0\0\0\1"
    yield from (b"=0", b"=1", b"=100", b"=4096", b"=9000", b"@0 " + b"\xff" * 4096)


TARGET = Target(
    check=check,
    seeds=tuple(_seeds()),
    words=(
        *(value.encode() for value in _VALUES),
        *_BAD_TEXT,
        *(f"{table} {column} ".encode() for table, columns in _COLUMNS.items() for column in columns),
        *(f"@{page * 4096} ".encode() for page in range(12)),
        b"\xff" * 100,
        b"\0" * 100,
        b"\x7f\xff",
        b"\n@",
    ),
    separator=b"\n",
)
