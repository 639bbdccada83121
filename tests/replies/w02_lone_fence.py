"""The text ends in a fence that is opened only, so there is no code in it."""

from tests.replies.case import Shows, everywhere, once
from tests.scripted import text_stream

SEEN = "models that were stopped by a stop word; llama.cpp"

_NO_CODE = "cometresp: error: resp_b1 has no fenced code block to extract\nhint: its text is above\n"
_LAST = text_stream("```\nls\n```\n```", response_id="resp_b1")

RUNS = {
    **everywhere(
        text_stream("Some words.\n```", response_id="resp_b1"),
        "Some words.\n```\n",
        extract=Shows("", 8, f"Some words.\n```\n{_NO_CODE}"),
    ),
    "an empty block": once(
        text_stream("```\n```\n", response_id="resp_b1"), "", 8, f"```\n```\n{_NO_CODE}", line="ask -x hi"
    ),
    "after a good one": once(_LAST, "ls\n", line="ask --extract-last hi"),
}
