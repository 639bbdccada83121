"""Replies compressed in ways that weren't asked for, or under another name."""

import gzip
import json
import zlib

from tests.replies.case import Run, Shows
from tests.scripted import STREAM_HEAD, message, reply, response, text_stream

SEEN = "CDNs and proxies with a fixed Content-Encoding"
BODY = json.dumps(response(message("ping pong"), response_id="resp_b1")).encode()
STREAM = text_stream("ping ", "pong", response_id="resp_b1").removeprefix(STREAM_HEAD)
ZSTD = b"\x28\xb5\x2f\xfd\x04\x00" + bytes(range(128, 250))
GOOD = Shows("ping pong\n")
WHY = "compressed with {}, which was not asked for and can't be read\n"
LATER = "hint: the server is overloaded or down: try again later\n"
REPLY = "cometresp: error: not the Responses API: the reply to POST /v1/responses is a body "


def _in_chunks(body: bytes, kind: str) -> bytes:
    """A reply whose first byte comes alone."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Encoding: deflate\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:1], body[1:], b""))
    return head.encode() + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


def _run(shows: Shows, *given: bytes) -> Run:
    return Run([("ask --retries 0 hi", shows)] * len(given), given)


RUNS = {
    "x-gzip": _run(
        GOOD,
        reply(200, gzip.compress(BODY), content_encoding="x-gzip"),
        reply(200, gzip.compress(STREAM), "text/event-stream", content_encoding="X-GZip"),
    ),
    "deflate with and without its header": _run(
        GOOD,
        _in_chunks(zlib.compress(BODY), "application/json"),
        _in_chunks(zlib.compress(BODY, wbits=-15), "application/json"),
        _in_chunks(zlib.compress(STREAM, wbits=-15), "text/event-stream"),
    ),
    "x-gzip error": _run(
        Shows("", 65, "cometresp: error: HTTP 400: why\n"),
        reply(400, gzip.compress(b'{"error": "why"}'), content_encoding="x-gzip"),
    ),
    "zstd": _run(
        Shows("", 76, REPLY + WHY.format("zstd")),
        reply(200, ZSTD, content_encoding="zstd"),
        reply(200, ZSTD, "text/event-stream", content_encoding="zstd"),
    ),
    "br error": _run(
        Shows("", 76, "cometresp: error: not the Responses API: HTTP 400: a body " + WHY.format("br")),
        reply(400, ZSTD, content_encoding="br"),
    ),
    "br 503": _run(
        Shows("", 69, "cometresp: error: HTTP 503: a body " + WHY.format("br") + LATER),
        reply(503, ZSTD, content_encoding="br"),
    ),
    "broken": _run(
        Shows("", 76, "cometresp: error: not the Responses API: HTTP 400: a body whose compression (gzip) is broken\n"),
        reply(400, b'{"error": "why"}', content_encoding="gzip"),
    ),
    "only the name": _run(
        GOOD,
        reply(200, BODY, content_encoding="utf-8"),
        reply(200, STREAM, "text/event-stream", content_encoding="zstd"),
    ),
}
