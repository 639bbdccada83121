"""The data of the terminal event is the response itself, not an object that holds it."""

from tests.replies.case import data, everywhere
from tests.scripted import STREAM_HEAD, USAGE, message

SEEN = "gateways that answer a stream with one event: reports to clients of the Responses API"
RUNS = everywhere(
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
)
