"""`cometresp models`: the models of the server, with their context and prices (API 1, #11, #12)."""

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from cometresp.catalogue.cache import cache_folder
from cometresp.catalogue.entries import RESPONSES, Model
from cometresp.catalogue.price import Price
from cometresp.catalogue.select import ANY, Sort, Wanted, selected, speaks, why_none
from cometresp.catalogue.shown import cells, has_token_price, line
from cometresp.errors import CometrespError, KeyProblemError, UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import AsJson, InColor, Quiet, Select, complete_endpoints, complete_providers
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.runtime import Runtime, telling
from cometresp.text import escape_line, quoted, to_bytes
from cometresp.tuples import NamedTuple
from cometresp.turns.dry_run import shown_only
from cometresp.turns.listing import print_json
from cometresp.turns.lookup import is_missing, of_the_server
from cometresp.wire import endpoints
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.catalogue.fetch import Catalogue

app = typer.Typer(add_completion=False)


class Listing(NamedTuple):
    wanted: Wanted
    as_json: bool
    refresh: bool
    select: str | None = None  # a field of the JSON


class ListedPrice(TypedDict):
    """USD: per million tokens, and for each request; None is unknown."""

    input: float | None
    output: float | None
    cached_input: float | None
    per_request: float | None


class ListedModel(TypedDict):
    """A model as `--json` prints it; `entry` is the server's own object."""

    id: str
    code: str | None
    name: str
    provider: str | None
    type: str | None
    endpoints: list[str] | None
    features: list[str]
    context: int | None
    max_output: int | None
    price: ListedPrice | None
    entry: Json


# fmt: off
# One field per line, however long, as in options/tables.py.
# ruff: noqa: E501
class FilterOptions(NamedTuple):
    """Which models are listed, in which order."""

    provider: Annotated[str | None, typer.Option("--provider", help="List only models of this provider.", metavar="NAME", show_default=False, autocompletion=complete_providers)] = None
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="List only models for this endpoint; any lists all [default: responses, where endpoints are known].", metavar="NAME", show_default=False, autocompletion=complete_endpoints)] = None
    sort: Annotated[Sort | None, typer.Option("--sort", help="Sort by price, context or name [default: the server's order].", metavar="price|context|name", show_default=False, case_sensitive=False)] = None
# fmt: on


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="WORDS…", help="Only models with all these words in id, name or provider.", show_default=False
    ),
]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask the server now; otherwise the list is kept for a day.")]


@app.command(cls=Command, short_help="List the server's models, with their prices.")
@spread
def models(
    *,
    words: Words = None,
    filters: FilterOptions,
    refresh: Refresh = False,
    as_json: AsJson = False,
    select: Select = None,
    quiet: Quiet = False,
    color: InColor = "auto",
    connection: ConnectionOptions,
) -> None:
    """List the server's models: id, provider, context, and the prices of a million input and output tokens in USD."""
    given = [part for word in words or () for part in word.split()]
    wanted = Wanted(tuple(given), *filters)
    run(Listing(wanted, as_json, refresh, select), Runtime(connection, OutputOptions(quiet=quiet, color=color)))


@telling
def run(options: Listing, runtime: Runtime) -> None:
    for name in ("provider", "endpoint"):
        if (value := getattr(options.wanted, name)) is not None and not value.strip():
            raise UsageError(f"--{name}: must not be empty")
    if options.select is not None:
        from cometresp.wire.select import steps_of

        steps_of(options.select)
    if shown_only(runtime, endpoints.catalogue()):
        return
    found = _catalogue(runtime, refresh=options.refresh)
    _warn(runtime, found)
    chosen = selected(found.models, options.wanted)
    terminal = runtime.terminal
    if options.as_json or options.select is not None:
        print_json(runtime, [as_dict(model) for model in chosen], options.select)
    elif not terminal.stdout_tty:
        _print_lines(runtime, chosen)
    elif chosen:
        _print_table(runtime, chosen)
    if not chosen:
        terminal.note(why_none(found.models, options.wanted))
    _tell_source(runtime, found, len(chosen), options.wanted)


def _catalogue(runtime: Runtime, *, refresh: bool, key_required: bool = False) -> "Catalogue":
    """The models. A list that needs the key is asked for once more with that of `key_command`."""
    from cometresp.catalogue.fetch import Source, catalogue_of

    client, folder = partial(runtime.client, key_required=key_required), cache_folder(os.environ)
    try:
        with runtime.terminal.waiting("waiting for the list of models"):
            return catalogue_of(Source(runtime.url, folder, client, runtime.terminal.warn), refresh=refresh)
    except KeyProblemError as error:
        if runtime.lacks_key:
            raise runtime.no_key() from error
        if runtime.has_key_command and not key_required:
            return _catalogue(runtime, refresh=refresh, key_required=True)
        raise
    except CometrespError as error:
        if is_missing(error):
            of_the_server(error, "doesn't list its models", error.hint)
        raise


def _warn(runtime: Runtime, found: "Catalogue") -> None:
    """Warn of a list that is old, or only a part; and, when it is new, of prices that are no numbers."""
    terminal = runtime.terminal
    if found.problem:
        from cometresp.render.tables import ago

        terminal.warn(f"{found.problem}; these models were fetched {ago(found.fetched)}")
    if found.total is not None and found.total > len(found.models):
        terminal.warn(f"the server lists only {len(found.models)} of its {found.total} models")
    wrong = [model for model in found.models if model.not_a_price]
    if wrong and not found.is_cached:
        first = f"the price of {escape_line(wrong[0].id)} is not a number but {quoted(wrong[0].not_a_price)}"
        others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        terminal.warn(f"{first}{others}; it counts as unknown")


def _print_lines(runtime: Runtime, chosen: list[Model]) -> None:
    rows = ("\t".join(map(escape_line, line(model))) + "\n" for model in chosen)
    runtime.terminal.write(to_bytes("".join(rows)))


def _print_table(runtime: Runtime, chosen: list[Model]) -> None:
    """A table without the columns of which nothing is known; on a narrow window without provider and context."""
    from cometresp.render.tables import Column, table

    columns = (
        Column("MODEL", "last"),
        Column("PROVIDER", "rest", spare=2),
        Column("CONTEXT", spare=1),
        Column("IN $/M"),
        Column("OUT $/M"),
    )
    rows = [tuple(map(escape_line, row)) for row in cells(chosen)]
    kept = [n for n, column in enumerate(columns) if column.kind == "rest" or any(row[n] for row in rows)]
    shown = table([columns[n] for n in kept], [[row[n] for n in kept] for row in rows], runtime.terminal)
    runtime.terminal.write(runtime.terminal.encode(shown))


def _tell_source(runtime: Runtime, found: "Catalogue", count: int, wanted: Wanted) -> None:
    """On a terminal, how many models these are of how many, and from when."""
    if not runtime.terminal.stdout_tty or not count:
        return
    from cometresp.render.notice import print_notice
    from cometresp.render.tables import ago

    total = len(found.models)
    number = f"{count} of {total} models" if count < total else f"{total} model{'' if total == 1 else 's'}"
    hides = wanted.endpoint is None and not all(map(speaks, found.models))
    which = f" for {RESPONSES} (--endpoint {ANY}: all)" if hides else ""
    when = f" · fetched {ago(found.fetched)}" if found.is_cached else ""
    again = " (--refresh fetches it again)" if when else ""
    print_notice(runtime.terminal, f"{number}{which}{when}{again}", f"{number}{which}{when}", f"{number}{when}", number)


def as_dict(model: Model) -> ListedModel:
    return {
        "id": model.id,
        "code": model.code or None,
        "name": model.name,
        "provider": model.provider or None,
        "type": model.type or None,
        "endpoints": None if model.endpoints is None else list(model.endpoints),
        "features": list(model.features),
        "context": model.context,
        "max_output": model.max_output,
        "price": None if model.price is None else _listed(model.price),
        "entry": model.entry,
    }


def _listed(price: Price) -> ListedPrice:
    has_tokens = has_token_price(price)
    return {
        "input": price.input if has_tokens else None,
        "output": price.output if has_tokens else None,
        "cached_input": price.cached_input,
        "per_request": price.per_request or None,
    }
