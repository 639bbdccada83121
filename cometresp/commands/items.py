"""`cometresp items`: the input items of a response, as the server has them (API section 1, #5)."""

import json
from typing import Annotated, Any, Literal, NamedTuple

import typer

from cometresp.errors import CometrespError, UsageError
from cometresp.options.arguments import ResponseId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime
from cometresp.text import escape_line, to_bytes
from cometresp.turns.lookup import explained, only_shows, resolve
from cometresp.wire.json import listed

Order = Literal["asc", "desc"]

_WORDS = 200

app = typer.Typer(add_completion=False)


class Listing(NamedTuple):
    id: str
    order: Order
    limit: int | None
    include: tuple[str, ...]
    as_json: bool


@app.command()
@spread
def items(
    *,
    response_id: ResponseId,
    order: Annotated[
        Order, typer.Option("--order", help="asc, as they were sent, or desc.", show_default=False)
    ] = "asc",
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", help="At most so many (default: all).", show_default=False)
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", help="More to return. Repeatable.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Whole, as one JSON array.")] = False,
    connection: ConnectionOptions,
) -> None:
    """List the input items of a response: id, role or type, and text, a line each."""
    run(Runtime(connection), Listing(response_id, order, limit, tuple(include or ()), as_json))


def run(runtime: Runtime, listing: Listing) -> None:
    if listing.limit is not None and listing.limit < 1:
        raise UsageError(f"--limit: must be at least 1, not {listing.limit}")
    response_id = resolve(listing.id, runtime)
    query = [("order", listing.order), *(("include[]", name) for name in listing.include)]
    if only_shows(runtime, "items", "GET", response_id, "/input_items", query):
        return
    runtime.check_sendable()
    found: list[Any] = []
    with runtime.client() as client:
        try:
            for page in client.pages(response_id, order=listing.order, most=listing.limit, include=listing.include):
                found += page["data"]
        except CometrespError as error:
            raise explained(runtime, error, response_id, "list the input of") from error
    found = found[: listing.limit]
    if listing.as_json:
        runtime.print_json(found)
        return
    runtime.terminal.write(to_bytes("".join(_line(item) for item in listed(found))))


def _line(item: dict[str, Any]) -> str:
    words = (item.get("id"), item.get("role") or item.get("type"), _text(item))
    return "\t".join(escape_line(str(word or ""), _WORDS) for word in words) + "\n"


def _text(item: dict[str, Any]) -> str:
    """What an item says: its text, a call's name and arguments, an output, else its fields."""
    content = item.get("content")
    if item.get("role") or item.get("type") == "message":
        return content if isinstance(content, str) else " ".join(_part(part) for part in listed(content))
    if item.get("type") == "reasoning":
        return " ".join(_part(part) for part in listed(item.get("summary")))
    rest = {name: value for name, value in item.items() if name not in ("id", "type", "status")}
    said = rest.get("output", rest.get("arguments", rest.get("input")))
    if isinstance(said, str):
        return " ".join(str(word) for word in (rest.get("name"), rest.get("call_id"), said) if word)
    return json.dumps(rest, ensure_ascii=False)


def _part(part: dict[str, Any]) -> str:
    text = part.get("text") or part.get("refusal")
    name = part.get("filename") or part.get("file_id") or ""
    return text if isinstance(text, str) else f"[{part.get('type')}{' ' if name else ''}{name}]"
