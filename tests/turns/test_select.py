"""`--select PATH`: one field of a response in place of its text."""

import json
from typing import NamedTuple

import pytest

from tests.conftest import Command, Forker
from tests.scripted import Wire, created, delta, error_reply, json_reply, message, response, sse, text_stream

TWO = response(message("one "), {**message("two"), "id": "msg_2"}, model="m-1")
HINT = "hint: as in usage.input_tokens, output[0].id or output[].content[].text\n"


class Case(NamedTuple):
    words: str
    code: int
    out: str
    err: str = ""


@pytest.mark.parametrize(
    "case",
    [
        Case("ask --select usage.input_tokens hi", 0, "1\n"),
        Case("ask --json --select output_text hi", 0, "one two\n"),
        Case("stream --select output[].content[].text hi", 0, "one \ntwo\n"),
        Case("stream --select usage hi", 0, '{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}\n'),
        Case("ask --background --select status hi", 0, "completed\n"),
        Case("get resp_1 --select model", 0, "m-1\n"),
        Case(
            "ask --select nothing hi",
            8,
            "",
            "cometresp: error: --select: resp_1 has no nothing\n"
            "hint: it has id, object, status, output, usage, model, output_text\n",
        ),
        Case("ask --select a..b hi", 2, "", f"cometresp: error: --select: 'a..b' is not a path\n{HINT}"),
        Case("ask --select .id hi", 2, "", f"cometresp: error: --select: '.id' is not a path\n{HINT}"),
        Case(
            "ask --select id -x hi",
            2,
            "",
            "cometresp: error: --select and --extract exclude each other: each prints a part of the response alone\n",
        ),
        Case(
            "ask --select id --events hi",
            2,
            "",
            "cometresp: error: --select prints one field: it excludes --events\n",
        ),
        Case(
            "ask --select id -F json hi", 2, "", "cometresp: error: --select prints one field: it excludes --format\n"
        ),
        Case(
            "ask --select id --count-tokens hi",
            2,
            "",
            "cometresp: error: --count-tokens and --select exclude each other: there will be no response\n",
        ),
    ],
    ids=lambda case: case.words,
)
def test_one_field_is_printed(case: Case, ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(json_reply(TWO))
    assert list(forker.run(ask, case.words.split(" "))) == [case.code, case.out, case.err]
    assert len(wire.requests) == (0 if case.code == 2 else 1)


def test_it_is_written_to_a_file_whole(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("a"))
    results = [list(forker.run(ask, ["ask", "hi", "-o", "x", "--select", path])) for path in ("id", "usage.x")]
    assert results == [
        [0, "", ""],
        [
            8,
            "",
            "cometresp: error: --select: resp_1 has no usage.x\n"
            "hint: usage has input_tokens, output_tokens, total_tokens\n",
        ],
    ]
    assert (ask.home / "x").read_text() == "resp_1\n"


def test_of_a_run_that_failed_what_there_is_is_printed(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(sse(created(), delta("half")))
    cut = forker.run(ask, ["ask", "--no-stream", "--retries", "0", "--select", "output_text", "hi"])
    wire.answer(error_reply(400, "no"))
    refused = forker.run(ask, ["ask", "--select", "output_text", "hi"])
    assert (cut.code, cut.text, refused.code, refused.text) == (69, "half\n", 65, "")


def test_on_a_terminal_it_is_escaped(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("a\x1b[2J"))
    shown = forker.run(ask, ["ask", "-q", "--select", "output_text", "hi"], terminal=True)
    assert shown.text == "a\\x1b[2J\n"


def test_lists_have_fields_too(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("a"))
    forker.run(ask, ["ask", "--chain", "work", "hi"])
    told = [
        list(forker.run(ask, words.split()))
        for words in (
            "chains --select [].name",
            "chains --json --select [0].turns",
            "chains show work --select [].content",
            "log --select [].id",
            "log resp_1 --select usage.total_tokens",
            "log --select [].nothing -n 1",
            "chains --select x.",
        )
    ]
    keys = list(json.loads(forker.run(ask, ["log", "--json"]).text)[0])
    assert told == [
        [0, "work\n", ""],
        [0, "1\n", ""],
        [0, 'hi\n[{"type": "output_text", "text": "a", "annotations": []}]\n', ""],
        [0, "resp_1\n", ""],
        [0, "2\n", ""],
        [
            8,
            "",
            "cometresp: error: --select: the list has no [].nothing\n"
            f"hint: [] has {', '.join(keys[:12])}, and {len(keys) - 12} more\n",
        ],
        [2, "", f"cometresp: error: --select: 'x.' is not a path\n{HINT}"],
    ]
