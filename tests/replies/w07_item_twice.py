"""The same item twice, in the output or as events: an item is told apart by its type and id, a call by its call id."""

from tests.replies.case import FUNCTIONS, Run, Shows, added, b1, everywhere, finished, once
from tests.scripted import call, created, delta, ended, json_reply, message, sse, text_stream

SEEN = "gateways that send an item again at the end; openai/openai-python, reports of doubled text and calls"

_HELLO = message("Hello world", id="msg_1")
_CALL = call("note", "call_1", '{"line":"a"}')
_OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "noted\n"}
_DONE = text_stream("done", response_id="resp_b2")


def _twice(*replies: bytes) -> Run:
    """One call, one run of the function, one output."""
    return Run([(f"ask {FUNCTIONS} hi", Shows("done\n"))], [*replies, _DONE], notes="a\n", requests=len(replies) + 1)


RUNS = {
    **everywhere(json_reply(b1(_HELLO, _HELLO)), "Hello world\n"),
    "done twice": once(
        sse(created("resp_b1"), finished(_HELLO), finished(_HELLO), ended(b1())), "Hello world\n", line="stream hi"
    ),
    "done twice at two places": once(
        sse(created("resp_b1"), finished(_HELLO, 0), finished(_HELLO, 1), ended(b1())),
        "Hello world\n",
        line="stream hi",
    ),
    "streamed twice": once(
        sse(
            created("resp_b1"),
            added({**_HELLO, "content": []}, 0),
            {**delta("Hello world"), "item_id": "msg_1"},
            finished(_HELLO, 0),
            added({**_HELLO, "content": []}, 1),
            {**delta("Hello world", 1), "item_id": "msg_1"},
            finished(_HELLO, 1),
            ended(b1()),
        ),
        "Hello world\n",
        line="stream hi",
    ),
    "one id for two texts": once(json_reply(b1(_HELLO, message("And more.", id="msg_1"))), "Hello world\nAnd more.\n"),
    "half an item, then all of it": once(json_reply(b1(message("Hello", id="msg_1"), _HELLO)), "Hello world\n"),
    "a call twice": _twice(json_reply(b1(_CALL, _CALL))),
    "a call twice with two ids": _twice(json_reply(b1(_CALL, {**_CALL, "id": "fc_2"}))),
    "a call done twice": _twice(sse(created("resp_b1"), finished(_CALL), finished(_CALL), ended(b1()))),
    "a call done twice and at the end": _twice(
        sse(created("resp_b1"), finished(_CALL, 0), finished(_CALL, 1), ended(b1(_CALL, _CALL)))
    ),
    "a call added twice and never done": _twice(sse(created("resp_b1"), added(_CALL, 0), added(_CALL, 1), ended(b1()))),
    "a call added twice with two ids": _twice(
        sse(created("resp_b1"), added(_CALL, 0), added({**_CALL, "id": "fc_2"}, 1), ended(b1()))
    ),
    "a call done once of two": _twice(
        sse(created("resp_b1"), added({**_CALL, "arguments": ""}, 0), added(_CALL, 1), finished(_CALL, 0), ended(b1()))
    ),
    "a call with a number for an id": _twice(
        json_reply(b1({**_CALL, "call_id": 1, "id": None}, {**_CALL, "call_id": 1, "id": None}))
    ),
    "a call again without its arguments": _twice(json_reply(b1(_CALL, {**_CALL, "arguments": "{}"}))),
    "two messages at one place": once(
        sse(
            created("resp_b1"),
            added({**message("", id="msg_1"), "content": []}, 0),
            {**delta("A"), "item_id": "msg_1"},
            finished(message("A", id="msg_1"), 0),
            added({**message("", id="msg_1"), "content": []}, 0),
            {**delta("B"), "item_id": "msg_1"},
            finished(message("B", id="msg_1"), 0),
            ended(b1()),
        ),
        "A\nB\n",
        line="stream hi",
    ),
    "streamed twice and never done": once(
        sse(
            created("resp_b1"),
            added({**_HELLO, "content": []}, 0),
            {**delta("Hello world"), "item_id": "msg_1"},
            added({**_HELLO, "content": []}, 1),
            {**delta("Hello world", 1), "item_id": "msg_1"},
            ended(b1()),
        ),
        "Hello world\n",
    ),
    "a call again in the next response": _twice(json_reply(b1(_CALL)), json_reply(b1(_CALL))),
    "a call again in the next turn": Run(
        [
            (f"ask {FUNCTIONS} hi", Shows("done\n")),
            (f"continue {FUNCTIONS} more", Shows("done\n", err=lambda err: "error" not in err)),
        ],
        [json_reply(b1(_CALL)), _DONE, json_reply(b1(_CALL)), _DONE],
        notes="a\n",
    ),
    "another call with the same call id": Run(
        [(f"ask {FUNCTIONS} hi", Shows("done\n"))],
        [json_reply(b1(_CALL)), json_reply(b1({**_CALL, "arguments": '{"line":"b"}'})), _DONE],
        notes="a\n",
    ),
}
