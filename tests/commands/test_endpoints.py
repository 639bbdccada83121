"""What the commands about stored responses and conversations have in common: servers that don't offer them."""

import json

import pytest

from tests.conftest import Command
from tests.one_response import queued
from tests.scripted import Wire, error_reply, json_reply, message, reply, response, text_stream

PAGE = reply(404, "<html><h1>Not here</h1></html>", "text/html")
MOVED = reply(301, "", "text/html", location="https://elsewhere.example/")
NO_GET = [
    (error_reply(404, "Invalid URL (GET /v1/responses/r1)"), 65, "HTTP 404: Invalid URL (GET /v1/responses/r1)"),
    (error_reply(405, "not allowed"), 65, "HTTP 405: not allowed"),
    (PAGE, 76, "HTTP 404: Not here, with a body that is not JSON"),
    (MOVED, 76, "HTTP 301, to https://elsewhere.example/"),
    (reply(200, "<html>", "text/html"), 76, "the reply to"),
]


@pytest.mark.parametrize(("script", "code", "said"), NO_GET)
@pytest.mark.parametrize("words", [("get",), ("get", "--wait"), ("get", "--stream")])
def test_a_gateway_without_get_answers_from_the_record(
    ask: Command, wire: Wire, script: bytes, code: int, said: str, words: tuple[str, ...]
) -> None:
    wire.answer(text_stream("kept", response_id="r1"), script)
    ask("ask", "a")
    result = ask(*words, "r1")
    assert (result.code, result.text) == (0, "kept\n")
    warning = f"cometresp: warning: the server doesn't offer to fetch responses: {said}"
    assert result.err.startswith(warning)
    assert result.err.endswith("; this is what was recorded\n")
    assert code in (65, 76)
    assert json.loads(ask(*words, "r1", "--json").out)["output"] == [message("kept")]


@pytest.mark.parametrize(("script", "code", "said"), NO_GET)
def test_a_gateway_without_get_says_so_where_nothing_whole_is_recorded(
    ask: Command, wire: Wire, script: bytes, code: int, said: str
) -> None:
    wire.answer(queued(), script)
    assert ask("ask", "--background", "a").text == "r1\n"
    result = ask("get", "r1", "--wait")
    assert (result.code, result.text) == (code, "")
    assert result.err.startswith(f"cometresp: error: the server doesn't offer to fetch responses: {said}")
    assert result.err.endswith("\nhint: cometresp log r1 shows what is recorded of it\n")


def test_what_the_server_keeps_no_longer_is_answered_from_the_record_with_its_exit_code(
    ask: Command, wire: Wire
) -> None:
    cut = response(message("half", status="incomplete"), response_id="r1", status="incomplete")
    wire.answer(json_reply(cut), error_reply(404, "Response with id 'r1' not found."))
    ask("ask", "a")
    result = ask("get", "r1")
    assert (result.code, result.text) == (3, "half\n")
    assert result.err.splitlines()[0] == (
        "cometresp: warning: the server keeps r1 no longer, or doesn't offer to fetch responses:"
        " HTTP 404: Response with id 'r1' not found.; this is what was recorded"
    )


def test_a_recorded_answer_has_the_reason_why_it_is_incomplete(ask: Command, wire: Wire) -> None:
    details = {"reason": "max_output_tokens"}
    cut = response(message("half", status="incomplete"), response_id="r1", status="incomplete")
    wire.answer(json_reply(cut | {"incomplete_details": details}), error_reply(404, "Response with id 'r1' not found."))
    ask("ask", "a")
    result = ask("get", "r1")
    assert (result.code, result.text) == (3, "half\n")
    assert result.err.splitlines()[1] == "cometresp: error: r1 is incomplete: max_output_tokens"
    assert json.loads(ask("get", "r1", "--json").out)["incomplete_details"] == details
    assert ask("log", "r1").text.splitlines()[0] == "## r1 · m · incomplete: max_output_tokens"
    assert json.loads(ask("log", "--json").out)[0]["incomplete_reason"] == "max_output_tokens"


def test_a_background_response_that_ran_in_the_foreground_is_answered_from_the_record(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("now"), response_id="r1")), error_reply(404, "no"))
    assert ask("ask", "--background", "a").code == 0
    result = ask("get", "last")
    assert (result.code, result.text) == (0, "now\n")


@pytest.mark.parametrize(
    ("words", "deed"), [("cancel", "cancel"), ("delete", "delete"), ("items", "list the input of")]
)
@pytest.mark.parametrize(("script", "code", "said"), NO_GET)
def test_a_gateway_without_the_rest_says_so(
    ask: Command, wire: Wire, words: str, deed: str, script: bytes, code: int, said: str
) -> None:
    wire.answer(text_stream("kept", response_id="r1"), script)
    ask("ask", "a")
    result = ask(words, "r1")
    if words == "delete" and code == 76 and "200" in str(script[:12]):
        said = "the reply to DELETE"
    assert (result.code, result.text) == (code, "")
    assert result.err.startswith(f"cometresp: error: the server doesn't offer to {deed} responses: {said}")


def test_an_id_of_another_server_is_told_from_a_wrong_one(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("kept", response_id="r1"), error_reply(404, "no"))
    ask("ask", "a")
    elsewhere = {"COMETAPI_BASE_URL": wire.url.replace("/v1", "/v2")}
    assert ask("get", "r1", env=elsewhere).err.splitlines()[1] == (
        f"hint: r1 is recorded for another server: --base-url {wire.url}"
    )
    assert ask("delete", "rx").err.splitlines()[1] == (
        "hint: the server doesn't know rx, or doesn't offer to delete responses at all"
    )


@pytest.mark.parametrize("words", [("get",), ("get", "--wait"), ("cancel",), ("chains", "set", "c")])
def test_commands_about_responses_refuse_the_id_of_a_conversation(ask: Command, wire: Wire, words: list[str]) -> None:
    assert list(ask(*words, "conv_1")) == [
        2,
        "",
        "cometresp: error: ID: conv_1 is a conversation, not a response\n"
        "hint: cometresp items conv_1 lists its items\n",
    ]
    assert wire.requests == []
