"""The data of the terminal event is the response itself, not an object that holds it."""

from tests.replies.case import data, everywhere, once
from tests.scripted import STREAM_HEAD, USAGE, message

SEEN = "gateways that answer a stream with one event: reports to clients of the Responses API"
_BARE = {"type": "response.completed", "id": "resp_b1", "output": [message("ping pong")], "usage": USAGE}
_FAILED = {"type": "response.failed", "id": "resp_b1", "status": "failed", "message": "boom"}

RUNS = {
    **everywhere(
        STREAM_HEAD
        + data(
            {
                "type": "response.completed",
                "id": "resp_b1",
                "object": "response",
                "status": "completed",
                "output": [message("ping pong")],
                "usage": USAGE,
            }
        ),
        "ping pong\n",
    ),
    "without status and object": once(STREAM_HEAD + data(_BARE), "ping pong\n"),
    "failed": once(STREAM_HEAD + data(_FAILED), "", 1, "cometresp: error: resp_b1 failed: boom\n"),
}
