"""A plain reply where a stream was asked for."""

from tests.replies.case import b1, everywhere
from tests.scripted import json_reply, message

SEEN = "servers that don't stream"
RUNS = everywhere(json_reply(b1(message("ping pong"))), "ping pong\n")
