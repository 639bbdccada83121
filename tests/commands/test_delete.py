"""`delete`: the server's copy of a response or a conversation, and what servers say to it."""

import json

import pytest

from tests.conftest import Command
from tests.one_response import AT_ONCE
from tests.scripted import Script, Wire, error_reply, json_reply, reply


def test_delete_takes_the_servers_copy_alone(run: Command) -> None:
    run("ask", "--offline", "a")
    assert json.loads(run("delete", "--offline", "last", "--json").out)["deleted"] is True
    assert run("delete", "--offline", "last").code == 65
    assert "> a" in run("log", "--offline", run("chains", "head", "--offline").text.strip()).text
    assert run("continue", "--offline", "b").code == 0  # replayed from the record


@pytest.mark.parametrize(
    ("scripts", "code"),
    [
        ([reply(200, "", "")], 0),
        ([reply(204, "", "")], 0),
        ([json_reply({"id": "r1", "deleted": False})], 65),
        ([json_reply({"error": {"message": "no"}})], 65),
        ([json_reply(["r1"])], 76),
        ([b"", error_reply(404, "no such response")], 0),  # the first try did it
        ([b"", error_reply(404, "Invalid URL (DELETE /v1/responses/r1)")], 65),
        ([error_reply(503, **AT_ONCE), error_reply(404, "no such response")], 65),
        ([error_reply(503, **AT_ONCE), json_reply({"id": "r1", "deleted": True})], 0),
    ],
)
def test_what_a_server_says_to_a_delete_decides(ask: Command, wire: Wire, scripts: list[Script], code: int) -> None:
    wire.answer(*scripts)
    assert (ask("delete", "r1").code, len(wire.requests)) == (code, len(scripts))


def test_delete_takes_a_conversation_by_its_prefix(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"id": "conv_1", "object": "conversation.deleted", "deleted": True}), reply(204, "", ""))
    assert list(ask("delete", "conv_1")) == [0, "", ""]
    assert (wire.requests[0].method, wire.requests[0].path) == ("DELETE", "/v1/conversations/conv_1")
    assert json.loads(ask("delete", "conv_1", "--json").out) == {
        "id": "conv_1",
        "object": "conversation.deleted",
        "deleted": True,
    }


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (
            error_reply(404, "no conversation"),
            65,
            "HTTP 404: no conversation\n"
            "hint: the server doesn't know conv_1, or doesn't offer to delete conversations at all\n",
        ),
        (
            error_reply(404, "Invalid URL (DELETE /v1/conversations/conv_1)"),
            65,
            "the server doesn't offer to delete conversations: HTTP 404: Invalid URL (DELETE /v1/conversations/conv_1)"
            "\n",
        ),
        (
            reply(404, "<p>nothing</p>", "text/html"),
            76,
            "the server doesn't offer to delete conversations: HTTP 404: nothing, with a body that is not JSON\n"
            "hint: is the base URL right? it usually ends in /v1\n",
        ),
    ],
)
def test_a_conversation_that_is_not_there_is_told_from_a_path_that_is_not(
    ask: Command, wire: Wire, script: bytes, code: int, said: str
) -> None:
    wire.answer(script)
    assert list(ask("delete", "conv_1")) == [code, "", f"cometresp: error: {said}"]


def test_a_later_try_to_delete_a_conversation_does_not_take_a_missing_path_for_a_success(
    ask: Command, wire: Wire
) -> None:
    wire.answer(b"", error_reply(404, "Invalid URL (DELETE /v1/conversations/conv_1)"))
    assert ask("delete", "conv_1").code == 65
