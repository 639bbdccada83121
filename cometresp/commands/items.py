"""`cometresp items`: the input of a response, or a conversation, as the server has it (API 1, #5, #10)."""

import json
from typing import Annotated, Any, Literal

import typer

from cometresp.errors import UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import Include, StoredId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from cometresp.text import escape_line, to_bytes
from cometresp.tuples import NamedTuple
from cometresp.turns.dry_run import shown_only
from cometresp.turns.lookup import client_for, resolve
from cometresp.wire import endpoints
from cometresp.wire.endpoints import PAGE, is_conversation
from cometresp.wire.items import content_texts
from cometresp.wire.json import Json, listed

Order = Literal["asc", "desc"]
_SHOWN = 200  # characters of each column

app = typer.Typer(add_completion=False)


class Listing(NamedTuple):
    id: str
    order: Order
    limit: int | None
    include: tuple[str, ...]
    as_json: bool


@app.command(cls=Command, short_help="List the input items of a response or a conversation.")
@spread
def items(
    *,
    stored_id: StoredId,
    order: Annotated[
        Order, typer.Option("--order", help="Order of the items: asc (as they were sent) or desc.", show_default=False)
    ] = "asc",
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="Number of items to list, at most [default: all].", show_default=False),
    ] = None,
    include: Include = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the items whole, as one JSON array.")] = False,
    connection: ConnectionOptions,
) -> None:
    """List the input items of a response, or those of a conversation: id, role or type, and text, a line each."""
    run(Listing(stored_id, order, limit, tuple(include or ()), as_json), Runtime(connection))


@telling
def run(options: Listing, runtime: Runtime) -> None:
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit: must be at least 1, not {options.limit}")
    stored_id = resolve(options.id, runtime, conversations=True)
    first = min(options.limit or PAGE, PAGE)
    if shown_only(runtime, endpoints.items(stored_id, order=options.order, limit=first, include=options.include)):
        return
    found: list[Any] = []
    verb = "list the items of" if is_conversation(stored_id) else "list the input of"
    with client_for(runtime, stored_id, verb) as client:
        for page in client.pages(stored_id, order=options.order, most=options.limit, include=options.include):
            found += page["data"]
    found = found[: options.limit]
    if options.as_json:
        runtime.terminal.print_json(found)
        return
    runtime.terminal.write(to_bytes("".join(_line(item) for item in listed(found))))


def _line(item: Json) -> str:
    words = (item.get("id"), item.get("role") or item.get("type"), _text(item))
    return "\t".join(escape_line(str(word or ""), _SHOWN) for word in words) + "\n"


def _text(item: Json) -> str:
    """An item in words: its text, a call's name and arguments, an output, else its fields."""
    if item.get("role") or item.get("type") == "message":
        return " ".join(content_texts(item.get("content")))
    if item.get("type") == "reasoning":
        return " ".join(content_texts(item.get("summary") or []))
    rest = {name: value for name, value in item.items() if name not in ("id", "type", "status")}
    shown = rest.get("output", rest.get("arguments", rest.get("input")))
    if isinstance(shown, str):
        return " ".join(str(word) for word in (rest.get("name"), rest.get("call_id"), shown) if word)
    return json.dumps(rest, ensure_ascii=False)
