"""A stream whose content type is that of something else, or missing."""

from tests.replies.case import Run, Shows
from tests.scripted import STREAM_HEAD, reply, text_stream

SEEN = "reverse proxies and serverless platforms that set a type of their own"
BODY = text_stream("ping ", "pong", response_id="resp_b1").removeprefix(STREAM_HEAD)
STEPS = [(line, Shows("ping pong\n")) for line in ("ask hi", "stream hi", "get resp_b1")]
UNNAMED = b"\n".join(line for line in BODY.split(b"\n") if not line.startswith(b"event:"))
STARTS = {"comment": b": open\n\n", "id": b"id: 1\n", "retry": b"\n\nretry: 100\n\n", "mark": b"\xef\xbb\xbf"}
TYPES = ("text/plain", "application/json", "application/octet-stream", "text/html", "")
RUNS = {kind or "no type": Run(STEPS, [reply(200, BODY, kind)]) for kind in TYPES} | {
    name: Run(STEPS, [reply(200, start + UNNAMED, "text/plain")]) for name, start in STARTS.items()
}
