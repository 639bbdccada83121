"""Events with a `detail`, `success: false` or the error of a call: the answer goes on."""

from tests.replies.case import data, everywhere
from tests.scripted import STREAM_HEAD, created, delta, ended, frames, message, response

SEEN = "gateways that add events and fields of their own"
ODD = (
    {"type": "response.note", "detail": "warming up"},
    {"type": "keepalive", "detail": "alive", "success": False},
    {"type": "response.queue.position", "message": "you are third", "code": 3},
    {"type": "response.in_progress", "success": False, "response": {"id": "resp_b1", "error": None}},
    {"type": "response.mcp_call.failed", "output_index": 1, "item_id": "mcp_1", "error": {"message": "tool is down"}},
    {"error": {"code": "", "message": ""}},
)
RUNS = everywhere(
    STREAM_HEAD
    + frames([created("resp_b1"), delta("ping ")])
    + data(*ODD)
    + b'event: response.note\ndata: {"detail": "x"}\n\n'
    + frames([delta("pong"), ended(response(message("ping pong"), response_id="resp_b1", error=None))]),
    "ping pong\n",
)
