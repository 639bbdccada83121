"""`cometresp usage`: the sums of what is recorded."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from cometresp.commands.usage import in_line, since_of
from cometresp.errors import UsageError
from cometresp.state.records import Ending, NewTurn, Settings
from tests.conftest import Command, Forker
from tests.priced import priced
from tests.recorded import record_of, state_path
from tests.scripted import Wire, text_stream
from tests.state.files import opened
from tests.terminals import plain

URL = "http://127.0.0.1:9/v1"
NOW = datetime.fromisoformat("2026-11-26T15:30").timestamp()


def used(given: object, made: object, cached: object = 0, reasoning: object = 0) -> dict[str, Any]:
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }


def record(run: Command, *turns: tuple[str, str | None, dict[str, Any], float | None]) -> None:
    """Record turns: chain, model, usage, cost."""
    with opened(state_path(run).parent) as state:
        for number, (chain, model, usage, cost) in enumerate(turns):
            new = NewTurn(chain, URL, model, Settings(), [], restarts=True, profile=chain if number % 2 else None)
            n, _ = state.turns.begin(new, f"r{number}")
            state.turns.finish(n, Ending("completed", usage, [], cost=cost), good=True)


def date_rows(run: Command, *moments: float) -> None:
    """Let the recorded turns have been started then."""
    with closing(sqlite3.connect(state_path(run))) as db:
        db.executemany("UPDATE turns SET created = ? WHERE n = ?", [(at, n) for n, at in enumerate(moments, 1)])
        db.commit()


TURNS: tuple[tuple[str, str | None, dict[str, Any], float | None], ...] = (
    ("default", "m", used(1000, 100, 400, 60), None),
    ("default", "m", used(2000, 200), 0.5),
    ("review", "weird", used(70, 7), None),
    ("review", "m", {}, None),
    ("other", "weird", {"input_tokens": 5}, None),
    ("default", None, used(1, 1), None),
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("today", "2026-11-26"),
        ("1d", "2026-11-26"),
        ("yesterday", "2026-11-25"),
        ("7d", "2026-11-20"),
        ("1w", "2026-11-20"),
        ("12h", "2026-11-26T03:30"),
        ("2026-11-01", "2026-11-01"),
        ("2027-01-01", "2027-01-01"),
    ],
)  # fmt: skip
def test_days_begin_at_midnight(text: str, moment: str) -> None:
    assert since_of(text, NOW) == datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize(
    "text", ["", "7", "d", "0d", "-1d", "7 days", "2026-13-01", "2026-11", "0001-01-00", "99999d1"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        since_of(text, NOW)
    assert caught.value.message == f"--since: {text!r} is not a time"


def test_points_stand_below_each_other() -> None:
    assert in_line(["~$1.25", "?", "~$0.0012", "~$0"]) == ["~$1.25  ", "  ?     ", "~$0.0012", "~$0     "]


def test_into_a_pipe_each_sum_is_a_line_and_what_is_unknown_is_no_zero(run: Command) -> None:
    record(run, *TURNS)
    date_rows(run, *[NOW - 86_400 * 3] * 2, *[NOW] * 4)
    priced(run, URL)
    results = run.each([["usage", *words] for words in ([], ["--by", "model"], ["--by", "chain"], ["--by", "profile"])])
    assert [list(result) for result in results] == [
        [0, "2026-11-23\t2\t3000\t400\t300\t60\t0.5028\t0\n2026-11-26\t4\t76\t0\t8\t0\t?\t4\n", ""],
        [0, "m\t3\t3000\t400\t300\t60\t0.5028\t1\nweird\t2\t75\t0\t7\t0\t?\t2\n-\t1\t1\t0\t1\t0\t?\t1\n", ""],
        [
            0,
            "default\t3\t3001\t400\t301\t60\t0.5028\t1\nreview\t2\t70\t0\t7\t0\t?\t2\nother\t1\t5\t0\t0\t0\t?\t1\n",
            "",
        ],
        [
            0,
            "default\t2\t2001\t0\t201\t0\t0.5\t1\n-\t3\t1075\t400\t107\t60\t0.0028\t2\nreview\t1\t0\t0\t0\t0\t?\t1\n",
            "",
        ],
    ]
    assert json.loads(run("usage", "--json", "--since", "2026-11-24").out) == [
        {
            "day": "2026-11-26",
            "turns": 4,
            "input_tokens": 76,
            "cached_tokens": 0,
            "output_tokens": 8,
            "reasoning_tokens": 0,
            "cost": None,
            "without_cost": 4,
        }
    ]


def test_a_turn_of_a_run_is_in_it_with_its_profile(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi", usage=used(1000, 100)))
    (ask.home / "config.toml").write_text("[profile.work]\nmax_output_tokens = 99\n")
    ask.environ["COMETRESP_CONFIG"] = str(ask.home / "config.toml")
    assert ask("ask", "--profile", "work", "--price", "2,8", "hi").code == 0
    assert ask("usage", "--by", "profile").text == "work\t1\t1000\t0\t100\t0\t0.0028\t0\n"
    assert record_of(ask, "resp_1")["profile"] == "work"


def test_an_empty_record_says_so_on_a_terminal_only(run: Command, forker: Forker) -> None:
    env = {"TERM": "dumb"}
    assert list(run("usage")) == [0, "", ""]
    assert json.loads(run("usage", "--json").out) == []
    assert "no turn is recorded yet" in forker.run(run, ["usage"], env=env, terminal=True).text
    record(run, TURNS[0])
    since = forker.run(run, ["usage", "--since", "2099-01-01"], env=env, terminal=True).text
    assert since.strip() == "no turn is recorded since then"


WIDE = """\
MODEL  TURNS  INPUT  CACHED  OUTPUT  REASONING  COST
m          3   3000     400     300         60  ≥$0.50  ████████████████████████
weird      2     75       0       7          0    ?
-          1      1       0       1          0    ?
total      6   3076     400     308         60  ≥$0.50
"""
NARROW = """\
MODEL  TURNS  INPUT  CACHED  OUTPUT  COST
m          3   3000     400     300  ≥$0.50
weird      2     75       0       7    ?
-          1      1       0       1    ?
total      6   3076     400     308  ≥$0.50
"""
ASCII = """\
MODEL  TURNS  INPUT  OUTPUT  COST
m          3   3000     300  >=$0.50
weird      2     75       7     ?
-          1      1       1     ?
total      6   3076     308  >=$0.50
"""


@pytest.mark.parametrize(
    ("columns", "locale", "table"), [(80, "C.UTF-8", WIDE), (50, "C.UTF-8", NARROW), (40, "C", ASCII)]
)
def test_on_a_terminal_it_is_a_table_that_fits_the_window(
    run: Command, forker: Forker, columns: int, locale: str, table: str
) -> None:
    record(run, *TURNS)
    priced(run, URL)
    env = {"TERM": "dumb", "COLUMNS": str(columns), "LANG": locale}
    shown = plain(forker.run(run, ["usage", "--by", "model"], env=env, terminal=True).text)
    assert [line.rstrip() for line in shown.splitlines()] == table.splitlines()


def test_a_name_is_not_broken_for_a_bar(run: Command, forker: Forker) -> None:
    record(run, ("a", "gpt-5.4-turbo-2", used(1, 1), 0.5), ("b", "m", used(1, 1), 0.25))
    env = {"TERM": "dumb", "COLUMNS": "40"}
    shown = plain(forker.run(run, ["usage", "--by", "model"], env=env, terminal=True).text)
    assert [line.split()[0] for line in shown.splitlines()] == ["MODEL", "gpt-5.4-turbo-2", "m", "total"]
    assert "█" not in shown


def test_without_any_cost_the_bars_are_of_tokens_and_large_numbers_are_short(run: Command, forker: Forker) -> None:
    record(run, ("a", "m", used(123_456_789, 1), None), ("b", "m", used(99_999, 99_999), None))
    env = {"TERM": "dumb", "COLUMNS": "80"}
    shown = plain(forker.run(run, ["usage", "--by", "chain"], env=env, terminal=True).text)
    assert [line.rstrip() for line in shown.splitlines()] == [
        "CHAIN  TURNS  INPUT  CACHED  OUTPUT  REASONING  COST",
        "a          1   123M       0       1          0  ?     ████████████████████████",
        "b          1  99999       0   99999          0  ?     ▏",
        "total      2   124M       0    100k          0  ?",
    ]


def test_a_missing_or_old_list_of_prices_is_told_of_once(run: Command, forker: Forker) -> None:
    run.environ["COMETAPI_BASE_URL"] = URL
    record(run, *TURNS)
    env = {"TERM": "dumb", "COLUMNS": "100"}
    last = []
    for age in (None, 90_000.0, 1.0):
        if age is not None:
            priced(run, URL, age=age)
        lines = plain(forker.run(run, ["usage"], env=env, terminal=True).text).splitlines()
        last += [line for line in lines if "price" in line]
        assert list(run("usage"))[2] == ""
    assert last == [
        "the price of 2 turns is not known; cometresp models --refresh fetches the prices",
        "the list of prices is more than a day old; cometresp models --refresh fetches the prices",
    ]


def test_damaged_records_are_counted_as_far_as_they_go(run: Command) -> None:
    record(run, *[("default", "m", used(10, 1), None)] * 8)
    damage = {
        "usage": ("{", b"\xff", "[]", '{"input_tokens": "1", "output_tokens": -1}', '{"input_tokens": 1e99}'),
        "cost": ("much", -1, b"\x00"),
    }
    with closing(sqlite3.connect(state_path(run))) as db:
        values = [(column, value) for column, wrong in damage.items() for value in wrong]
        for n, (column, value) in enumerate(values, 1):
            db.execute(f"UPDATE turns SET {column} = ? WHERE n = ?", (value, n))
        db.execute("UPDATE turns SET model = x'00' WHERE n = 8")
        db.commit()
    assert list(run("usage", "--by", "model")) == [0, "m\t7\t20\t0\t2\t0\t?\t7\n-\t1\t10\t0\t1\t0\t?\t1\n", ""]


def test_wrong_flags_are_refused(run: Command) -> None:
    results = run.each([["usage", "--by", "week"], ["usage", "--since", "soon"]])
    assert [(result.code, result.err) for result in results] == [
        (2, "cometresp: error: --by: 'week' is not one of day, model, chain, profile\n"
            "hint: see cometresp usage --help\n"),
        (2, "cometresp: error: --since: 'soon' is not a time\nhint: today, 12h, 7d, 4w or a date such as 2026-11-01\n"),
    ]  # fmt: skip


def test_the_sum_of_the_day_is_of_this_machines_day(run: Command) -> None:
    record(run, TURNS[0])
    assert run("usage").text.startswith(time.strftime("%Y-%m-%d\t1\t"))
