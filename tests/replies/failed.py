"""A response that failed after some text."""

from tests.replies.case import Shows, b1, everywhere
from tests.scripted import created, delta, ended, message, sse

SEEN = "every server"

_ERROR = "cometresp: error: resp_b1 failed (server_error): it broke\n"
_WHOLE = b1(message("half"), status="failed", error={"code": "server_error", "message": "it broke"}, usage=None)

RUNS = everywhere(
    sse(created("resp_b1"), delta("half"), ended(_WHOLE)), "half\n", 1, _ERROR, extract=Shows("", 1, f"half\n{_ERROR}")
)
