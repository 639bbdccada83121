"""`cometresp log`: recorded responses, newest first; one of them whole. Offline: only the state file is read."""

import time
from typing import Annotated, Any

import typer

from cometresp.commands.chains import Json
from cometresp.errors import UsageError
from cometresp.options.arguments import Offline
from cometresp.options.tables import ConnectionOptions, complete_chains, complete_ids
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.records import Turn
from cometresp.state.transcript import asked, of_turn
from cometresp.text import escape_line, to_bytes
from cometresp.turns.lookup import print_passages

_WORDS = 60

_DEFAULT_COUNT = 20

_MOST = 1_000_000

app = typer.Typer(add_completion=False)


@app.command()
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
    as_json: Json = False,
    offline: Offline = False,
) -> None:
    """List recorded responses, or print one with its prompt, text and items."""
    runtime = Runtime(ConnectionOptions(offline=offline))
    if not 1 <= count <= _MOST:
        raise UsageError(f"--count: must be between 1 and {_MOST}, not {count}")
    state = runtime.open_state(create=False, needed=response_id is not None)
    if response_id is not None:
        turn = state.turn(response_id) if state else None
        if turn is None:
            raise UsageError(f"{response_id} is not recorded here", hint="cometresp log lists what is")
        _show(runtime, turn, as_json=as_json)
        return
    turns = state.turns(chain=chain_name(chain) if chain is not None else None, limit=count) if state else []
    if as_json:
        runtime.print_json([as_dict(turn) for turn in turns])
        return
    runtime.terminal.write(to_bytes("".join(_line(turn) for turn in turns)))


def _show(runtime: Runtime, turn: Turn, *, as_json: bool) -> None:
    if as_json:
        runtime.print_json(as_dict(turn))
        return
    print_passages(runtime, of_turn(turn))


def _line(turn: Turn) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(turn.created))
    words = (turn.id, when, turn.chain, turn.status, turn.model or "", asked(turn))
    return "\t".join(escape_line(word, _WORDS if n == len(words) - 1 else 0) for n, word in enumerate(words)) + "\n"


def as_dict(turn: Turn) -> dict[str, Any]:
    """A record as `--json` prints it."""
    return {
        "id": turn.id,
        "previous_response_id": turn.previous_id,
        "chain": turn.chain,
        "turn": turn.number,
        "base_url": turn.base_url,
        "model": turn.model,
        "status": turn.status,
        "usage": turn.usage or None,
        "created": turn.created,
        "ended": turn.ended,
        "input": turn.input,
        "output": turn.output,
    }
