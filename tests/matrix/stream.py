"""Streams that end early, contradict themselves or hold what isn't known."""

from typing import Any

from tests.matrix.fault import HALF, Fault
from tests.scripted import (
    STREAM_HEAD,
    call,
    created,
    delta,
    ended,
    frames,
    json_reply,
    message,
    numbered,
    response,
    sse,
)

WHOLE = response(message("half and whole"))
REST = json_reply(WHOLE)


def ends(status: str, *output: dict[str, Any], **more: Any) -> bytes:
    """Half of the text, then the response with this status."""
    return sse(created(), delta("half"), ended(response(*output, status=status, **more)))


def raw(data: bytes) -> bytes:
    return STREAM_HEAD + data


REFUSAL = {**message(""), "content": [{"type": "refusal", "refusal": "I won't."}]}
APPROVAL = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "roll", "arguments": "{}"}
FRAME = frames([delta(" and more")])

FAULTS = [
    Fault("the stream ends before its first event", raw(b"")),
    Fault("only a comment", raw(b": hello\n\n")),
    Fault("only [DONE]", raw(b"data: [DONE]\n\n")),
    Fault("the stream ends after its first event", sse(created())),
    Fault("the stream ends in the middle of the text", raw(HALF)),
    Fault("the stream ends in the middle of an event", raw(HALF + FRAME[:40])),
    Fault("the stream ends in the middle of a character", raw(HALF + 'data: {"x": "é'.encode()[:-1])),
    Fault(
        "the stream ends, the server has the rest", sse(*numbered(created(), delta("half"))), rest=REST, retried=True
    ),
    Fault(
        "the stream ends before its last event", sse(created(), delta("whole"), {"type": "response.output_text.done"})
    ),
    Fault("[DONE] in place of the last event", sse(created(), delta("half"), tail=b"data: [DONE]\n\n")),
    Fault(
        "an error event", sse(created(), delta("half"), {"type": "error", "code": "server_error", "message": "oops"})
    ),
    Fault("an error in a frame without a type", raw(HALF + b'data: {"error": {"message": "oops"}}\n\n')),
    Fault("an error before anything else", raw(b'event: error\ndata: {"error": {"message": "oops"}}\n\n')),
    Fault("failed", ends("failed", error={"code": "server_error", "message": "oops"})),
    Fault("failed without a reason", ends("failed", error=None)),
    Fault(
        "incomplete: max_output_tokens",
        ends("incomplete", message("half"), incomplete_details={"reason": "max_output_tokens"}),
    ),
    Fault(
        "incomplete: content_filter",
        ends("incomplete", message("half"), incomplete_details={"reason": "content_filter"}),
    ),
    Fault("incomplete without a reason", ends("incomplete", message("half"))),
    Fault("cancelled", ends("cancelled", message("half"))),
    Fault("a status that isn't known", ends("expired", message("half"))),
    Fault("a refusal", ends("completed", REFUSAL)),
    Fault("completed with nothing", sse(created(), ended(response()))),
    Fault("another text at the end", ends("completed", message("other"))),
    Fault("a longer text at the end", ends("completed", message("half and whole"))),
    Fault("a frame that isn't JSON", raw(HALF + b"data: {nope\n\n" + frames([ended(WHOLE)]))),
    Fault("a frame that isn't an object", raw(HALF + b"data: 7\n\n" + frames([ended(WHOLE)]))),
    Fault("bytes that aren't UTF-8", raw(HALF + b'data: {"x": "\xff"}\n\n' + frames([ended(WHOLE)]))),
    Fault(
        "unknown events", sse(created(), {"type": "response.new.thing", "x": 1}, delta("half and whole"), ended(WHOLE))
    ),
    Fault(
        "every event twice",
        sse(*[e for e in numbered(created(), delta("half and whole"), ended(WHOLE)) for _ in (1, 2)]),
    ),
    Fault("events of another response", sse(created(), {**delta("no"), "response_id": "resp_2"}, ended(WHOLE))),
    Fault("a last event without a blank line", raw(frames([created(), delta("half and whole"), ended(WHOLE)])[:-1])),
    Fault(
        "lines that end in CR LF, and a BOM",
        raw(b"\xef\xbb\xbf" + (HALF + frames([ended(WHOLE)])).replace(b"\n", b"\r\n")),
    ),
    Fault("deltas without a beginning", sse(delta("half and whole"), ended(WHOLE))),
    Fault("text after the end", sse(created(), ended(WHOLE), delta(" more"))),
    Fault("a call of a function that isn't known", sse(created(), ended(response(call("unheard")))), passes=True),
    Fault(
        "a call of a function whose arguments are broken",
        sse(created(), ended(response(call("unheard", arguments="{x")))),
        passes=True,
    ),
    Fault("an approval that nobody can give", sse(created(), ended(response(APPROVAL))), passes=True),
    Fault("a frame over --max-reply-size", raw(HALF + b"data: " + b"x" * 300_000), flags="--max-reply-size 100K"),
    Fault("still queued", sse(created(), ended(response(status="queued")))),
]
