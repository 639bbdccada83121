"""A stream that breaks, and a server that doesn't keep the response: the first cause is the one that is told."""

import socket
import struct

from tests.replies.case import Run, Shows, b1
from tests.scripted import (
    Request,
    created,
    delta,
    ended,
    error_reply,
    json_reply,
    message,
    numbered,
    sse,
)

SEEN = "gateways that cut silent connections"

_EVENTS = (created("resp_b1"), delta("Hello "))
_GONE = error_reply(404, "not found")
_CUT = "cometresp: error: the stream ended before the answer was complete\n"
_SHOWS = "hint: cometresp get resp_b1 shows what became of it\n"


def _reset(_: Request, connection: socket.socket) -> None:
    connection.sendall(sse(*_EVENTS))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


RUNS = {
    "reset": Run(
        [("stream hi", Shows("Hello \n", 69, lambda err: "reset" in err))],
        [_reset, _GONE],
    ),
    "cut": Run([("stream hi", Shows("Hello \n", 69, _CUT + _SHOWS))], [sse(*_EVENTS), _GONE]),
    "cut and then unreachable": Run(
        [("stream --retries 1 hi", Shows("Hello \n", 69, _CUT + _SHOWS))],
        [sse(*numbered(*_EVENTS)), error_reply(503, "down", retry_after_ms="1")],
    ),
    "the rest": Run([("stream hi", Shows("Hello world\n"))], [sse(*_EVENTS), json_reply(b1(message("Hello world")))]),
    "ended": Run([("stream hi", Shows("Hello \n"))], [sse(*_EVENTS, ended(b1(message("Hello "))))]),
}
