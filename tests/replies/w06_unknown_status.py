"""A status that the API doesn't have: never a success."""

from tests.replies.case import Run, Shows, b1, everywhere, once
from tests.scripted import call, created, ended, json_reply, message, sse

SEEN = "gateways of assistants' APIs; reports of `expired` and `requires_action`"

_EXPIRED = "cometresp: error: resp_b1 ended as expired\n"
_OPEN = (
    'cometresp: error: waiting for the output of call_1 note {"line":"a"}\n'
    "hint: cometresp continue --tool-output call_1=…\n"
)
_CALL = call("note", "call_1", '{"line":"a"}')

RUNS = {
    **everywhere(
        json_reply(b1(status="expired")),
        "",
        1,
        _EXPIRED,
        extract=Shows("", 1, _EXPIRED),
        schema=Shows("", 1, _EXPIRED),
    ),
    "streamed": once(sse(created("resp_b1"), ended(b1(message("half"), status="expired"))), "half\n", 1, _EXPIRED),
    "of a completed event": once(
        sse(created("resp_b1"), {"type": "response.completed", "response": b1(message("half"), status="weird")}),
        "half\n",
        7,
        "cometresp: error: resp_b1 is still weird\nhint: cometresp get resp_b1 --wait\n",
    ),
    "in other letters": once(json_reply(b1(message("done"), status="Completed")), "done\n"),
    "it may go on": once(
        json_reply(b1(status="paused")),
        "",
        7,
        "cometresp: error: resp_b1 is still paused\nhint: cometresp get resp_b1 --wait\n",
        line="get resp_b1",
    ),
    "waited for": Run(
        [("get --wait resp_b1", Shows("done\n"))],
        [
            json_reply(b1(status="requires_action"), retry_after_ms="1"),
            json_reply(b1(message("done")), retry_after_ms="1"),
        ],
    ),
    "a call that requires action": once(json_reply(b1(_CALL, status="requires_action")), "", 5, _OPEN),
    "a call that requires action runs": Run(
        [("ask --functions tools.toml --approve always hi", Shows("done\n"))],
        [json_reply(b1(_CALL, status="requires_action")), json_reply(b1(message("done")))],
        notes="a\n",
    ),
}
