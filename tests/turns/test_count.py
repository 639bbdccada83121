"""`--count-tokens`: the number of tokens of the request that would be sent, and nothing else."""

import json
from typing import Any

import pytest

from tests.conftest import Command
from tests.scripted import Wire, error_reply, json_reply, message, reply, response, text_stream

COUNTED = json_reply({"object": "response.input_tokens", "input_tokens": 42})
EVERY = (
    "-s be -f https://x/a.png --temperature 1 --max-output-tokens 99 --truncation auto --effort low"
    " --schema name --verbosity low -t web_search --tool-choice auto --parallel-tool-calls --service-tier flex"
    " --metadata a=b --include x.y --store -P personality=plain"
)
USED = {"input_tokens": 30, "output_tokens": 12, "total_tokens": 42}


@pytest.mark.parametrize("verb", ["ask", "stream"])
def test_the_fields_that_count_are_sent_and_the_number_is_printed(ask: Command, wire: Wire, verb: str) -> None:
    wire.answer(COUNTED)
    result = ask(verb, "--count-tokens", "-q", *EVERY.split(), "hi")
    assert list(result) == [0, "42\n", ""]
    [request] = wire.requests
    assert (request.method, request.path) == ("POST", "/v1/responses/input_tokens")
    body = json.loads(ask(verb, "-q", *EVERY.split(), "hi", "--dry-run").out)
    others = ("temperature", "max_output_tokens", "service_tier", "metadata", "include", "store", "stream")
    assert request.json() == {name: value for name, value in body.items() if name not in others}
    assert set(request.json()) == {
        *("model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls"),
        *("text", "reasoning", "truncation", "personality"),
    }


def test_json_is_the_servers_object(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"object": "response.input_tokens", "input_tokens": 42, "more": [1]}))
    for words in (["--json"], ["-F", "json"]):
        assert json.loads(ask("ask", "--count-tokens", *words, "hi").out) == {
            "object": "response.input_tokens",
            "input_tokens": 42,
            "more": [1],
        }


def test_counting_moves_no_chain_and_records_nothing(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), COUNTED)
    ask("ask", "one")
    before = ask("log", "--json").out, ask("chains", "--json").out
    assert list(ask("continue", "--count-tokens", "two")) == [0, "42\n", ""]
    assert list(ask("ask", "--count-tokens", "--conversation", "new", "two")) == [0, "42\n", ""]
    assert wire.bodies()[1:] == [
        {"model": "m", "input": "two", "previous_response_id": "r1"},
        {"model": "m", "input": "two"},
    ]
    assert (ask("log", "--json").out, ask("chains", "--json").out) == before


def test_no_call_is_run_to_count(ask: Command, wire: Wire) -> None:
    (ask.home / "f.py").write_text("def weather() -> str:\n    open('ran', 'w')\n    return 'dry'\n")
    called = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}", "id": "f"}
    wire.answer(json_reply(response(called, response_id="r1")), COUNTED)
    assert ask("ask", "--functions", "f.py", "--approve", "refuse", "one").code == 5
    result = ask("continue", "--count-tokens", "--functions", "f.py", "--approve", "always")
    assert (result.code, (ask.home / "ran").exists()) == (2, False)
    result = ask("continue", "--count-tokens", "--functions", "f.py", "--tool-output", "call_1=dry")
    assert (result.text, wire.bodies()[1]["tools"][0]["name"]) == ("42\n", "weather")


def test_where_the_server_takes_no_id_the_recorded_items_are_counted(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), error_reply(400, "previous_response_id is not supported"), COUNTED)
    ask("ask", "one")
    assert list(ask("continue", "--count-tokens", "two")) == [
        0,
        "42\n",
        "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n",
    ]
    one, two = ({"role": "user", "content": words} for words in ("one", "two"))
    assert wire.bodies()[2] == {"model": "m", "input": [one, message("1"), two]}


NO_PATH = [
    (error_reply(404, "Invalid URL (POST /v1/responses/input_tokens)"),
     "HTTP 404: Invalid URL (POST /v1/responses/input_tokens)"),
    (json_reply({"detail": "Not Found"}, 404), "HTTP 404: Not Found"),
    (error_reply(405, "no"), "HTTP 405: no"),
    (error_reply(501, "no"), "HTTP 501: no"),
    (reply(404, "<p>none</p>", "text/html"), "HTTP 404: none, with a body that is not JSON"),
    (reply(301, "", "text/html", location="https://x.example/"), "HTTP 301, to https://x.example/"),
    (json_reply({"count": 7}), "the reply to POST /v1/responses/input_tokens is JSON of another kind"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "reason"), NO_PATH, ids=[reason for _, reason in NO_PATH])
def test_a_server_that_does_not_count_leaves_an_estimate(ask: Command, wire: Wire, script: bytes, reason: str) -> None:
    wire.answer(script)
    assert list(ask("ask", "--count-tokens", "--retries", "0", "12345678")) == [
        0,
        "6\n",
        f"cometresp: warning: the server doesn't count tokens: {reason}; 6 is an estimate, from the number of bytes\n",
    ]
    assert json.loads(ask("ask", "--count-tokens", "--retries", "0", "--json", "12345678").out) == {
        "object": "response.input_tokens",
        "input_tokens": 6,
        "estimated": True,
    }


def test_an_estimate_of_a_turn_adds_what_the_server_counted_for_the_one_before(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1", usage=USED), error_reply(405, "no"))
    ask("ask", "-s", "be brief", "one")
    assert ask("continue", "--count-tokens", "12345678").text == "48\n"
    result = ask("ask", "--previous-response-id", "elsewhere", "--count-tokens", "12345678")
    assert result.text == "6\n"
    assert result.err.endswith("; without the earlier turns, which only the server has\n")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (error_reply(400, "bad"), 65),
        (error_reply(401, "no"), 77),
        (error_reply(404, "no m", "model_not_found"), 65),
        (json_reply({"error": {"message": "no"}}), 65),
        (error_reply(503, "busy"), 69),
    ],
)
def test_other_errors_are_no_reason_to_estimate(ask: Command, wire: Wire, script: bytes, code: int) -> None:
    wire.answer(script)
    result = ask("ask", "--count-tokens", "--retries", "0", "hi")
    assert (result.code, result.text) == (code, "")


def test_a_prompt_of_the_server_is_not_counted_and_a_warning_says_so(ask: Command, wire: Wire) -> None:
    wire.answer(COUNTED)
    result = ask("ask", "--count-tokens", "--prompt-id", "p1", "-m", "m")
    assert list(result) == [0, "42\n", "cometresp: warning: --count-tokens: the prompt of --prompt-id is not counted\n"]
    assert wire.bodies() == [{"model": "m"}]


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["-o", "x"], "--output"),
        (["-x"], "--extract"),
        (["--extract-last"], "--extract-last"),
        (["--events"], "--events"),
        (["-F", "events"], "--events"),
        (["--save-images", "x"], "--save-images"),
        (["--id-file", "x"], "--id-file"),
    ],
)
def test_flags_about_an_answer_are_refused(ask: Command, wire: Wire, words: list[str], flag: str) -> None:
    assert list(ask("ask", "--count-tokens", *words, "hi")) == [
        2,
        "",
        f"cometresp: error: --count-tokens and {flag} exclude each other: there will be no response\n",
    ]
    assert wire.requests == []


def test_a_large_file_is_counted_by_its_content(ask: Command, wire: Wire) -> None:
    (ask.home / "a.txt").write_text("x" * 4_000_000)
    wire.answer(error_reply(405, "no"))
    words: list[Any] = ["ask", "--count-tokens", "-q", "-f", "a.txt", "12345678"]
    assert ask(*words).text == "1000006\n"


def test_the_emulator_counts(run: Command) -> None:
    assert list(run("ask", "--offline", "--count-tokens", "12345678")) == [0, "2\n", ""]
