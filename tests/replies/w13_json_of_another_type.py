"""A response, or an error, as JSON whose content type is that of something else, or missing."""

import json

from tests.replies.case import Run, Shows
from tests.scripted import message, reply, response

SEEN = "reverse proxies and serverless platforms that set a type of their own"
BODY = json.dumps(response(message("ping pong"), response_id="resp_b1"))
GOOD, BAD = Shows("ping pong\n"), Shows("", 1, "cometresp: error: the response failed: no\n")
TYPES = ("text/html", "text/plain", "application/octet-stream", "")
RUNS = {
    kind or "no type": Run(
        [("ask hi", GOOD), ("ask hi", BAD)], [reply(200, BODY, kind), reply(200, '{"error": "no"}', kind)]
    )
    for kind in TYPES
}
