"""A reply to a plain request that is still queued: it is waited for, as a stream is."""

from tests.replies.case import Run, Shows, b1
from tests.scripted import ended, error_reply, json_reply, message, sse

SEEN = "gateways that queue requests while a model is loaded"

_QUEUED = b1(status="queued", usage=None)
_DONE = json_reply(b1(message("done")), retry_after_ms="1")
_PENDING = json_reply(b1(status="in_progress", usage=None), retry_after_ms="1")

RUNS = {
    "whole": Run(
        [("ask --no-stream hi", Shows("done\n"))],
        [json_reply(_QUEUED, retry_after_ms="1"), _PENDING, _DONE],
        requests=3,
    ),
    "a stream that asked for a stream": Run(
        [("ask hi", Shows("done\n"))], [json_reply(_QUEUED, retry_after_ms="1"), _PENDING, _DONE], requests=3
    ),
    "streamed": Run([("ask hi", Shows("done\n"))], [sse(ended(_QUEUED)), _PENDING, _DONE], requests=3),
    "without retries": Run(
        [("ask --retries 0 hi", Shows("done\n"))], [sse(ended(_QUEUED)), _PENDING, _DONE], requests=3
    ),
    "streamed, and can't be fetched": Run(
        [
            (
                "ask hi",
                Shows(code=7, err="cometresp: error: resp_b1 is still queued\nhint: cometresp get resp_b1 --wait\n"),
            )
        ],
        [sse(ended(_QUEUED)), error_reply(404)],
    ),
    "that can't be fetched": Run(
        [
            (
                "ask --no-stream hi",
                Shows(
                    code=7,
                    err="cometresp: error: resp_b1 is still queued\nhint: cometresp get resp_b1 --wait\n",
                ),
            )
        ],
        [json_reply(_QUEUED), error_reply(404)],
    ),
}
