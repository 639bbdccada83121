"""409 to a request that isn't for a new response: sending it again can't help, so it isn't (65)."""

from tests.replies.case import Run, Shows
from tests.scripted import error_reply

SEEN = "OpenAI (cancel of a response that has ended)"
CONFLICT = error_reply(409, "it has ended", retry_after_ms="1")
REFUSED = Shows("", 65, "cometresp: error: HTTP 409: it has ended\n")
RUNS = {
    **{
        verb: Run([(f"{verb} resp_b1", REFUSED)], [CONFLICT], requests=1)
        for verb in ("cancel", "delete", "get", "items", "get --wait")
    },
    "ask": Run([("ask hi", Shows("", 69, "cometresp: error: HTTP 409: it has ended\n"))], [CONFLICT], requests=3),
}
