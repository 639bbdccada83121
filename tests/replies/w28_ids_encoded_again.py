"""A server that gives each reply ids of its own, but remembers: the input tokens grow."""

from typing import Any

from tests.replies.case import Run, Shows
from tests.scripted import text_stream

SEEN = "LiteLLM"


def _reply(text: str, tokens: int, **more: Any) -> bytes:
    usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    return text_stream(text, response_id=f"resp_{text}", usage=usage, **more)


RUNS = {
    "three turns": Run(
        [("ask a", Shows("1\n")), ("continue b", Shows("2\n")), ("continue c", Shows("3\n"))],
        [_reply("1", 41), _reply("2", 60, previous_response_id="x"), _reply("3", 80, previous_response_id=None)],
    )
}
