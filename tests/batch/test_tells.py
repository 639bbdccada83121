"""What `batch` says before it sends, and what it names in hints: bad lines, columns, limits."""

import json
import re
from collections.abc import Callable

import pytest

from tests.batch.asked import answering, lines_of, requests_in
from tests.conftest import Command, Forker, Result
from tests.scripted import Wire

Batch = Callable[..., Result]


@pytest.fixture
def batch(ask: Command, forker: Forker, wire: Wire) -> Batch:
    wire.answer(answering)
    return lambda *words, **more: forker.run(ask, ["batch", *words], **more)


BAD = [
    ({"custom_id": "", "prompt": "x"}, "custom_id must not be empty"),
    ({"custom_id": None, "prompt": "x"}, "custom_id must be a string"),
    ({"prompt": "x", "tools": "@/etc/passwd"}, "tools must be a list, not '@/etc/passwd'"),
    ({"input": "x", "tools": "@/etc/passwd"}, "tools must be a list, not '@/etc/passwd'"),
    ({"custom_id": "a", "body": {"input": "x", "reasoning": "@x"}}, "reasoning must be an object, not '@x'"),
    ({"prompt": "x", "stream": True}, "stream must be left out: each response is streamed anyway"),
    ({"prompt": "x", "background": True}, "background must be left out: each response is waited for"),
]


def test_each_bad_line_has_its_reason_and_none_is_sent(ask: Command, batch: Batch) -> None:
    found = batch(requests_in(ask.home, *(line for line, _ in BAD)))
    told = [f"  line {number}: {reason}" for number, (_, reason) in enumerate(BAD, 1)]
    head = f"cometresp: error: in.jsonl: {len(BAD)} lines can't be sent"
    assert [found.code, *found.err.splitlines()] == [2, head, *told, "hint: nothing was sent"]


def test_the_first_bad_lines_are_listed_and_the_others_counted(ask: Command, batch: Batch) -> None:
    found = batch(requests_in(ask.home, "good", *[1] * 3000)).err.splitlines()
    assert [len(found), found[0], found[-2:]] == [
        23,
        "cometresp: error: in.jsonl: 3000 lines can't be sent",
        ["  … and 2980 more", "hint: nothing was sent; --skip-bad goes on without them"],
    ]


def test_columns_that_nothing_is_made_of_are_named(ask: Command, batch: Batch) -> None:
    (ask.home / "in.csv").write_text("custom_id,prompt,model,mood\nx,a,n,low\ny,b,n,low\n")
    found = batch("in.csv", "--text", "--ordered")
    told = "columns model, mood: not used: without --template only custom_id and prompt are"
    assert (found.code, found.err) == (0, f"cometresp: warning: {told}\n")


def test_a_quotation_mark_without_its_second_says_how_far_it_goes(ask: Command, batch: Batch) -> None:
    (ask.home / "in.csv").write_text('prompt\na\n"b\nc\nd\n')
    found = batch("in.csv", "--skip-bad", "--text")
    assert [json.loads(line)["custom_id"] for line in found.text.splitlines()] == ["line-2"]
    assert found.err.splitlines()[1] == (
        "  line 3: not valid CSV: unexpected end of data (the field goes on to line 5, which is left out, too)"
    )


def test_the_hint_of_a_run_that_would_cost_more_asks_for_a_higher_limit(ask: Command, batch: Batch) -> None:
    source = requests_in(ask.home, *"abc")
    words = ("-o", "out", "--jobs", "1", "--price", "1000,1000")
    for limit in (["--max-cost", "0.04"], ["--max-cost=0.04", "--resume"]):
        found = batch(source, *limit, *words)
        assert (found.code, found.err.splitlines()[1]) == (
            9,
            "hint: cometresp batch in.jsonl -o out --jobs 1 --price 1000,1000 --resume --max-cost USD continues, where"
            " USD is a higher limit",
        )


def test_a_request_that_is_larger_than_a_minute_allows_is_told(ask: Command, batch: Batch) -> None:
    found = batch(requests_in(ask.home, "word " * 400), "--tpm", "100", "-o", "out")
    assert found.code == 0
    assert re.fullmatch(
        r"cometresp: warning: --tpm: a request of about \d{3,4} tokens is more than the 100 of a minute: after it"
        r" nothing is sent for \d+\.\d minutes\n",
        found.err,
    )


def test_the_summary_names_the_model(ask: Command, batch: Batch) -> None:
    several = requests_in(ask.home, {"input": "a", "model": "x"}, "b", name="several.jsonl")
    for source, model in ((requests_in(ask.home, "a"), "n"), (several, "n")):
        assert batch(source, "-m", "n", "--text", "--summary-file", "facts").code == 0
        assert [facts["model"] for facts in lines_of(ask.home / "facts")] == [model]
