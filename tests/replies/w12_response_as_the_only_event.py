"""A whole response as the only event of a stream, without a type."""

from tests.replies.case import data, everywhere
from tests.scripted import STREAM_HEAD, message, response

SEEN = "gateways that make a stream of a whole reply"
RUNS = everywhere(STREAM_HEAD + data(response(message("ping pong"), response_id="resp_b1")), "ping pong\n")
