"""`--dry-run` and `--curl`: the request, shown instead of sent."""

from typing import Any

from cometresp import masking
from cometresp.chain import stand_in
from cometresp.commands.runtime import Runtime, with_headers
from cometresp.config import is_loopback
from cometresp.terminal import escape_json, to_bytes


def print_request(runtime: Runtime, body: dict[str, Any], *, as_curl: bool) -> None:
    terminal = runtime.terminal
    if as_curl:
        url = f"{runtime.base_url}/responses"
        command = masking.curl(url, _headers(runtime, body), body, proxy_free=is_loopback(url))
        terminal.write(to_bytes(escape_json(command) if terminal.stdout_tty else command))
        return
    shown = masking.masked_body(body)
    runtime.print_json(_without_data(shown) if terminal.stdout_tty else shown)


def _headers(runtime: Runtime, body: dict[str, Any]) -> dict[str, str]:
    """The headers that count; the key stands there as a variable, whether or not one is set."""
    accept = "text/event-stream" if body.get("stream") else "application/json"
    headers = {"Content-Type": "application/json", "Accept": accept}
    if not runtime.connection.offline:
        headers["Authorization"] = masking.KEY
    return with_headers(headers, runtime.given_headers)


def _without_data(value: Any) -> Any:
    """A body for a person: the bytes of files as size and digest."""
    if isinstance(value, dict):
        return {key: _without_data(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_data(entry) for entry in value]
    return stand_in(value) if isinstance(value, str) and value.startswith("data:") and ";base64," in value else value
