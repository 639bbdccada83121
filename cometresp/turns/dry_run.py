"""`--dry-run` and `--curl`: the request, shown instead of sent."""

from typing import Any

from cometresp.config import is_loopback
from cometresp.request.content import with_stand_ins
from cometresp.request.curl import KEY, curl
from cometresp.request.secrets import masked_body
from cometresp.runtime import Runtime
from cometresp.text import escape_json, to_bytes
from cometresp.wire.headers import with_headers
from cometresp.wire.payload import Payload


def print_request(runtime: Runtime, body: dict[str, Any], *, as_curl: bool) -> None:
    terminal = runtime.terminal
    if as_curl:
        url = f"{runtime.base_url}/responses"
        command = curl(url, _headers(runtime, body), body, proxy_free=is_loopback(url))
        terminal.write(to_bytes(escape_json(command) if terminal.stdout_tty else command))
        return
    shown = masked_body(body)
    if terminal.stdout_tty:
        runtime.print_json(with_stand_ins(shown))
        return
    for piece in Payload(shown, compact=False):
        terminal.write(piece)
    terminal.write(b"\n")


def _headers(runtime: Runtime, body: dict[str, Any]) -> dict[str, str]:
    """The headers that count; the key stands there as a variable, whether or not one is set."""
    accept = "text/event-stream" if body.get("stream") else "application/json"
    headers = {"Content-Type": "application/json", "Accept": accept}
    if not runtime.connection.offline:
        headers["Authorization"] = KEY
    return with_headers(headers, runtime.given_headers)
