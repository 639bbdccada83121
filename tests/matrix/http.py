"""Statuses and bodies that are no answer."""

import gzip
import json

from tests.matrix.fault import Fault
from tests.scripted import Script, error_reply, json_reply, message, reply, response

PAGE = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
HTML = "text/html"
SOON = {"retry_after_ms": "1"}
WHOLE = json.dumps(response(message("whole")))


def html(status: int) -> bytes:
    return reply(status, PAGE, HTML)


def chunked(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(chunks)


def passing(status: int) -> Script:
    return error_reply(status, "try again", **SOON)


FAULTS = [
    Fault("400 bad request", error_reply(400, "bad field", "invalid_request")),
    Fault("401 wrong key", error_reply(401, "wrong key", "invalid_api_key")),
    Fault("402 no balance", error_reply(402, "no balance")),
    Fault("403 not allowed", error_reply(403, "not allowed")),
    Fault("404 unknown model", error_reply(404, "no such model", "model_not_found")),
    Fault("408 timed out", error_reply(408, "timed out", **SOON)),
    Fault("409 conflict", error_reply(409, "conflict", **SOON)),
    Fault("413 too large", error_reply(413, "too large")),
    Fault("418 another refusal", error_reply(418, "a teapot")),
    Fault("422 unprocessable", error_reply(422, "bad value")),
    Fault("429 rate limited", error_reply(429, "slow down", **SOON)),
    Fault("429 rate limited, once", passing(429), passes=True, retried=True),
    Fault("429 with a wait of ten minutes", error_reply(429, "slow down", retry_after="600"), retried=True),
    Fault("429 quota spent", error_reply(429, "no quota", "insufficient_quota")),
    Fault("500 server error", error_reply(500, "oops", **SOON)),
    Fault("500 server error, once", passing(500), passes=True, retried=True),
    Fault("500 that is a refusal", error_reply(500, "bad field", "invalid_request")),
    Fault("502 with a page of a proxy", reply(502, PAGE, HTML, **SOON)),
    Fault("503 overloaded", error_reply(503, "overloaded", **SOON)),
    Fault("503 unknown model", error_reply(503, "no channel", "model_not_found")),
    Fault("504 with nothing", reply(504, b"", "", **SOON)),
    Fault("524 with a page, once", reply(524, PAGE, HTML, **SOON), passes=True, retried=True),
    Fault("301 to another address", reply(301, b"", "", location="http://127.0.0.1:1/v1")),
    Fault("400 with a page", html(400)),
    Fault("401 with a page", html(401)),
    Fault("403 with a page", html(403)),
    Fault("404 with a page", html(404)),
    Fault("200 with a page", html(200)),
    Fault("200 with nothing", reply(200, b"", "")),
    Fault("204", reply(204, b"", "")),
    Fault("200 with plain text", reply(200, "upstream timed out", "text/plain")),
    Fault("200 with broken JSON", reply(200, WHOLE[:60] + "x")),
    Fault("200 with a list", json_reply([])),
    Fault("200 of another API", json_reply({"object": "chat.completion", "choices": [], "id": "c1"})),
    Fault("200 with an error", json_reply({"error": {"message": "no quota", "code": "server_error"}})),
    Fault("a body cut by its length", reply(200, WHOLE).replace(WHOLE.encode(), WHOLE[:60].encode())),
    Fault("a chunk without length", chunked(b"zz\r\n", WHOLE.encode())),
    Fault("a chunked body that is cut", chunked(b"ff\r\n", WHOLE[:60].encode())),
    Fault("a compression that is broken", reply(200, WHOLE, content_encoding="gzip")),
    Fault(
        "a compression that is cut", reply(200, gzip.compress(WHOLE.encode(), mtime=0)[:40], content_encoding="gzip")
    ),
    Fault("a compression that wasn't asked for", reply(200, WHOLE, content_encoding="zstd")),
    Fault("a page of 3 MB", reply(200, PAGE * 40000, HTML)),
    Fault("an error of 3 MB", error_reply(400, "no " * 1_000_000)),
    Fault("JSON deeper than Python goes", reply(200, "[" * 200_000)),
]
