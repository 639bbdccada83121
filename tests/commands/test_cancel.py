"""`cancel`: what it ends, and what the record keeps."""

import json

from tests.conftest import Command
from tests.one_response import cut_after, queued
from tests.recorded import heads, record_of
from tests.scripted import Wire, error_reply, json_reply, message, response


def test_cancel_ends_a_background_response_and_says_nothing(run: Command) -> None:
    name = run("ask", "--offline", "--background", "emulate:slow a").text.strip()
    for _ in range(2):  # a second one is harmless
        assert list(run("cancel", "--offline", "-", stdin=name.encode())) == [0, "", ""]
    assert json.loads(run("cancel", "--offline", "last", "--json").out)["status"] == "cancelled"
    assert json.loads(run("log", "--offline", name, "--json").out)["status"] == "cancelled"
    assert run("get", "--offline", name).code == 6


def test_cancel_of_a_response_that_has_ended_is_refused(ask: Command, wire: Wire) -> None:
    wire.answer(queued(), json_reply(response(message("done"), response_id="r1")), error_reply(400, "synchronous"))
    ask("ask", "--background", "a")
    assert list(ask("cancel", "r1")) == [
        65,
        "",
        "cometresp: error: r1 can't be cancelled: it is completed\nhint: cometresp get r1 fetches it\n",
    ]
    assert (record_of(ask)["status"], heads(ask)) == ("completed", {"default": "r1"})
    assert ask("cancel", "r1").code == 65
    assert [(request.method, request.path) for request in wire.requests[1:]] == [
        ("POST", "/v1/responses/r1/cancel")
    ] * 2


def test_cancel_says_what_the_server_gave_as_its_reason(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"error": {"message": "too late", "code": "ended"}}))
    assert list(ask("cancel", "r1")) == [65, "", "cometresp: error: r1 can't be cancelled: too late\n"]


def test_cancel_keeps_the_text_that_was_recorded(ask: Command, wire: Wire) -> None:
    cut_after(ask, wire, 3)
    wire.answer(json_reply(response(response_id="r1", status="cancelled")))
    before = record_of(ask)["output"]
    assert ask("cancel", "r1").code == 0
    assert (record_of(ask)["status"], record_of(ask)["output"]) == ("cancelled", before)
