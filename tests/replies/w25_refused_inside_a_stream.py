"""`previous_response_id` is refused by a `detail`, or inside a stream that was accepted with 200."""

from typing import Any

from tests.replies.case import FUNCTIONS, Run, Shows, b1, data
from tests.scripted import STREAM_HEAD, call, json_reply, text_stream

SEEN = "OGX; LiteLLM before OGX"

_WARNING = "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n"
_ONE = text_stream("1", response_id="resp_b1")
_TWO = text_stream("2", response_id="resp_b2")
_CALL = call("note", "call_1", '{"line":"a"}')


def _failed(**error: Any) -> dict[str, Any]:
    return {"type": "response.failed", "response": b1(status="failed", usage=None, error=error)}


def _stream(*events: dict[str, Any]) -> bytes:
    return STREAM_HEAD + data(*events)


_REFUSALS = {
    "detail": json_reply({"detail": "Response 'resp_b1' not found. It may have expired."}, 404),
    "an error event": _stream({"type": "error", "code": "404", "message": "not found", "param": None}),
    "a nested error event": _stream({"type": "error", "error": {"code": 404, "message": "not found"}}),
    "a failed response after it was created": _stream(
        {"type": "response.created", "response": b1(status="in_progress", usage=None)},
        _failed(code="not_found_error", message="no"),
    ),
    "a failed response": _stream(_failed(code="not_found_error", message="no")),
    "a failed response in its words": _stream(_failed(code="server_error", message="Response resp_b1 not found")),
}

RUNS = {
    **{
        f"continue: {name}": Run(
            [("ask a", Shows("1\n")), ("continue b", Shows("2\n", err=_WARNING))], [_ONE, reply, _TWO], requests=3
        )
        for name, reply in _REFUSALS.items()
    },
    **{
        f"in a run: {name}": Run(
            [(f"ask {FUNCTIONS} hi", Shows("2\n", err=_WARNING))],
            [json_reply(b1(_CALL)), reply, _TWO],
            notes="a\n",
            requests=3,
        )
        for name, reply in _REFUSALS.items()
    },
    "a failure of another kind": Run(
        [
            ("ask a", Shows("1\n")),
            ("continue b", Shows(code=1, err="cometresp: error: resp_b1 failed (server_error): broken\n")),
        ],
        [_ONE, _stream(_failed(code="server_error", message="broken"))],
        requests=2,
    ),
}
