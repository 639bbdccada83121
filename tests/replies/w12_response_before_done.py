"""A whole response as bare JSON, then the `[DONE]` of a stream."""

import json

from tests.replies.case import everywhere
from tests.scripted import message, reply, response

SEEN = "gateways that answer a streamed request from a cache"
BODY = json.dumps(response(message("ping pong " * 900), response_id="resp_b1")) + "\n\ndata: [DONE]\n\n"
RUNS = everywhere(reply(200, BODY, "text/event-stream"), "ping pong " * 900 + "\n")
