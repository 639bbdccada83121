"""Reasoning in plain text, which the server wants to have back with the next turn."""

from tests.replies.case import Run, Shows, b1
from tests.scripted import error_reply, json_reply, message, text_stream

SEEN = 'DeepSeek behind several gateways: "reasoning_text … must be passed back"'

_THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "hm"}],
}
_EMPTY = {"type": "reasoning", "id": "rs_2", "summary": []}
_WARNING = "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n"

RUNS = {
    "passed back": Run(
        [("ask a", Shows("1\n")), ("continue b", Shows("2\n", err=_WARNING))],
        [
            json_reply(b1(_THOUGHT, _EMPTY, message("1"))),
            error_reply(400, "The reasoning_text in the thinking mode must be passed back to the API."),
            text_stream("2", response_id="resp_b2"),
        ],
        sent=[
            {"model": "m", "input": "a", "stream": True},
            {"model": "m", "input": "b", "previous_response_id": "resp_b1", "stream": True},
            {
                "model": "m",
                "input": [
                    {"role": "user", "content": "a"},
                    _THOUGHT,
                    message("1"),
                    {"role": "user", "content": "b"},
                ],
                "stream": True,
            },
        ],
    )
}
