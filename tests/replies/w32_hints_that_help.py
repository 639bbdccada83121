"""Responses that ended badly: the hints name what can help."""

from tests.replies.case import Run, Shows, b1, everywhere
from tests.scripted import json_reply, message, text_stream

SEEN = "vLLM, whose reason is `length`"

_LENGTH = b1(message("half"), status="incomplete", incomplete_details={"reason": "length"})
_INCOMPLETE = (
    "cometresp: error: resp_b1 is incomplete: length\n"
    "hint: --max-output-tokens sets the limit; --allow-incomplete takes what there is\n"
)
_ENDED = "cometresp: error: nothing to continue: resp_b1, which restarted default, ended as"

RUNS = {
    **everywhere(
        json_reply(_LENGTH),
        "half\n",
        3,
        _INCOMPLETE,
        extract=Shows("", 3, f"half\n{_INCOMPLETE}"),
    ),
    "after an incomplete start": Run(
        [
            ("ask a", Shows("half\n", 3, _INCOMPLETE)),
            (
                "continue b",
                Shows(
                    code=2,
                    err=f"{_ENDED} incomplete\nhint: cometresp continue --from resp_b1 continues it all the same\n",
                ),
            ),
            ("continue --from resp_b1 b", Shows("2\n")),
        ],
        [json_reply(_LENGTH), text_stream("2", response_id="resp_b2")],
    ),
    "after a failed start": Run(
        [
            ("ask a", Shows("1\n")),
            ("ask b", Shows(code=1, err="cometresp: error: resp_b1 failed: no\n")),
            (
                "continue c",
                Shows(
                    code=2,
                    err=f"{_ENDED} failed\nhint: cometresp continue --from resp_b0 goes back\n",
                ),
            ),
        ],
        [text_stream("1", response_id="resp_b0"), json_reply(b1(status="failed", error={"message": "no"}, usage=None))],
    ),
}
