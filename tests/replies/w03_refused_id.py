"""The server doesn't know or take `previous_response_id`, and says so in words of its own."""

from typing import Any

from tests.replies.case import FUNCTIONS, Run, Shows, b1
from tests.scripted import call, error_reply, json_reply, message, text_stream

SEEN = "vLLM, llama.cpp, new-api; reports of dead chains to several clients"

_WARNING = "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n"
_ONE = text_stream("1", response_id="resp_b1")
_TWO = text_stream("2", response_id="resp_b2")
_CALL = call("note", "call_1", '{"line":"a"}')
_OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "noted\n"}
_TOOL = {
    "type": "function",
    "name": "note",
    "description": "Append a line to the file notes.",
    "parameters": {
        "type": "object",
        "required": ["line"],
        "properties": {"line": {"type": "string"}},
        "additionalProperties": False,
    },
    "strict": True,
}
_ASKED = {"role": "user", "content": "a"}
_SENT = [
    {"model": "m", "input": "a", "stream": True},
    {"model": "m", "input": "b", "previous_response_id": "resp_b1", "stream": True},
    {"model": "m", "input": [_ASKED, message("1"), {"role": "user", "content": "b"}], "stream": True},
]
_STEPS = [("ask a", Shows("1\n")), ("continue b", Shows("2\n", err=_WARNING))]


def _error(status: int, **error: Any) -> bytes:
    return json_reply({"error": error}, status)


_NOT_FOUND = "Response with id 'resp_b1' not found."
_REFUSALS = {
    "vllm": _error(404, message=_NOT_FOUND, type="invalid_request_error", param="response_id", code=404),
    "no response found": _error(404, message="No response found with ID resp_b1", type="NotFoundError", code=None),
    "text": json_reply({"code": "NOT_FOUND", "error": "Response with id=resp_b1 not found."}, 404),
    "502": _error(502, message="Unsupported parameter: previous_response_id", type="upstream_error", code=None),
    "500": _error(500, message="unknown field previous_response_id", type="server_error", code=None),
    "words that say nothing": _error(400, message="Bad request", type="invalid_request_error", code=None),
    "422": json_reply({"detail": [{"loc": ["body", "previous_response_id"], "msg": "Extra inputs"}]}, 422),
}
_OTHER = {
    "the model": _error(404, message="no such model", type="invalid_request_error", code="model_not_found"),
    "a tool": _error(400, message="bad", type="invalid_request_error", param="tools[0].name", code=None),
    "the context": _error(400, message="too long", code="context_length_exceeded"),
}

RUNS = {
    **{f"refused: {name}": Run(_STEPS, [_ONE, reply, _TWO], sent=_SENT) for name, reply in _REFUSALS.items()},
    **{
        f"in a run: {name}": Run(
            [(f"ask {FUNCTIONS} hi", Shows("2\n", err=_WARNING))],
            [json_reply(b1(_CALL)), reply, _TWO],
            notes="a\n",
            requests=3,
        )
        for name, reply in _REFUSALS.items()
    },
    **{
        f"not about the id: {name}": Run(
            [_STEPS[0], ("continue b", Shows(code=65, err=lambda err: "warning" not in err))],
            [_ONE, reply],
            requests=2,
        )
        for name, reply in _OTHER.items()
    },
    "the replay is refused too": Run(
        [_STEPS[0], ("continue b", Shows(code=65, err="cometresp: error: HTTP 404: first\n"))],
        [_ONE, error_reply(404, "first"), error_reply(400, "second")],
        requests=3,
    ),
    "in a run that continues a chain": Run(
        [("ask a", Shows("1\n")), (f"continue {FUNCTIONS} b", Shows("2\n", err=_WARNING))],
        [
            _ONE,
            json_reply({**b1(_CALL), "id": "resp_b2"}),
            error_reply(404, "gone"),
            text_stream("2", response_id="r3"),
        ],
        sent=[
            _SENT[0],
            {**_SENT[1], "tools": [_TOOL]},
            {"model": "m", "input": [_OUTPUT], "previous_response_id": "resp_b2", "tools": [_TOOL], "stream": True},
            {
                "model": "m",
                "input": [_ASKED, message("1"), {"role": "user", "content": "b"}, _CALL, _OUTPUT],
                "tools": [_TOOL],
                "stream": True,
            },
        ],
        notes="a\n",
    ),
    "remembered for the next run": Run(
        [
            (f"ask {FUNCTIONS} hi", Shows("2\n", err=_WARNING)),
            (f"ask --chain other {FUNCTIONS} hi", Shows("2\n")),
        ],
        [json_reply(b1(_CALL)), error_reply(404, "gone"), _TWO, json_reply(b1(_CALL)), _TWO],
        requests=5,
    ),
    "remembered for the next turn": Run(
        [*_STEPS, ("continue c", Shows("2\n"))],
        [_ONE, error_reply(404, "gone"), _TWO],
        requests=4,
    ),
}
