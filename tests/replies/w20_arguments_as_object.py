"""The arguments of a call are an object, where the API has JSON text."""

from typing import Any

from tests.replies.case import FUNCTIONS, Run, Shows, b1
from tests.scripted import call, created, ended, json_reply, sse, text_stream

SEEN = "gateways before models that call tools in other formats; ollama/ollama, reports on tool calls"

_CALL: dict[str, Any] = {**call("note", "call_1"), "arguments": {"line": "ä"}}
_DONE = text_stream("done", response_id="resp_b2")
_RUN = [(f"ask {FUNCTIONS} --no-store hi", Shows("done\n"))]

RUNS = {
    "whole": Run(_RUN, [json_reply(b1(_CALL)), _DONE], notes="ä\n"),
    "streamed": Run(_RUN, [sse(created("resp_b1"), ended(b1(_CALL))), _DONE], notes="ä\n"),
    "in events": Run(
        _RUN,
        [
            sse(
                created("resp_b1"),
                {"type": "response.output_item.added", "output_index": 0, "item": {**_CALL, "arguments": ""}},
                {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": {"line": "ä"}},
                ended(b1()),
            ),
            _DONE,
        ],
        notes="ä\n",
    ),
    "without a program": Run(
        [
            (
                "ask hi",
                Shows(
                    code=5,
                    err='cometresp: error: waiting for the output of call_1 note {"line": "ä"}\n'
                    "hint: cometresp continue --tool-output call_1=…\n",
                ),
            )
        ],
        [json_reply(b1(_CALL))],
    ),
}
