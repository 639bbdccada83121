"""One request and its reply as plain values."""

from collections.abc import Iterable
from typing import Literal

from cometresp.tuples import NamedTuple

# How a reply ended, where it wasn't complete: the server cut it, or the client closed the connection first.
Ended = Literal["", "cut", "client"]
ENDS: tuple[Ended, ...] = ("", "cut", "client")

EVENT_STREAM = "text/event-stream"
_STREAM_STARTS = (b"event:", b"data:", b"id:", b":")


class Request(NamedTuple):
    """What a client sent. `query` is as it stands in the URL, `headers` are without those of the connection."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Piece(NamedTuple):
    """Bytes of a reply, and how many seconds after the request they came."""

    at: float
    data: bytes


class Reply(NamedTuple):
    """What the server answered. `seconds` passed before its head came, `pieces` are its body.

    `length` is the Content-Length of a body that was cut.
    """

    status: int
    headers: dict[str, str]
    seconds: float
    pieces: tuple[Piece, ...]
    ended: Ended = ""
    length: int | None = None

    @property
    def body(self) -> bytes:
        return b"".join(piece.data for piece in self.pieces)


class Exchange(NamedTuple):
    """`at` is the time of the request, as in `2026-05-17T09:30:00Z`, `upstream` the base URL as it may be shown."""

    request: Request
    reply: Reply
    at: str = ""
    upstream: str = ""


def is_stream(headers: dict[str, str], body: bytes) -> bool:
    """Whether a body is server-sent events: by its type, and where that says nothing by how it begins."""
    kind = header(headers, "content-type").partition(";")[0].strip().lower()
    if kind == EVENT_STREAM:
        return True
    return "json" not in kind and "html" not in kind and body.startswith(_STREAM_STARTS)


def header(headers: dict[str, str], name: str) -> str:
    """The value of a header, whatever the case of its name; "" where there is none."""
    return next((value for given, value in headers.items() if given.lower() == name), "")


def without(headers: Iterable[tuple[str, str]], names: Iterable[str]) -> dict[str, str]:
    """The headers but for these, whose names are in lower case; several of the same name are joined."""
    left: dict[str, str] = {}
    unwanted = frozenset(names)
    for name, value in headers:
        if name.lower() not in unwanted:
            left[name] = f"{left[name]}, {value}" if name in left else value
    return left


def path_and_query(target: str) -> tuple[str, str]:
    """The path and the query of the target of a request, which may be a whole URL."""
    if not target.startswith("/"):
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("#")[0].partition("?")
    return path, query


# Headers of one connection, not of the message (RFC 9110, 7.6.1), and those that each connection has for itself.
_OF_CONNECTION = (
    "connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade"
    " host content-length expect accept-encoding date server"
)
OF_CONNECTION = frozenset(_OF_CONNECTION.split())
