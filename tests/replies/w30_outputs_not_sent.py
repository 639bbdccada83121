"""The request with the outputs of functions fails: they are kept, and no function runs again."""

import socket

from tests.replies.case import FUNCTIONS, Run, Shows, b1
from tests.scripted import Request, Script, call, created, delta, error_reply, json_reply, sse, text_stream

SEEN = "any server, on a bad day"

_CALLS = (
    call("note", "call_1", '{"line":"a"}'),
    {**call("note", "call_2", '{"line":"b"}'), "id": "fc_2"},
)
_OUTPUTS = [
    {"type": "function_call_output", "call_id": "call_1", "output": "noted\n"},
    {"type": "function_call_output", "call_id": "call_2", "output": "noted\n"},
]
_DONE = text_stream("done", response_id="resp_b2")


def _hang_up(_: Request, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 ")


def _then(failure: Script, code: int, line: str = "continue", *, more: int = 0) -> Run:
    """A run whose second request fails, and the command that goes on."""
    return Run(
        [
            (f"ask --retries 0 {FUNCTIONS} hi", Shows("half\n" * more, code, lambda err: "cometresp continue" in err)),
            (line, Shows("done\n")),
        ],
        [json_reply(b1(*_CALLS)), failure, _DONE],
        notes="a\nb\n",
    )


RUNS = {
    "refused key": _then(error_reply(401), 77),
    "unavailable": _then(error_reply(503), 69),
    "limited": _then(error_reply(429), 75),
    "broken": _then(_hang_up, 69),
    "a prompt with it": _then(error_reply(401), 77, "continue more"),
    "with functions": _then(error_reply(401), 77, f"continue {FUNCTIONS}"),
    "one output by hand": _then(error_reply(401), 77, "continue --tool-output call_2=x"),
    "cut in mid-answer": Run(
        [
            (f"ask --retries 0 {FUNCTIONS} hi", Shows("half\n", 69, lambda err: "error" in err)),
            ("continue", Shows("done\n")),
        ],
        [json_reply(b1(*_CALLS)), sse(created("resp_b3"), delta("half")), _DONE],
        notes="a\nb\n",
    ),
    "failed": Run(
        [
            (f"ask {FUNCTIONS} hi", Shows("", 1, lambda err: "cometresp continue" in err)),
            ("continue", Shows("done\n")),
        ],
        [json_reply(b1(*_CALLS)), json_reply({**b1(status="failed", error={"message": "no"}), "id": "x"}), _DONE],
        notes="a\nb\n",
    ),
}
