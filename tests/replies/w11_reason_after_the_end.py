"""A failed response without a reason; the error event that follows has it."""

from tests.replies.case import b1, everywhere, once
from tests.scripted import created, ended, sse

SEEN = "Azure: a content filter in mid-stream"

_FAILED = ended(b1(status="failed", error=None, usage=None))
_REASON = {"code": "content_policy_violation", "message": "The prompt was flagged."}
_SHOWN = "cometresp: error: resp_b1 failed (content_policy_violation): The prompt was flagged.\n"

RUNS = {
    **everywhere(
        sse(created("resp_b1"), _FAILED, {"type": "error", "error": _REASON}),
        "",
        1,
        _SHOWN,
    ),
    "in a second failed event": once(
        sse(created("resp_b1"), _FAILED, ended(b1(status="failed", error=_REASON, usage=None))), "", 1, _SHOWN
    ),
    "flat": once(sse(created("resp_b1"), _FAILED, {"type": "error", **_REASON}), "", 1, _SHOWN),
    "none": once(sse(created("resp_b1"), _FAILED), "", 1, "cometresp: error: resp_b1 failed: no reason given\n"),
}
