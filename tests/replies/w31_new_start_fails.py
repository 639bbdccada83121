"""`ask` is refused before it has an id: the chain isn't continued from what came before."""

from tests.replies.case import Run, Shows
from tests.scripted import error_reply, text_stream

SEEN = "any server"

_ONE = text_stream("1", response_id="resp_b1")
_TWO = text_stream("2", response_id="resp_b2")
_BACK = "cometresp continue --from resp_b1"
_NOTHING = "cometresp: error: nothing to continue: default was restarted by a request that failed\n"

LATER = "the server is overloaded or down: try again later; "


def _refused(reply: bytes, code: int, first: str, hint: str = "") -> Run:
    return Run(
        [
            ("ask a", Shows("1\n")),
            ("ask --retries 0 b", Shows(code=code, err=f"{first}\nhint: {hint}to go back: {_BACK}\n")),
            ("continue c", Shows(code=2, err=f"{_NOTHING}hint: {_BACK} goes back\n")),
            ("continue --from resp_b1 d", Shows("2\n")),
            ("chains head", Shows("resp_b2\n")),
        ],
        [_ONE, reply, _TWO],
        requests=3,
    )


RUNS = {
    "no such path": _refused(error_reply(404, "gone"), 65, "cometresp: error: HTTP 404: gone"),
    "refused key": _refused(
        error_reply(401, "who"), 77, "cometresp: error: HTTP 401: who", "check the key in COMETAPI_KEY; "
    ),
    "unavailable": _refused(error_reply(503, "down"), 69, "cometresp: error: HTTP 503: down", LATER),
    "the next start": Run(
        [("ask a", Shows("1\n")), ("ask b", Shows(code=65, err=lambda err: _BACK in err)), ("ask c", Shows("2\n"))],
        [_ONE, error_reply(400, "no"), _TWO],
    ),
    "what wasn't sent": Run(
        [
            ("ask a", Shows("1\n")),
            ("ask --temperature 9 b", Shows(code=2, err=lambda err: "temperature" in err)),
            ("continue c", Shows("2\n")),
        ],
        [_ONE, _TWO],
        requests=2,
    ),
}
