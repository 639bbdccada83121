"""An error object as bare JSON, though status and type are those of a stream."""

import json

from tests.replies.case import everywhere
from tests.scripted import reply

SEEN = "vLLM and gateways in front of it"
ERROR = {"error": {"message": "no capacity", "type": "server_error", "param": None, "code": "overloaded"}}
RUNS = everywhere(
    reply(200, json.dumps(ERROR, indent=2), "text/event-stream"),
    code=1,
    err="cometresp: error: the response failed (overloaded): no capacity\n",
)
