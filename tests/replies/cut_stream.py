"""A stream that ends before the answer does, and can't be resumed."""

from tests.replies.case import Shows, everywhere
from tests.scripted import created, delta, sse

SEEN = "gateways that cut long connections"

_CUT = "cometresp: error: the stream ended before the answer was complete\n"
_HINT = "hint: cometresp get resp_b1 shows what became of it\n"

RUNS = everywhere(
    sse(created("resp_b1"), delta("half")),
    "half\n",
    69,
    _CUT + _HINT,
    extract=Shows("", 69, f"half\n{_CUT}{_HINT}"),
)
