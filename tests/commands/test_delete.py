"""`delete`: the server's copy, and what servers say to it."""

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
