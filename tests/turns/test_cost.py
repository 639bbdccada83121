"""What a run costs, and `--max-cost`, which ends it before it costs more. The price of the tests is 2 and 8 USD."""

import json
import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from cometresp.answer.answer import Answer
from cometresp.render.screen import Nothing
from cometresp.turns.turn import run_turn
from cometresp.wire.masking import Secrets
from tests.conftest import Command, Forker
from tests.priced import priced
from tests.recorded import record_of, state_path
from tests.scripted import Wire, json_reply, message, response, text_stream
from tests.terminals import plain
from tests.turns.tooling import OSLO, TOUCH, allowed, answering, calling, oslo

USED = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 60},
    "total_tokens": 1100,
}
USAGE_LINE = "usage: 1000 input (400 cached), 100 output (60 reasoning), 1100 total"
ALLOWS = "\nhint: a higher --max-cost allows it"
REFRESH = "cometresp models --refresh fetches the prices"


# what is shown and recorded -----------------------------------------------------------------------------------------


def test_usage_prints_the_cost_where_the_price_is_known(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi", usage=USED))
    before = ask.each(
        [["ask", "-u", "hi"], ["ask", "-u", "--price", "2,8,0.5", "hi"], ["ask", "-u", "--price", "0,0", "hi"]]
    )
    priced(ask, wire.url)
    after = ask.each([["ask", "-u", "hi"], ["ask", "-u", "-m", "other", "hi"], ["ask", "hi"], ["get", "-u", "resp_1"]])
    assert [result.err for result in (*before, *after)] == [
        f"{USAGE_LINE}\n",
        f"{USAGE_LINE}, ~$0.0022\n",
        f"{USAGE_LINE}, ~$0\n",
        f"{USAGE_LINE}, ~$0.0028\n",
        f"{USAGE_LINE}\n",
        "",
        f"{USAGE_LINE}, ~$0.0028\n",
    ]
    assert [request.method for request in wire.requests] == ["POST"] * 6 + ["GET"]


def test_a_turn_is_recorded_even_if_its_cost_ends_in_a_bug() -> None:
    def of(*_: object) -> float:
        raise OverflowError

    silent = SimpleNamespace(environ={})
    display: Any = SimpleNamespace(
        screen=Nothing,
        layout=SimpleNamespace(summary=False, prints_only_id=False),
        outlets=SimpleNamespace(id_file=None, images=None),
        output=SimpleNamespace(allow_incomplete=False),
        terminal=silent,
        costs=SimpleNamespace(of=of),
        tell_of_images=lambda _: None,
    )
    recorded: list[tuple[str, dict[str, object]]] = []
    recorder: Any = SimpleNamespace(
        model="m",
        secrets=Secrets(),
        report=SimpleNamespace(flags=SimpleNamespace(writes=False)),
        finish=lambda _, status, **more: recorded.append((status, more)),
    )

    def send(answer: Answer, *_: object) -> None:
        answer.close(cut=True)

    with pytest.raises(OverflowError):
        run_turn(send, display, recorder)
    assert recorded == [("cut", {"good": False, "sent": True, "cost": None})]


def test_the_summary_on_a_terminal_has_the_cost_of_all_turns(tools: Command, wire: Wire, forker: Forker) -> None:
    priced(tools, wire.url)
    words = ["ask", "--functions", "tools.py", "--approve", "always", "hi"]
    lines = []
    for usage in (USED, None):
        wire.requests.clear()
        wire.answer(calling(oslo(), usage=usage), answering(usage=USED))
        result = forker.run(tools, words, env={"TERM": "dumb", "COLUMNS": "90"}, terminal=True)
        lines.append(plain(result.text).splitlines()[-1])
    assert lines[0].endswith(" · 2000 → 200 tokens · ~$0.0056")
    assert lines[1].endswith(" · 1000 → 100 tokens")


@pytest.mark.parametrize(
    ("age", "model", "notice"),
    [
        (None, "m", f"the price of m is not known; {REFRESH}"),
        (90_000, "m", f"the list of prices is more than a day old; {REFRESH}"),
        (90_000, "x", f"the price of x is not known; {REFRESH}"),
        (10, "x", None),
        (10, "m", None),
    ],
)
def test_a_missing_or_old_list_is_told_of_only_where_usage_asks_for_it(
    ask: Command, wire: Wire, forker: Forker, age: float | None, model: str, notice: str | None
) -> None:
    if age is not None:
        priced(ask, wire.url, age=age)
    wire.answer(text_stream("hi", usage=USED))
    env = {"TERM": "dumb", "COLUMNS": "200"}
    asked, quiet = (
        plain(forker.run(ask, ["ask", *flags, "-m", model, "hi"], env=env, terminal=True).text).splitlines()
        for flags in (["-u"], [])
    )
    assert [line for line in asked if "price" in line] == ([] if notice is None else [notice])
    assert [line for line in quiet if "price" in line] == []
    assert [request.path for request in wire.requests] == ["/v1/responses"] * 2


def test_an_old_list_is_told_of_once_where_a_limit_needs_it_too(ask: Command, wire: Wire, forker: Forker) -> None:
    priced(ask, wire.url, age=90_000)
    wire.answer(text_stream("hi", usage=USED))
    env = {"TERM": "dumb", "COLUMNS": "200"}
    told = [
        [line for line in plain(forker.run(ask, words, env=env, terminal=True).text).splitlines() if "price" in line]
        for words in (["ask", "-u", "--max-cost", "1", "hi"], ["get", "-u", "--max-cost", "1", "resp_1"])
    ]
    line = f"the list of prices is more than a day old; {REFRESH}"
    assert told == [[f"--max-cost: {line}"], [line]]


def test_the_cost_is_recorded_where_the_price_was_looked_up_else_it_is_that_of_today(ask: Command, wire: Wire) -> None:
    wire.answer(*(text_stream("hi", response_id=f"r{n}", usage=USED) for n in range(1, 4)))
    ask("ask", "--price", "1,1", "hi")
    ask("ask", "hi")
    assert [record_of(ask, f"r{n}")["cost"] for n in (1, 2)] == [0.0011, None]
    priced(ask, wire.url)
    ask("ask", "--usage", "hi")
    priced(ask, wire.url, {"m": [20.0, 80.0, None, 0.0]})
    assert [record_of(ask, f"r{n}")["cost"] for n in (1, 2, 3)] == [0.0011, 0.028, 0.0028]
    wire.answer(*[json_reply(response(message("hi"), response_id=f"r{n}", usage=USED)) for n in (1, 2)])
    wire.requests.clear()
    assert [result.code for result in ask.each([["get", "-u", "r1"], ["get", "-u", "r2"]])] == [0, 0]
    priced(ask, wire.url, {})
    assert [record_of(ask, f"r{n}")["cost"] for n in (1, 2)] == [0.0011, 0.028]


def test_log_has_a_column_of_costs_where_there_are_any(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("hi", usage=USED))
    ask("ask", "hi")
    env = {"TERM": "dumb", "COLUMNS": "100"}
    without = plain(forker.run(ask, ["log"], env=env, terminal=True).text)
    priced(ask, wire.url)
    table = plain(forker.run(ask, ["log"], env=env, terminal=True).text)
    assert [line.split() for line in without.splitlines()] == [
        ["WHEN", "CHAIN", "STATUS", "MODEL", "TOKENS", "PROMPT", "ID"],
        ["now", "default", "completed", "m", "1000", "→", "100", "hi", "resp_1"],
    ]
    assert [line.split() for line in table.splitlines()] == [
        ["WHEN", "CHAIN", "STATUS", "MODEL", "TOKENS", "COST", "PROMPT", "ID"],
        ["now", "default", "completed", "m", "1000", "→", "100", "~$0.0028", "hi", "resp_1"],
    ]


def test_a_recorded_cost_that_cannot_be_one_is_a_damaged_record(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi", usage=USED))
    ask("ask", "hi")
    with closing(sqlite3.connect(state_path(ask))) as db:
        db.execute("UPDATE turns SET cost = 'much'")
        db.commit()
    assert list(ask("log")) == [
        0,
        "",
        "cometresp: warning: the record of turn 1 (resp_1) is damaged: its cost can't be read\n",
    ]


# --max-cost ---------------------------------------------------------------------------------------------------------


def test_a_loop_ends_before_the_turn_that_would_cost_too_much_and_before_its_functions_run(
    tools: Command, wire: Wire
) -> None:
    """A turn costs 0.0028 USD, and the input of the next one 0.0022 and more."""
    priced(tools, wire.url)
    wire.answer(*(calling(oslo(f"call_{n}"), response_id=f"resp_{n}", usage=USED) for n in range(9)))
    assert tuple(allowed(tools, "--max-cost", "0.0101", "hi")) == (
        9,
        "",
        "cometresp: error: stopped after 3 turns (--max-cost) before weather ran: ~$0.0084 of $0.0101 spent,"
        " and the next turn would cost ~$0.0022\n"
        "hint: cometresp continue --functions tools.py --max-cost USD resumes the run\n",
    )
    assert len(wire.requests) == 3
    assert tools("chains", "head").text == "resp_2\n"
    assert [turn["cost"] for turn in json.loads(tools("log", "--json").out)] == [0.0028] * 3


def test_outputs_that_make_the_next_turn_too_dear_are_kept_and_sent_by_the_run_that_goes_on(
    tools: Command, wire: Wire
) -> None:
    (tools.home / "tools.py").write_text('def weather(city: str) -> str:\n    """W."""\n    return "x" * 40_000\n')
    wire.answer(calling(oslo(), usage=USED), answering(usage=USED))
    words = ["--price", "2,8", "--max-cost", "0.02"]
    result = allowed(tools, *words, "hi")
    assert (result.code, result.err) == (
        9,
        "cometresp: error: stopped after 1 turn (--max-cost): ~$0.0028 of $0.02 spent, and the next turn would cost"
        " ~$0.022\n"
        "hint: cometresp continue --functions tools.py --price 2,8 --max-cost USD resumes the run\n",
    )
    assert len(wire.requests) == 1
    more = ["--functions", "tools.py", "--price", "2,8", "--max-cost", "0.1"]
    assert list(tools("continue", *more)) == [0, "21 degrees\n", ""]
    assert wire.bodies()[1]["input"] == [OSLO | {"output": "x" * 40_000}]


def test_the_text_of_a_run_that_is_stopped_is_printed_and_nothing_is_written_to_its_file(
    tools: Command, wire: Wire
) -> None:
    priced(tools, wire.url)
    said = response(message("Let me look."), oslo(), usage=USED)
    wire.answer(json_reply(said))
    result = allowed(tools, "--max-cost", "0.003", "hi")
    assert (result.code, result.text) == (9, "Let me look.\n")
    result = allowed(tools, "--max-cost", "0.003", "-o", "out", "hi")
    assert (result.code, (tools.home / "out").exists(), (tools.home / "out.part").read_text()) == (
        9,
        False,
        "Let me look.\n",
    )


def test_without_a_usage_nothing_more_is_sent(tools: Command, wire: Wire) -> None:
    priced(tools, wire.url)
    wire.answer(calling(oslo(), usage=None))
    result = allowed(tools, "--max-cost", "100", "hi")
    assert (result.code, result.err.splitlines()[0], len(wire.requests)) == (
        9,
        "cometresp: error: stopped after 1 turn (--max-cost) before weather ran: the server reported no usage,"
        " so what was spent isn't known",
        1,
    )


def test_a_run_that_stays_below_the_limit_is_like_any_other(tools: Command, wire: Wire) -> None:
    priced(tools, wire.url)
    wire.answer(calling(oslo(), usage=USED), answering(usage=USED))
    assert tuple(allowed(tools, "--max-cost", "0.0057", "hi")) == (0, "21 degrees\n", "")
    wire.requests.clear()
    wire.answer(text_stream("long", usage=USED))
    assert list(tools("ask", "--max-cost", "0.0001", "hi")) == [0, "long\n", ""]  # its output alone was too dear


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--max-cost", "0.002", "x" * 4000],
         f"not sent: its input (about 1004 tokens) costs ~$0.0020, more than --max-cost $0.002{ALLOWS}"),
        (["--max-cost", "0.008", "--max-output-tokens", "1000", "12345678"],
         "not sent: its input (about 6 tokens) and the 1000 output tokens that it allows cost ~$0.0080,"
         " more than --max-cost $0.008\nhint: a lower --max-output-tokens costs less, a higher --max-cost allows it"),
        (["--max-cost", "0.000001", "--background", "12345678"],
         f"not sent: its input (about 6 tokens) costs ~$0.000012, more than --max-cost $0.000001{ALLOWS}"),
    ],
)  # fmt: skip
def test_a_request_that_would_cost_too_much_is_not_sent(
    ask: Command, wire: Wire, words: list[str], message: str
) -> None:
    priced(ask, wire.url)
    assert list(ask("ask", *words)) == [9, "", f"cometresp: error: {message}\n"]
    assert wire.requests == []


def test_the_earlier_turns_count_as_the_server_counted_them(ask: Command, wire: Wire) -> None:
    priced(ask, wire.url)
    wire.answer(text_stream("1", response_id="r1", usage=USED))
    ask("ask", "one")
    assert list(ask("continue", "--max-cost", "0.002", "12345678")) == [
        9,
        "",
        "cometresp: error: not sent: its input (about 1106 tokens) costs ~$0.0022, more than --max-cost $0.002"
        f"{ALLOWS}\n",
    ]
    assert list(ask("ask", "--previous-response-id", "elsewhere", "--max-cost", "0.002", "12345678")) == [
        0,
        "1\n",
        "cometresp: warning: --max-cost: the estimate is without the earlier turns, which only the server has\n",
    ]
    assert len(wire.requests) == 2


def test_calls_of_an_earlier_run_are_not_run_where_the_next_turn_would_cost_too_much(
    tools: Command, wire: Wire
) -> None:
    priced(tools, wire.url)
    wire.answer(calling(TOUCH, usage=USED))
    tools("ask", "--functions", "tools.py", "--approve", "refuse", "hi")
    result = tools("continue", "--functions", "tools.py", "--approve", "always", "--max-cost", "0.002")
    assert (result.code, result.err, (tools.home / "touched").exists()) == (
        9,
        "cometresp: error: not sent: its input (about 1100 tokens) costs ~$0.0022, more than --max-cost $0.002"
        f"{ALLOWS}\n",
        False,
    )
    assert len(wire.requests) == 1


def test_what_the_estimate_lacks_is_warned_of(ask: Command, wire: Wire) -> None:
    words = ["--max-cost", "1", "--price", "2,8"]
    asked = [
        ["--conversation", "conv_1"],
        ["-f", "https://example.com/a.pdf", "--prompt-id", "p"],
        ["-q", "--conversation", "conv_1"],
        ["--conversation", "new"],
    ]
    wire.answer(*[text_stream("hi")] * 3, json_reply({"id": "conv_2", "object": "conversation"}), text_stream("hi"))
    results = ask.each([["ask", *words, *more, "hi"] for more in asked])
    start = "cometresp: warning: --max-cost: the estimate is without"
    assert [result.err for result in results] == [
        f"{start} the earlier turns, which only the server has\n",
        f"{start} files given by URL or id and the prompt of --prompt-id\n",
        "",
        "",
    ]


def test_a_limit_and_a_price_of_the_config_file_hold_for_every_run(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi", usage=USED))
    (ask.home / "config.toml").write_text('max_cost = 0.001\nprice = "2,8"\n')
    ask.environ["COMETRESP_CONFIG"] = str(ask.home / "config.toml")
    assert [list(result) for result in ask.each([["ask", "hi"], ["ask", "x" * 4000], ["get", "resp_1"]])] == [
        [0, "hi\n", ""],
        [
            9,
            "",
            "cometresp: error: not sent: its input (about 1004 tokens) costs ~$0.0020, more than --max-cost $0.001"
            f"{ALLOWS}\n",
        ],
        [0, "hi\n", ""],
    ]
    assert record_of(ask, "resp_1")["cost"] == 0.0028


def test_an_unknown_price_is_refused_before_anything_is_sent_or_run(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo(), usage=USED))
    tools("ask", "--functions", "tools.py", "--approve", "refuse", "hi")
    again = ["continue", "--functions", "tools.py", "--approve", "always", "--max-cost", "1"]
    message = "cometresp: error: --max-cost: the price of m is not known\nhint: --price IN,OUT gives it"
    missing = tools(*again)
    priced(tools, wire.url, {"other": [1.0, 1.0, None, 0.0], "m": None})
    unpriced = tools(*again)
    assert [list(result) for result in (missing, unpriced)] == [
        [2, "", f"{message}; {REFRESH}\n"],
        [2, "", f"{message}\n"],
    ]
    assert (len(wire.requests), record_of(tools, "resp_1")["output"]) == (1, [oslo()])
    wire.answer(json_reply({"object": "response.input_tokens", "input_tokens": 3}))
    for flag in ("--dry-run", "--curl", "--count-tokens"):
        assert tools("ask", "--max-cost", "1", flag, "hi").code == 0


WRONG = [
    (["--max-cost", "-1"], "--max-cost: must be more than 0 and at most 1000000 USD, not -1"),
    (["--max-cost", "0"], "--max-cost: must be more than 0 and at most 1000000 USD, not 0"),
    (["--max-cost", "nan"], "--max-cost: must be more than 0 and at most 1000000 USD, not nan"),
    (["--max-cost", "inf"], "--max-cost: must be more than 0 and at most 1000000 USD, not inf"),
    (["--max-cost", "1e9"], "--max-cost: must be more than 0 and at most 1000000 USD, not 1e+09"),
    (["--max-cost", "much"], "--max-cost: 'much' is not a number"),
    (["--price", "cheap"],
     "--price: 'cheap' must be IN,OUT or IN,OUT,CACHED: USD for a million tokens, such as 2.5,10"),
    (["--price", "1,-2"], "--price: must be between 0 and 1000000 USD for a million tokens, not -2"),
]  # fmt: skip


def test_a_limit_or_price_that_is_none_is_refused(ask: Command, wire: Wire) -> None:
    results = ask.each([[verb, *words, "hi"] for words, _ in WRONG for verb in ("ask", "stream", "continue")])
    found: list[tuple[Any, ...]] = [(result.code, result.text, result.err.splitlines()[0]) for result in results]
    assert found == [(2, "", f"cometresp: error: {message}") for _, message in WRONG for _ in range(3)]
    assert wire.requests == []


def test_the_emulators_loop_ends_before_the_turn_that_would_pass_the_limit(run: Command) -> None:
    (run.home / "tools.py").write_text('def weather(city: str) -> str:\n    """W."""\n    return "x" * 2000\n')
    words = ["--functions", "tools.py", "--approve", "always", "--price", "2,8"]
    result = run("ask", "--offline", *words, "--max-cost", "0.005", "emulate:endless_call weather Oslo")
    turns = json.loads(run("log", "--offline", "--json").out)
    assert (result.code, len(turns)) == (9, 3)
    assert sum(turn["cost"] for turn in turns) < 0.005
    assert result.err.startswith("cometresp: error: stopped after 3 turns (--max-cost) before weather ran: ~$0.00")
    stored = run.home / ".local/state/cometresp/offline/emulator.db"
    with closing(sqlite3.connect(stored)) as db:
        assert db.execute("SELECT count(*) FROM responses").fetchone() == (3,)


def test_the_limit_holds_for_a_turn_once_more_and_for_the_dearest_of_the_models(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("hi", usage=USED))
    priced(ask, wire.url)
    results = ask.each(
        [
            ["ask", "x" * 4000],
            ["again", "--max-cost", "0.001"],
            ["again", "--max-cost", "0.01", "--fallback-model", "unpriced"],
        ]
    )
    assert [result.code for result in results] == [0, 9, 2]
    assert results[1].err.startswith("cometresp: error: not sent: its input (about 1004 tokens) costs ~$0.0020, ")
    assert results[2].err.startswith("cometresp: error: --max-cost: the price of unpriced is not known\n")
    assert len(wire.requests) == 1
