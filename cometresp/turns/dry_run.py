"""`--dry-run` and `--curl`: the request that would be sent, shown in place of sending it."""

from typing import TYPE_CHECKING

from cometresp.config import is_loopback
from cometresp.request.secrets import masked_body
from cometresp.runtime import Runtime
from cometresp.text import escape_json, to_bytes
from cometresp.wire.endpoints import NEW, Request
from cometresp.wire.headers import names_key, with_headers
from cometresp.wire.payload import Payload

if TYPE_CHECKING:
    from cometresp.request.curl import Variables


def shown_only(runtime: Runtime, request: Request) -> bool:
    """Whether --dry-run or --curl asks for the request alone, which is then printed."""
    if not runtime.connection.only_shows:
        return False
    show(runtime, request)
    return True


def show(runtime: Runtime, request: Request, variables: "Variables | None" = None) -> None:
    """Print the request as --curl or --dry-run asks for it. `variables` of a command stand in its body already."""
    if request.body is not None and request.body.get("conversation") == NEW:
        runtime.terminal.warn(
            '--conversation new: none is created now; a run creates one first, and sends its id in place of "new"'
        )
    if runtime.connection.curl:
        _print_curl(runtime, request, variables)
    elif request.body is None:
        runtime.terminal.write(to_bytes(f"{request.method} {request.url(runtime.base_url)}\n"))
    else:
        _print_body(runtime, masked_body(request.body))


def _print_curl(runtime: Runtime, request: Request, variables: "Variables | None") -> None:
    """The request as a command; a key that is needed is a variable there, whether or not one is set."""
    from cometresp.request.curl import KEY, curl

    has_key = not runtime.offline and (bool(runtime.config.key) or runtime.needs_key or runtime.has_key_command)
    headers: dict[str, str | None] = {**request.headers, **({"Authorization": KEY} if has_key else {})}
    headers = with_headers(headers, runtime.given_headers)
    if request.public:
        headers = {name: value for name, value in headers.items() if not names_key(name)}
    command = curl(request, runtime.url, headers, proxy_free=is_loopback(runtime.url), variables=variables)
    terminal = runtime.terminal
    for piece in command:
        terminal.write(to_bytes(escape_json(piece.decode())) if terminal.stdout_tty else piece)


def _print_body(runtime: Runtime, body: dict[str, object]) -> None:
    """The body as JSON; files whole, but on a terminal by their size and digest."""
    terminal = runtime.terminal
    if terminal.stdout_tty:
        from cometresp.request.content import with_stand_ins

        terminal.print_json(with_stand_ins(body))
        return
    for piece in Payload(body, compact=False):
        terminal.write(piece)
    terminal.write(b"\n")
