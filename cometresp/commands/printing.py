"""`--dry-run` and `--curl`: the request, shown instead of sent."""

from typing import Any

from cometresp import masking
from cometresp.commands.runtime import Runtime, with_headers
from cometresp.config import is_loopback
from cometresp.content import Payload, with_stand_ins
from cometresp.terminal import escape_json, to_bytes


def print_request(runtime: Runtime, body: dict[str, Any], *, as_curl: bool) -> None:
    terminal = runtime.terminal
    if as_curl:
        url = f"{runtime.base_url}/responses"
        command = masking.curl(url, _headers(runtime, body), body, proxy_free=is_loopback(url))
        terminal.write(to_bytes(escape_json(command) if terminal.stdout_tty else command))
        return
    shown = masking.masked_body(body)
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
        headers["Authorization"] = masking.KEY
    return with_headers(headers, runtime.given_headers)
