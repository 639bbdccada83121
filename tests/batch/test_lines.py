"""The input: whatever stands in a line, it is a request or a fault with its number; flags are defaults under it."""

import json
from io import BytesIO
from typing import Any

import pytest

from cometresp.batch import lines
from cometresp.batch.fields import merged, parts_of
from cometresp.batch.lines import Form, Line, read_lines
from cometresp.batch.shard import Shard, shard_of
from cometresp.errors import UsageError


def read(data: bytes, form: Form = "jsonl") -> list[tuple[Any, ...]]:
    return [tuple(line) for line in read_lines(BytesIO(data), form)]


def test_lines_have_their_numbers_whatever_their_ends() -> None:
    assert read(b'\xef\xbb\xbf"a"\r\n\n  \r\n{"input": 1}\n"last"') == [
        (1, "a", ""),
        (4, {"input": 1}, ""),
        (5, "last", ""),
    ]


def test_a_line_that_is_no_json_or_no_text_is_a_fault_and_the_next_one_is_read() -> None:
    assert read(b'{"a": 1\n\xff\n{"n": NaN}\n"ok"\n') == [
        (1, None, "not valid JSON: column 8: Expecting ',' delimiter"),
        (2, None, "it is not UTF-8: byte 1 is wrong"),
        (3, None, "not valid JSON: NaN is not JSON"),
        (4, "ok", ""),
    ]
    assert read("\ufeffa".encode("utf-16"))[0][2] == "it is not UTF-8: UTF-16"


def test_a_line_that_is_too_long_is_skipped_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 10)
    monkeypatch.setattr(lines, "_CHUNK", 4)
    assert read(b'"' + b"x" * 50 + b'"\n"ok"\n' + b"y" * 30) == [
        (1, None, "it has more than 0 MB"),
        (2, "ok", ""),
        (3, None, "it has more than 0 MB"),
    ]


def test_each_line_of_text_is_a_prompt() -> None:
    assert read(b"one\n\n {two} \n", "lines") == [(1, "one", ""), (3, " {two} ", "")]


def test_rows_of_csv_have_columns_and_may_span_lines() -> None:
    data = b'id,prompt\r\n1,"two\nlines, quoted"\r\n\r\n2\n3,"x"\n'
    assert read(data, "csv") == [
        (2, {"id": "1", "prompt": "two\nlines, quoted"}, ""),
        (5, None, "it has 1 field, and the first row 2"),
        (6, {"id": "3", "prompt": "x"}, ""),
    ]
    assert read(b"a\tb\n1\t2,3\n", "tsv") == [(2, {"a": "1", "b": "2,3"}, "")]
    with pytest.raises(UsageError, match="two columns are called"):
        read(b"a,a\n", "csv")


FORMS = [
    ("Hi", ("line-7", "Hi", {}, {})),
    ({"prompt": "Hi", "custom_id": "a"}, ("a", "Hi", {}, {})),
    (
        {"prompt": "Hi", "reasoning_effort": "low", "metadata": {"k": 1}, "tools": [{"type": "x"}]},
        ("line-7", "Hi", {"tools": [{"type": "x"}]}, {"reasoning_effort": "low", "metadata": ["k=1"]}),
    ),
    ({"input": "Hi", "seed": 1, "stream": False}, ("line-7", None, {"input": "Hi", "seed": 1}, {})),
    ({"prompt": {"id": "pmpt_1"}}, ("line-7", None, {"prompt": {"id": "pmpt_1"}}, {})),
    (
        {"custom_id": "b", "method": "POST", "url": "/v1/responses", "body": {"input": "Hi"}},
        ("b", None, {"input": "Hi"}, {}),
    ),
    # the example of `vllm run-batch --help`, for this endpoint
    (
        {
            "custom_id": "request-1",
            "method": "POST",
            "url": "/v1/responses",
            "body": {"model": "m", "input": [{"role": "user", "content": "Hello world!"}], "max_output_tokens": 1000},
        },
        (
            "request-1",
            None,
            {"model": "m", "input": [{"role": "user", "content": "Hello world!"}], "max_output_tokens": 1000},
            {},
        ),
    ),
]


@pytest.mark.parametrize(("value", "expected"), FORMS, ids=range(len(FORMS)))
def test_every_form_of_a_line_is_understood(value: Any, expected: tuple[Any, ...]) -> None:
    assert parts_of(Line(7, value))[:4] == expected


FAULTS = [
    ("  ", "the prompt is empty"),
    (7, "it must be a JSON object or a string"),
    ({"messages": []}, "it has neither input nor prompt"),
    ({"input": "x", "stream": True}, "stream must be left out: each response is streamed anyway"),
    ({"input": "x", "background": True}, "background must be left out: each response is waited for"),
    ({"body": {"input": "x"}, "url": "/v1/chat/completions"}, "url must be /v1/responses, not '/v1/chat/completions'"),
    ({"body": {"input": "x"}, "method": "GET"}, "method must be POST, not 'GET'"),
    ({"prompt": "x", "custom_id": 7}, "custom_id must be a string"),
    ({"prompt": "x", "temprature": 1}, "unknown field 'temprature'"),
    ({"prompt": "x", "temperature": "hot"}, "temperature must be a number"),
    ({"prompt": "x", "base_url": "http://evil"}, "unknown field 'base_url'"),
    (
        {"prompt": "x", "file": "/etc/passwd"},
        "file: '/etc/passwd' names a file of this machine: a line may name a URL or a file-… id",
    ),
]


@pytest.mark.parametrize(("value", "message"), FAULTS, ids=range(len(FAULTS)))
def test_what_is_no_request_is_a_fault(value: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parts_of(Line(7, value))
    assert caught.value.message == message


def test_objects_of_a_body_are_merged_field_by_field() -> None:
    base = {"model": "m", "reasoning": {"effort": "low", "summary": "auto"}, "tools": [1], "text": {"format": {"a": 1}}}
    own = {"reasoning": {"effort": "high"}, "tools": [2], "text": {"format": {"b": 2}}, "input": "x"}
    assert merged(base, own) == {
        "model": "m",
        "reasoning": {"effort": "high", "summary": "auto"},
        "tools": [2],
        "text": {"format": {"b": 2}},
        "input": "x",
    }


def test_every_id_is_in_one_part_of_several() -> None:
    ids = [f"id-{n}" for n in range(400)]
    parts = [[name for name in ids if Shard(n, 4).has(name)] for n in range(1, 5)]
    assert sorted(name for part in parts for name in part) == sorted(ids)
    assert all(70 < len(part) < 130 for part in parts)
    assert json.dumps(parts[0][:3]) == '["id-0", "id-2", "id-3"]'  # the same on every machine


def test_the_part_of_a_slurm_array_is_that_of_its_task() -> None:
    task = {"SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_COUNT": "3"}
    task |= {"SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_STEP": "2"}
    assert [shard_of("slurm", task), shard_of("2/5", {}), shard_of(None, {})] == [Shard(3, 3), Shard(2, 5), None]
    for given, message in (
        ("slurm", "--shard slurm: SLURM_ARRAY_TASK_ID is not set"),
        ("5/4", "--shard: the part must be between 1 and 4, not 5"),
        ("0/4", "--shard: the part must be between 1 and 4, not 0"),
        ("a", "--shard: 'a' must be I/N, as in 1/4, or slurm"),
    ):
        with pytest.raises(UsageError) as caught:
            shard_of(given, {})
        assert caught.value.message == message
