"""A whole response as JSON over many lines, behind a byte order mark, though the type says it is a stream."""

import json

from tests.replies.case import everywhere
from tests.scripted import message, reply, response

SEEN = "gateways that answer a streamed request from a cache"
BODY = "\ufeff" + json.dumps(response(message("ping pong"), response_id="resp_b1"), indent=2)
RUNS = everywhere(reply(200, BODY, "text/event-stream; charset=utf-8"), "ping pong\n")
