"""Thousands of items in one answer."""

from tests.replies.case import Shows, b1, everywhere
from tests.scripted import json_reply, message

SEEN = "agents that answer in thousands of messages"

_TEXT = "".join(f"word {n}\n" for n in range(2000))

RUNS = everywhere(
    json_reply(b1(*(message(f"word {n}\n", id=f"msg_{n}") for n in range(2000)))),
    _TEXT,
    json=Shows(f"{_TEXT}\n"),
)
