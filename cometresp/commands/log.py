"""`cometresp log`: recorded responses, newest first; one of them whole. Offline: only the state file is read."""

import time
from typing import Annotated, NamedTuple, TypedDict

import typer

from cometresp.errors import Next, UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import AsJson, Offline
from cometresp.options.tables import ConnectionOptions, complete_chains, complete_ids
from cometresp.runtime import Runtime, telling
from cometresp.state.names import chain_name
from cometresp.state.records import Turn
from cometresp.state.transcript import passages_of, prompt_of
from cometresp.text import escape_line, to_bytes
from cometresp.turns.lookup import print_passages
from cometresp.wire.json import Json

_SHOWN = 60  # characters of a prompt
_DEFAULT_COUNT = 20
_MOST = 1_000_000

app = typer.Typer(add_completion=False)


class Query(NamedTuple):
    id: str | None
    chain: str | None
    most: int
    as_json: bool


class LoggedTurn(TypedDict):
    """A recorded turn as `--json` prints it."""

    id: str
    previous_response_id: str | None
    conversation: str | None
    chain: str
    turn: int
    base_url: str
    model: str | None
    status: str
    incomplete_reason: str | None
    usage: Json | None
    created: float
    ended: float | None
    request_id: str | None
    input: list[Json] | None
    output: list[Json] | None


@app.command(cls=Command, short_help="List recorded responses, or print one.")
def log(
    response_id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Show this response whole.", show_default=False, autocompletion=complete_ids),
    ] = None,
    *,
    chain: Annotated[
        str | None,
        typer.Option("--chain", help="Only of this chain.", show_default=False, autocompletion=complete_chains),
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", help="At most so many.")] = _DEFAULT_COUNT,
    as_json: AsJson = False,
    offline: Offline = False,
) -> None:
    """List recorded responses, or print one with its prompt, text and items."""
    run(Query(response_id, chain, count, as_json), Runtime(ConnectionOptions(offline=offline)))


@telling
def run(options: Query, runtime: Runtime) -> None:
    if not 1 <= options.most <= _MOST:
        raise UsageError(f"--count: must be between 1 and {_MOST}, not {options.most}")
    state = runtime.open_state(create=False, required=options.id is not None)
    if options.id is not None:
        turn = state.turns.get(options.id) if state else None
        if turn is None:
            raise UsageError(f"{options.id} is not recorded here", hint=(Next("log"), " lists what is"))
        _show(runtime, turn, as_json=options.as_json)
        return
    chain = chain_name(options.chain) if options.chain is not None else None
    damaged: list[str] = []
    turns = state.turns.newest(chain=chain, limit=options.most, skipped=damaged) if state else []
    for message in damaged:
        runtime.terminal.warn(message)
    if options.as_json:
        runtime.terminal.print_json([as_dict(turn) for turn in turns])
        return
    runtime.terminal.write(to_bytes("".join(_line(turn) for turn in turns)))


def _show(runtime: Runtime, turn: Turn, *, as_json: bool) -> None:
    if as_json:
        runtime.terminal.print_json(as_dict(turn))
        return
    print_passages(runtime, passages_of(turn))


def _line(turn: Turn) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(turn.created))
    words = (turn.id, when, turn.chain, turn.status, turn.model or "", prompt_of(turn))
    return "\t".join(escape_line(word, _SHOWN if n == len(words) - 1 else 0) for n, word in enumerate(words)) + "\n"


def as_dict(turn: Turn) -> LoggedTurn:
    return {
        "id": turn.id,
        "previous_response_id": turn.previous_id,
        "conversation": turn.settings.conversation,
        "chain": turn.chain,
        "turn": turn.number,
        "base_url": turn.base_url,
        "model": turn.model,
        "status": turn.status,
        "incomplete_reason": turn.reason,
        "usage": turn.usage or None,
        "created": turn.created,
        "ended": turn.ended,
        "request_id": turn.request_id,
        "input": turn.input,
        "output": turn.output,
    }
