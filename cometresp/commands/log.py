"""`cometresp log`: recorded responses, newest first; one of them whole. Offline: only the state file is read."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from cometresp.errors import Next, RecordError, UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import AsJson, InColor, NoPager, Select, StateOptions
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions, complete_chains, complete_ids
from cometresp.runtime import Runtime, telling
from cometresp.state.names import chain_name
from cometresp.state.records import Turn
from cometresp.state.transcript import passages_of, prompt_of, words_of
from cometresp.text import escape_line, to_bytes
from cometresp.tuples import NamedTuple
from cometresp.turns.cost import Prices
from cometresp.turns.listing import print_json, print_passages, shown_in, tell_empty
from cometresp.turns.lookup import find
from cometresp.wire.ids import abridged_id
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.state.state import State

_SHOWN = 60  # characters of a prompt
_SHOWN_IN_TABLE = 300  # which is cut to the window
_DEFAULT_COUNT = 20
_MOST = 1_000_000

app = typer.Typer(add_completion=False)


class Query(NamedTuple):
    id: str | None
    chain: str | None
    most: int
    words: tuple[str, ...]
    as_json: bool
    no_pager: bool = False
    select: str | None = None  # a field of the JSON

    @property
    def as_data(self) -> bool:
        return self.as_json or self.select is not None


class LoggedTurn(TypedDict):
    """A recorded turn as `--json` prints it."""

    id: str
    previous_response_id: str | None
    conversation: str | None
    chain: str
    turn: int
    base_url: str
    model: str | None
    profile: str | None
    asked_model: str | None
    status: str
    incomplete_reason: str | None
    usage: Json | None
    cost: float | None
    created: float
    ended: float | None
    request_id: str | None
    input: list[Json] | None
    output: list[Json] | None


@app.command(cls=Command, short_help="List recorded responses, or print one.")
@spread
def log(  # noqa: PLR0913 - a parameter for each flag
    response_id: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="Print this response in full.", show_default=False, autocompletion=complete_ids
        ),
    ] = None,
    *,
    chain: Annotated[
        str | None,
        typer.Option(
            "--chain", help="List only responses of this chain.", show_default=False, autocompletion=complete_chains
        ),
    ] = None,
    query: Annotated[
        str,
        typer.Option(
            "-q", "--query", help="List only responses that have all these words.", metavar="WORDS", show_default=False
        ),
    ] = "",
    count: Annotated[int, typer.Option("-n", "--count", help="Number of responses to list, at most.")] = _DEFAULT_COUNT,
    as_json: AsJson = False,
    select: Select = None,
    no_pager: NoPager = False,
    color: InColor = "auto",
    place: StateOptions,
) -> None:
    """List recorded responses, or print one with its prompt, text and items."""
    query_of = Query(response_id, chain, count, tuple(query.split()), as_json, no_pager, select)
    run(query_of, Runtime(ConnectionOptions(**place._asdict()), OutputOptions(color=color)))


@telling
def run(options: Query, runtime: Runtime) -> None:
    if not 1 <= options.most <= _MOST:
        raise UsageError(f"--count: must be between 1 and {_MOST}, not {options.most}")
    state = runtime.open_state(create=False, required=options.id is not None)
    if options.id is not None:
        if options.words:
            raise UsageError("--query looks for responses: it excludes ID")
        turn = find(state, options.id, "ID") if state else None
        if state is None or turn is None:
            raise UsageError(f"{options.id} is not recorded here", hint=(Next("log"), " lists what is"))
        _show(runtime, state, turn, options)
        return
    chain = chain_name(options.chain) if options.chain is not None else None
    damaged: list[str] = []
    turns = state.turns.newest(chain=chain, limit=options.most, skipped=damaged, words=options.words) if state else []
    for message in damaged:
        runtime.terminal.warn(message)
    if options.as_data:
        prices = Prices(runtime)
        print_json(runtime, [as_dict(turn, prices) for turn in turns], options.select)
        return
    if turns and state:
        _print_list(runtime, state, turns)
    elif not damaged and runtime.terminal.stdout_tty:
        if chain or options.words:
            runtime.terminal.note("no recorded turn matches")
        else:
            tell_empty(runtime, "no turn is recorded yet")


def _show(runtime: Runtime, state: "State", turn: Turn, options: Query) -> None:
    if options.as_data:
        print_json(runtime, as_dict(turn, Prices(runtime)), options.select, what=abridged_id(turn.id))
        return
    print_passages(runtime, passages_of(turn, shown_in(runtime, state)), use_pager=not options.no_pager)


def _print_list(runtime: Runtime, state: "State", turns: list[Turn]) -> None:
    """A table with short ids on a terminal, tab-separated lines with whole ids into a pipe."""
    terminal = runtime.terminal
    if not terminal.stdout_tty:
        terminal.write(to_bytes("".join(_line(turn, _words(state, turn, turns, _SHOWN)) for turn in turns)))
        return
    from cometresp.catalogue.price import written
    from cometresp.render.tables import Column, ago, table

    prices = Prices(runtime)
    columns = {
        "when": Column("WHEN", spare=1),
        "chain": Column("CHAIN", "cut", spare=2),
        "status": Column("STATUS", spare=4),
        "model": Column("MODEL", "cut", spare=5),
        "tokens": Column("TOKENS", spare=6),
        "cost": Column("COST", spare=3),
        "prompt": Column("PROMPT", "rest"),
        "id": Column("ID"),
    }
    rows = []
    for turn in turns:
        cost = prices.cost(turn)
        tokens = [str(turn.usage.get(name, "")) for name in ("input_tokens", "output_tokens")]
        rows.append(
            {
                "when": ago(turn.created),
                "chain": turn.chain,
                "status": turn.status,
                "model": turn.model or "",
                "tokens": f" {terminal.arrow} ".join(tokens) if any(tokens) else "",
                "cost": "" if cost is None else written(cost),
                "prompt": _words(state, turn, turns, _SHOWN_IN_TABLE),
                "id": state.turns.shown_id(turn.id),
            }
        )
    if not any(row["cost"] for row in rows):
        del columns["cost"]
    cells = [[escape_line(row[name]) for name in columns] for row in rows]
    terminal.write(terminal.encode(table(list(columns.values()), cells, terminal)))


def _words(state: "State", turn: Turn, listed: list[Turn], limit: int) -> str:
    """The first words of a turn; one without a prompt may be about a call of the turn before."""
    parent = None
    if turn.parent is not None and not prompt_of(turn):
        with suppress(RecordError):
            parent = next((other for other in listed if other.n == turn.parent), None) or state.turns.at(turn.parent)
    return words_of(turn, parent, limit=limit)


def _line(turn: Turn, words: str) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(turn.created))
    cells = (turn.id, when, turn.chain, turn.status, turn.model or "", words)
    return "\t".join(map(escape_line, cells)) + "\n"


def as_dict(turn: Turn, prices: Prices) -> LoggedTurn:
    return {
        "id": turn.id,
        "previous_response_id": turn.previous_id,
        "conversation": turn.settings.conversation,
        "chain": turn.chain,
        "turn": turn.number,
        "base_url": turn.base_url,
        "model": turn.model,
        "profile": turn.profile,
        "asked_model": turn.asked_model,
        "status": turn.status,
        "incomplete_reason": turn.reason,
        "usage": turn.usage or None,
        "cost": prices.cost(turn),
        "created": turn.created,
        "ended": turn.ended,
        "request_id": turn.request_id,
        "input": turn.input,
        "output": turn.output,
    }
