"""`again`: the same turn once more, from the record, with what the flags change."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command, Forker
from tests.recorded import heads, recorded, state_path
from tests.scripted import Wire, call, created, delta, error_reply, json_reply, message, response, sse, text_stream
from tests.terminals import plain
from tests.turns.tooling import OSLO, answering, calling, oslo

SENT = [
    *("-m", "m1", "-s", "be brief", "--temperature", "0.5", "--effort", "low", "--schema", "name, age int"),
    *("-t", "web_search", "--metadata", "a=b", "--include", "reasoning.encrypted_content", "-P", "x.y=1"),
]


def answers(wire: Wire, *texts: str) -> None:
    wire.answer(*(text_stream(text, response_id=f"resp_{n}") for n, text in enumerate(texts, 1)))


def test_the_same_request_is_sent_again_and_its_answer_is_the_head(ask: Command, wire: Wire) -> None:
    answers(wire, '{"name":"a","age":1}', "2", "3", '{"name":"b","age":2}')
    assert ask("ask", *SENT, "a").code == 0
    assert ask("continue", "b").code == 0
    assert list(ask("again", "-u", "-q")) == [0, "3\n", "usage: 1 input, 1 output, 2 total\n"]
    assert list(ask("again", "last~1")) == [0, '{"name":"b","age":2}\n', ""]
    first, second, third, fourth = wire.bodies()
    assert (third, fourth) == (second, first)
    assert heads(ask) == {"default": "resp_4"}
    numbers = [(turn["id"], turn["turn"]) for turn in json.loads(ask("log", "--json").out)]
    assert numbers == [("resp_4", 1), ("resp_3", 2), ("resp_2", 2), ("resp_1", 1)]
    assert ask("continue", "--from", "resp_3~1", "--dry-run", "c").code == 0


def test_flags_change_what_is_sent_and_nothing_else(ask: Command, wire: Wire) -> None:
    answers(wire, "1", "2", "3")
    assert ask("ask", *SENT[:6], "-t", "web_search", "a").code == 0
    changed = [*("-m", "m2", "--temperature", "1", "--no-instructions", "--no-tools", "--no-store"), "--no-stream"]
    assert ask("again", *changed, "--metadata", "k=v").code == 0
    assert ask("again").code == 0  # of the one before, as that was
    expected = {"model": "m2", "input": "a", "temperature": 1.0, "store": False, "metadata": {"k": "v"}}
    assert wire.bodies()[1:] == [expected, expected]


def test_the_config_file_changes_nothing_of_a_recorded_request(ask: Command, wire: Wire) -> None:
    answers(wire, "1", "2", "3")
    ask("ask", "a")
    config = ask.home / "config.toml"
    config.write_text('temperature = 1\nfile = ["x"]\nbackground = true\n[aliases]\nfast = "m9"\n')
    env = {"COMETRESP_CONFIG": str(config)}
    assert ask("again", env=env).code == 0
    assert ask("again", "-m", "fast", env=env).code == 0
    assert wire.bodies()[1:] == [wire.bodies()[0], wire.bodies()[0] | {"model": "m9"}]


def test_dry_run_shows_the_request_and_reads_no_standard_input(ask: Command, wire: Wire) -> None:
    answers(wire, "1")
    ask("ask", "a")
    shown = ask("again", "--dry-run", "--temperature", "1", stdin=b"not read")
    assert json.loads(shown.out) == {"model": "m", "input": "a", "temperature": 1.0, "stream": True}
    assert (ask("again", "-", "--curl", stdin=b"resp_1\n").code, len(wire.requests)) == (0, 1)


ENDS: dict[str, tuple[bytes, int]] = {
    "failed": (json_reply(response(response_id="r2", status="failed", error={"message": "x"})), 1),
    "cut": (sse(created("r2"), delta("half")), 69),
    "refused": (error_reply(400, code="content_policy"), 65),
    "overloaded": (error_reply(503), 69),
    "limited": (error_reply(429), 75),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("first", ["ask", "continue"])
def test_a_turn_that_failed_is_sent_again(ask: Command, wire: Wire, first: str, end: str) -> None:
    bad, code = ENDS[end]
    wire.answer(text_stream("1", response_id="r1"), bad, text_stream("3", response_id="r3"))
    ask("ask", "a")
    assert ask(first, "--retries", "0", "--no-store" if first == "ask" else "--top-p=1", "b").code == code
    wire.scripts[1:2] = []
    wire.requests[1:] = wire.requests[-1:]
    assert list(ask("again")) == [0, "3\n", ""]
    assert wire.bodies()[2] == wire.bodies()[1]
    assert heads(ask) == {"default": "r3"}


def test_a_terminal_is_told_which_turn_is_sent_again(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("1", response_id="r1"), error_reply(400), text_stream("3", response_id="r3"))

    def told() -> str:
        return plain(forker.run(ask, ["again"], terminal=True).text).splitlines()[0]

    ask("ask", "a")
    ask("ask", "b")
    assert told() == "again, in default: the request without an answer · turn 1 · m"
    assert told() == "again, in default: r3 · turn 1 · m"


def test_a_request_without_an_answer_is_sent_again_and_kept_until_a_turn_begins(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(401), error_reply(401), text_stream("3", response_id="r3"))
    assert ask("ask", "a").code == 77
    assert recorded(ask) == []
    assert ask("again", "-m", "m2").code == 77
    assert list(ask("again")) == [0, "3\n", ""]
    assert [body["model"] for body in wire.bodies()] == ["m", "m2", "m2"]
    with closing(sqlite3.connect(state_path(ask))) as db:
        assert db.execute("SELECT count(*) FROM unanswered").fetchone() == (0,)


def test_the_first_turn_of_a_chain_takes_the_head_only_when_it_has_completed(ask: Command, wire: Wire) -> None:
    wire.answer(
        text_stream("1", response_id="r1"),
        text_stream("2", response_id="r2"),
        json_reply(response(response_id="r3", status="failed", error={"message": "x"})),
        text_stream("4", response_id="r4"),
    )
    ask("ask", "a")
    ask("continue", "b")
    assert ask("again", "r1").code == 1
    assert heads(ask) == {"default": "r2"}
    assert ask("again", "r1").code == 0
    assert heads(ask) == {"default": "r4"}


def test_a_chain_is_chosen_by_its_name_and_an_id_is_sent_in_its_own(ask: Command, wire: Wire) -> None:
    answers(wire, "1", "2", "3", "4", "5")
    ask("ask", "--chain", "x", "a")
    ask("ask", "b")
    assert ask("again", "--chain", "x").code == 0
    assert ask("again", "resp_1").code == 0
    assert ask("again", "resp_1", "--chain", "y").code == 0
    assert heads(ask) == {"default": "resp_2", "x": "resp_4", "y": "resp_5"}
    assert [body["input"] for body in wire.bodies()] == ["a", "b", "a", "a", "a"]


def test_attachments_are_sent_again_if_they_are_the_same(ask: Command, wire: Wire) -> None:
    small, large = ask.home / "small.txt", ask.home / "large.txt"
    small.write_text("small")
    large.write_text("large " * 200_000)
    answers(wire, "1", "2")
    assert ask("ask", "-f", "small.txt", "-f", "large.txt", "a").code == 0
    small.unlink()
    assert ask("again").code == 0
    assert wire.bodies()[1] == wire.bodies()[0]
    large.write_text("other " * 200_000)
    shown = "cometresp: error: the turn can't be sent again: "
    assert list(ask("again")) == [65, "", f"{shown}{large}, attached to resp_2, has changed since\n"]
    large.unlink()
    gone = f"{shown}an attachment of resp_2: can't read {large}: No such file or directory\n"
    assert list(ask("again", "--dry-run")) == [65, "", gone]
    assert len(wire.requests) == 2


def test_another_server_gets_the_recorded_turns(ask: Command, wire: Wire) -> None:
    answers(wire, "1", "2", "3")
    ask("ask", "a")
    ask("continue", "b")
    other = {"COMETAPI_BASE_URL": f"http://localhost:{wire.port}/v1"}
    assert ask("again", env=other).code == 0
    assert [item["role"] for item in wire.bodies()[2]["input"]] == ["user", "assistant", "user"]
    assert ask("ask", "--previous-response-id", "elsewhere", "c").code == 0
    result = ask("again", env=other)
    assert (result.code, result.err) == (
        65,
        "cometresp: error: what came before the turn (elsewhere) is not recorded here: only "
        f"{wire.url} knows it\nhint: --base-url {wire.url} names that server\n",
    )


def test_a_background_turn_is_sent_to_the_background_again(ask: Command, wire: Wire) -> None:
    wire.answer(*(json_reply(response(response_id=f"r{n}", status="queued", background=True)) for n in (1, 2)))
    assert list(ask("ask", "--background", "a")) == [0, "r1\n", ""]
    assert list(ask("again")) == [0, "r2\n", ""]
    assert wire.bodies()[1] == wire.bodies()[0]
    wire.answer(json_reply(response(message("x"), response_id="r3", background=True)))
    assert list(ask("again", "--wait")) == [0, "x\n", ""]
    message_ = "--extract goes with an answer, not with --background\nhint: cometresp get ID --wait --extract\n"
    assert list(ask("again", "-x")) == [2, "", f"cometresp: error: {message_}"]
    wire.answer(text_stream("x", response_id="r4"))
    assert ask("ask", "b").code == 0
    no_wait = "cometresp: error: --wait goes with --background: r4 was not in the background\n"
    assert list(ask("again", "--wait")) == [2, "", no_wait]


def test_param_takes_a_field_out_and_the_answer_then_comes_as_the_rest_says(run: Command, forker: Forker) -> None:
    words = ["--offline", "--background", "--temperature", "0.5", "--metadata", "a=b", "hi"]
    assert forker.run(run, ["ask", *words]).code == 0
    shown = forker.run(run, ["again", "--offline", "--dry-run", "-P", "background=null", "-P", "metadata=null"])
    assert json.loads(shown.text) == {"model": "emulator", "input": "hi", "temperature": 0.5, "stream": True}
    for value in ("null", "false"):
        answer = forker.run(run, ["again", "--offline", "-P", f"background={value}"])
        assert (answer.code, "You said" in answer.text) == (0, True)
    refused = forker.run(run, ["again", "--offline", "-P", "input=evil"])
    message = "--param: input can't be changed: the turn is sent with its recorded input and place"
    assert list(refused) == [2, "", f"cometresp: error: {message}\n"]


def test_results_are_sent_again_and_functions_run_only_if_they_are_given_again(tools: Command, wire: Wire) -> None:
    wire.answer(calling(oslo()), answering(), calling(oslo("call_2")), calling(oslo("call_3")), answering("x", "r9"))
    run = ["--functions", "tools.py", "--approve", "always"]
    assert tools("ask", *run, "--tool-choice", "required", "a").code == 0
    result = tools("again")
    assert (result.code, wire.bodies()[2]) == (5, wire.bodies()[1])
    assert wire.bodies()[2]["input"] == [OSLO]
    assert tools("again", *run).code == 0
    assert [item["call_id"] for item in wire.bodies()[4]["input"]] == ["call_3"]


def test_a_turn_without_text_cant_be_sent_again(ask: Command, wire: Wire) -> None:
    answers(wire, "1")
    ids = {"COMETRESP_RECORD": "ids"}
    ask("ask", "a", env=ids)
    message_ = "cometresp: error: the input of resp_1 can't be sent again: it was not recorded, or is no longer kept\n"
    assert list(ask("again", env=ids)) == [2, "", message_]
    ask("chains", "set", "x", "resp_elsewhere")
    assert list(ask("again", "--chain", "x")) == [
        2,
        "",
        "cometresp: error: the input of resp_elsewher can't be sent again: it was made elsewhere\n",
    ]


def test_a_turn_of_an_older_version_is_sent_with_a_warning(ask: Command, wire: Wire) -> None:
    answers(wire, "1", "2")
    ask("ask", "--temperature", "1", "a")
    with closing(sqlite3.connect(state_path(ask), isolation_level=None)) as db:
        db.execute("UPDATE turns SET request = NULL")
    warning = (
        "cometresp: warning: resp_1 was recorded without temperature, schema and the like, by an earlier version: "
        "give them again\n"
    )
    assert list(ask("again")) == [0, "2\n", warning]
    assert wire.bodies()[1] == {"model": "m", "input": "a", "stream": True}


def test_a_conversation_of_the_server_keeps_both(ask: Command, wire: Wire) -> None:
    answers(wire, "1", "2")
    ask("ask", "--conversation", "conv_1", "a")
    warning = "cometresp: warning: conv_1 keeps resp_1 too: the server adds the turn behind it\n"
    assert list(ask("again")) == [0, "2\n", warning]
    assert wire.bodies()[1] == wire.bodies()[0]


PLACE = "doesn't go with again: the turn is sent in its recorded place"
INPUT = "doesn't go with again: the recorded input is sent again"
ANOTHER = "hint: cometresp continue --from {} … asks something else in its place\n"
WRONG: list[tuple[list[str], str]] = [
    (["resp_1", "shorter"], "again takes an id and no prompt: 'shorter'\n" + ANOTHER.format("'resp_1~1'")),
    (["shorter please"], "again takes an id and no prompt: 'shorter please'\n" + ANOTHER.format("'last~1'")),
    (["nothing"], "ID: 'nothing' is not recorded here\nhint: cometresp log lists what is\n"),
    (["@x"], "ID: nothing is recorded for @x\nhint: cometresp chains lists what is\n"),
    (["--chain", "x"], "nothing to send again: chain x has no turn yet\nhint: cometresp ask --chain x … starts it\n"),
    (["-f", "x"], f"--file {INPUT}\n"),
    (["--input", "[]"], f"--input {INPUT}\n"),
    (["--body", "{}"], f"--body {INPUT}\n"),
    (["--edit"], f"--edit {INPUT}\n"),
    (["-c"], f"--continue {PLACE}\n"),
    (["--from", "last"], f"--from {PLACE}\n"),
    (["--previous-response-id", "x"], f"--previous-response-id {PLACE}\n"),
    (["--conversation", "new"], f"--conversation {PLACE}\n"),
    (["--tool-output", "a=b"], f"--tool-output {PLACE}\n"),
]


def test_a_prompt_and_flags_of_another_input_or_place_are_refused(ask: Command, wire: Wire) -> None:
    answers(wire, "1")
    ask("ask", "a")
    shown = ask.each([["again", *words] for words, _ in WRONG])
    assert [list(result) for result in shown] == [[2, "", f"cometresp: error: {message}"] for _, message in WRONG]
    assert len(wire.requests) == 1


def test_a_secret_of_a_tool_that_was_not_recorded_is_not_sent_masked(ask: Command, wire: Wire) -> None:
    tool: dict[str, Any] = {
        "type": "mcp",
        "server_label": "l",
        "server_url": "https://a.b",
        "authorization": "s3cret-x",
    }
    answers(wire, "1")
    ask("ask", "-t", json.dumps(tool), "a")
    result = ask("again")
    assert (result.code, result.err.splitlines()[0]) == (
        2,
        "cometresp: error: the chain has a tool with a secret (authorization) that was not recorded",
    )


# --fallback-model ---------------------------------------------------------------------------------------------------

ANSWERED: dict[str, tuple[bytes, str]] = {
    "overloaded": (error_reply(503, "busy"), "HTTP 503: busy"),
    "limited": (error_reply(429, "slow down"), "HTTP 429: slow down"),
    "unknown": (error_reply(404, "no such model", "model_not_found"), "HTTP 404 model_not_found: no such model"),
    "disguised": (error_reply(503, "no channel", "model_not_found"), "HTTP 503 model_not_found: no channel"),
    "later": (error_reply(429, "wait", Retry_After="900"), "HTTP 429: wait; the server asks to come back in 900 s"),
}


@pytest.mark.parametrize("reason", ANSWERED)
def test_another_model_is_asked_in_place_of_one_that_cant_answer(ask: Command, wire: Wire, reason: str) -> None:
    reply, said = ANSWERED[reason]
    wire.answer(reply, text_stream("2", response_id="r2"), text_stream("3", response_id="r3"))
    warning = f"cometresp: warning: m answered {said}; asking m2 instead\n"
    assert list(ask("ask", "--retries", "0", "--fallback-model", "m2,m3", "a")) == [0, "2\n", warning]
    assert ask("continue", "b").code == 0
    assert [body["model"] for body in wire.bodies()] == ["m", "m2", "m"]
    turns = [(turn["model"], turn["asked_model"]) for turn in json.loads(ask("log", "--json").out)]
    assert turns == [("m", None), ("m2", "m")]
    assert ask("log", "r2").text.startswith("## r2 · m2 in place of m · completed\n")
    assert json.loads(ask("chains", "--json").out)[0]["model"] == "m"


def test_the_models_are_asked_one_after_the_other_and_the_last_error_counts(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(503, "a", retry_after_ms="1"))
    result = ask("ask", "-q", "--retries", "1", "--fallback-model", "m2, m,m3", "a")
    assert (result.code, result.err.splitlines()[0]) == (69, "cometresp: error: HTTP 503: a")
    assert [body["model"] for body in wire.bodies()] == ["m", "m", "m2", "m2", "m3", "m3"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error_reply(400, "bad"), 65),
        (error_reply(401), 77),
        (error_reply(429, "spent", "insufficient_quota"), 77),
        (sse(created("r1"), delta("half")), 69),
        (json_reply(response(response_id="r1", status="failed", error={"message": "x", "code": "server_error"})), 1),
        (b"", 69),
    ],
    ids=["refused", "key", "quota", "cut", "failed", "silent"],
)
def test_no_other_model_is_asked_after_another_error(ask: Command, wire: Wire, reply: bytes, code: int) -> None:
    wire.answer(reply)
    result = ask("ask", "--retries", "0", "--no-store", "--fallback-model", "m2", "a")
    assert (result.code, len(wire.requests), "instead" in result.err) == (code, 1, False)


def test_another_model_gets_the_replayed_turns_without_the_reasoning_of_the_first(ask: Command, wire: Wire) -> None:
    thought = {"type": "reasoning", "id": "rs", "encrypted_content": "x", "summary": []}
    first = response(thought, message("1"), response_id="r1", store=False)
    wire.answer(json_reply(first), error_reply(503), text_stream("2", response_id="r2"))
    ask("ask", "--no-store", "a")
    assert ask("continue", "--retries", "0", "--fallback-model", "m2", "b").code == 0
    kinds = [[item.get("type", "message") for item in body["input"]] for body in wire.bodies()[1:]]
    assert kinds == [["message", "reasoning", "message", "message"], ["message", "message", "message"]]


def test_a_later_turn_of_a_run_stays_with_the_model_that_answered(tools: Command, wire: Wire) -> None:
    wire.answer(error_reply(503), calling(oslo()), answering())
    flags = ["--functions", "tools.py", "--approve", "always", "--retries", "0", "--fallback-model", "m2"]
    assert tools("ask", *flags, "a").code == 0
    assert [body["model"] for body in wire.bodies()] == ["m", "m2", "m2"]
    turns = [(turn["model"], turn["asked_model"]) for turn in json.loads(tools("log", "--json").out)]
    assert turns == [("m2", "m"), ("m2", "m")]


def test_an_empty_name_of_a_model_is_refused_and_a_shown_request_names_the_first(ask: Command, wire: Wire) -> None:
    message_ = "cometresp: error: --fallback-model: must be MODEL or MODEL,MODEL: a name is empty\n"
    for given in ("", "m2,,m3", " "):
        assert list(ask("ask", "--fallback-model", given, "a")) == [2, "", message_]
    assert json.loads(ask("ask", "--fallback-model", "m2", "--dry-run", "a").out)["model"] == "m"
    assert wire.requests == []


def test_a_call_of_the_first_turn_is_no_part_of_what_is_sent_again(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("r1"), {"type": "response.completed", "response": response(call(), response_id="r1")}))
    assert ask("ask", "a").code == 5
    assert ask("again").code == 5
    assert wire.bodies()[1] == wire.bodies()[0]


def test_the_record_of_a_request_without_an_answer_can_be_damaged(ask: Command, wire: Wire) -> None:
    wire.answer(error_reply(400))
    ask("ask", "a")
    path: Path = state_path(ask)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE unanswered SET turn = '{}'")
    message_ = "cometresp: error: the record of the last request of default is damaged\n"
    assert list(ask("again")) == [73, "", message_]
