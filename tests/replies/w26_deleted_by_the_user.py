"""The id of a response that the user deleted is refused: that says nothing about the server."""

from tests.replies.case import Run, Shows
from tests.scripted import error_reply, json_reply, text_stream

SEEN = "any server that keeps responses"

_WARNING = "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n"
_DELETED = json_reply({"id": "resp_b1", "object": "response", "deleted": True})

RUNS = {
    "the next turn sends an id again": Run(
        [
            ("ask a", Shows("1\n")),
            ("delete last", Shows()),
            ("continue b", Shows("2\n", err=_WARNING)),
            ("continue c", Shows("3\n")),
        ],
        [
            text_stream("1", response_id="resp_b1"),
            _DELETED,
            error_reply(404, "Response resp_b1 not found"),
            text_stream("2", response_id="resp_b2"),
            text_stream("3", response_id="resp_b3"),
        ],
        requests=5,
    ),
    "a turn before it was deleted": Run(
        [
            ("ask a", Shows("1\n")),
            ("continue b", Shows("2\n")),
            ("delete resp_b1", Shows()),
            ("continue c", Shows("3\n", err=_WARNING)),
            ("continue d", Shows("4\n")),
        ],
        [
            text_stream("1", response_id="resp_b1"),
            text_stream("2", response_id="resp_b2"),
            _DELETED,
            error_reply(404, "Response resp_b1 not found"),
            text_stream("3", response_id="resp_b3"),
            text_stream("4", response_id="resp_b4"),
        ],
        requests=6,
    ),
    "what was learnt is told": Run(
        [
            ("ask a", Shows("1\n")),
            ("continue --verbose b", Shows("2\n", err=lambda err: "takes no response ids" in err)),
        ],
        [
            text_stream("1", response_id="resp_b1"),
            error_reply(404, "Response resp_b1 not found"),
            text_stream("2", response_id="resp_b2"),
        ],
    ),
}
