"""The stream of a plain answer, as the API documents it."""

from tests.replies.case import everywhere
from tests.scripted import text_stream

SEEN = "every server"
RUNS = everywhere(text_stream("ping ", "pong", response_id="resp_b1"), "ping pong\n")
