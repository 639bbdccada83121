"""Encrypted reasoning that a server can't read, or that it misses."""

from tests.replies.case import FUNCTIONS, Run, Shows, b1
from tests.scripted import call, error_reply, json_reply, message, sse, text_stream

SEEN = "OpenAI with keys of several organizations; Azure; gateways with several accounts"

_THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
_UNREADABLE = "The encrypted content gAAA could not be verified."
_WARNING = (
    "cometresp: warning: the server can't read the encrypted reasoning of the earlier turns:"
    " the turn was sent without it\n"
)
_REQUIRED = "Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'."
_CALL = call("note", "call_1", '{"line":"a"}')
_ASKED, _ASKED_B = {"role": "user", "content": "a"}, {"role": "user", "content": "b"}

RUNS = {
    "not readable": Run(
        [("ask --no-store a", Shows("1\n")), ("continue b", Shows("2\n", err=_WARNING))],
        [
            json_reply(b1(_THOUGHT, message("1"))),
            error_reply(400, _UNREADABLE, "invalid_encrypted_content"),
            text_stream("2", response_id="resp_b2"),
        ],
        sent=[
            {"model": "m", "input": "a", "store": False, "stream": True},
            {"model": "m", "input": [_ASKED, _THOUGHT, message("1"), _ASKED_B], "store": False, "stream": True},
            {"model": "m", "input": [_ASKED, message("1"), _ASKED_B], "store": False, "stream": True},
        ],
    ),
    "not readable, in a stream": Run(
        [("ask --no-store a", Shows("1\n")), ("continue b", Shows("2\n", err=_WARNING))],
        [
            json_reply(b1(_THOUGHT, message("1"))),
            sse({"type": "error", "code": "invalid_encrypted_content", "message": _UNREADABLE}),
            text_stream("2", response_id="resp_b2"),
        ],
        requests=3,
    ),
    "not readable, and refused without": Run(
        [
            ("ask --no-store a", Shows("1\n")),
            (
                "continue b",
                Shows(code=65, err=f"cometresp: error: HTTP 400 invalid_encrypted_content: {_UNREADABLE}\n"),
            ),
        ],
        [
            json_reply(b1(_THOUGHT, message("1"))),
            error_reply(400, _UNREADABLE, "invalid_encrypted_content"),
            error_reply(400, "no"),
        ],
        requests=3,
    ),
    "missing": Run(
        [
            (
                f"ask --no-store {FUNCTIONS} a",
                Shows(code=65, err=lambda err: "--include reasoning.encrypted_content" in err),
            )
        ],
        [json_reply(b1(_CALL)), error_reply(400, _REQUIRED)],
        notes="a\n",
    ),
}
