"""A server that takes a response id and forgets: it counts fewer input tokens than before."""

from typing import Any

from tests.replies.case import Run, Shows
from tests.scripted import text_stream

SEEN = "new-api, aimock, LiteLLM without a database and other gateways that drop previous_response_id"

_COUNTED = (
    "cometresp: warning: the server may have answered without the earlier turns: it counts 35 input tokens, 41 before;"
    " cometresp continue --replay … sends them\n"
)
_NAMED = (
    "cometresp: warning: the server may have answered without the earlier turns: its reply doesn't name resp_b1;"
    " cometresp continue --replay … sends them\n"
)


def _counts(first: int | None, second: int | None, *, err: str = "", line: str = "continue b", **more: Any) -> Run:
    """Two turns whose replies count so many input tokens."""

    def usage(count: int | None) -> Any:
        return None if count is None else {"input_tokens": count, "output_tokens": 1, "total_tokens": count + 1}

    return Run(
        [("ask a", Shows("1\n")), (line, Shows("2\n", err=err))],
        [
            text_stream("1", response_id="resp_b1", usage=usage(first)),
            text_stream("2", response_id="resp_b2", usage=usage(second), **more),
        ],
    )


RUNS = {
    "fewer tokens": _counts(41, 35, err=_COUNTED),
    "fewer tokens and our id": _counts(41, 35, err=_COUNTED, previous_response_id="resp_b1"),
    "more tokens": _counts(41, 60),
    "as many tokens": _counts(41, 41, previous_response_id=None),
    "fewer by truncation": _counts(41, 35, line="continue --truncation auto b"),
    "fewer with other instructions": _counts(41, 35, line="continue -s brief b"),
    "no counts and our id": _counts(None, None, previous_response_id="resp_b1"),
    "no counts and another id": _counts(None, None, err=_NAMED, previous_response_id="resp_x"),
    "no counts and no id": _counts(None, None, err=_NAMED, previous_response_id=None),
    "no counts and nothing": _counts(None, None, err=_NAMED),
}
