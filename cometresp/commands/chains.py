"""`cometresp chains`: what is recorded, chain by chain, and what may go. Offline: only the state file is touched."""

import re
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cometresp.errors import UsageError
from cometresp.options.arguments import Offline, ResponseId
from cometresp.options.tables import ConnectionOptions, complete_chains
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.records import ChainRow
from cometresp.state.transcript import asked, passages
from cometresp.text import escape, escape_line, to_bytes
from cometresp.turns.lookup import print_passages, resolve

if TYPE_CHECKING:
    from cometresp.state.state import State

_WORDS = 48

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}

_AGE = re.compile(rf"([1-9]\d{{0,5}})([{''.join(_UNITS)}])")

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]

BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="Where the response was made.", metavar="URL", show_default=False)
]

Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The chain.", show_default=False, autocompletion=complete_chains)
]

Chain = Annotated[
    str, typer.Argument(metavar="NAME", help="The chain.", show_default=False, autocompletion=complete_chains)
]

Chains = Annotated[
    list[str],
    typer.Argument(metavar="NAME…", help="The chains.", show_default=False, autocompletion=complete_chains),
]

NewName = Annotated[str, typer.Argument(metavar="NEW", help="Its new name.", show_default=False)]

OlderThan = Annotated[str, typer.Option("--older-than", metavar="AGE", help="As 12h, 30d or 8w.", show_default=False)]

app = typer.Typer(add_completion=False)

# declarations -----------------------------------------------------------------------------------------------------


@app.callback(invoke_without_command=True)
def chains(ctx: typer.Context, *, as_json: Json = False, offline: Offline = False) -> None:
    """List the chains, the last used first; or one of the commands below."""
    ctx.obj = offline
    if ctx.invoked_subcommand is None:
        list_chains(_runtime(offline=offline), as_json=as_json)


@app.command()
def show(ctx: typer.Context, name: Name = None, *, as_json: Json = False, offline: Offline = False) -> None:
    """Print the transcript of a chain as Markdown, or its items as JSON."""
    show_chain(_runtime(offline=offline or bool(ctx.obj)), name, as_json=as_json)


@app.command()
def head(ctx: typer.Context, name: Name = None, *, offline: Offline = False) -> None:
    """Print the id of the last response of a chain."""
    print_head(_runtime(offline=offline or bool(ctx.obj)), name)


@app.command("set")
def set_(
    ctx: typer.Context, name: Chain, response_id: ResponseId, *, base_url: BaseUrl = None, offline: Offline = False
) -> None:
    """Let a chain go on from this response, recorded here or made elsewhere."""
    adopt(_runtime(offline=offline or bool(ctx.obj), base_url=base_url), name, response_id)


@app.command()
def rename(ctx: typer.Context, name: Chain, new: NewName, *, offline: Offline = False) -> None:
    """Give a chain another name."""
    rename_chain(_runtime(offline=offline or bool(ctx.obj)), name, new)


@app.command("rm")
def remove(ctx: typer.Context, names: Chains, *, offline: Offline = False) -> None:
    """Remove chains, and their responses that no other chain needs, from the record."""
    remove_chains(_runtime(offline=offline or bool(ctx.obj)), names)


@app.command()
def prune(ctx: typer.Context, *, older_than: OlderThan, offline: Offline = False) -> None:
    """Remove the chains not used since, and older responses that no chain needs, from the record."""
    prune_chains(_runtime(offline=offline or bool(ctx.obj)), older_than)


# deeds ------------------------------------------------------------------------------------------------------------


def list_chains(runtime: Runtime, *, as_json: bool) -> None:
    """A table on a terminal, tab-separated lines into a pipe."""
    state = runtime.open_state(create=False)
    rows = [(row, _beginning(state, row)) for row in state.chains()] if state else []
    if as_json:
        runtime.print_json([_as_dict(row, words) for row, words in rows])
        return
    terminal = runtime.terminal
    if not terminal.stdout_tty:
        terminal.write(to_bytes("".join("\t".join(_cells(row, words)) + "\n" for row, words in rows)))
        return
    from cometresp.render.tables import table

    lines = []
    for row, words in rows:
        name, turns, model, _, at, _ = _cells(row, words)
        lines.append((name, turns, model, _ago(row.used), words if row.head else f"{at} {words}".strip()))
    terminal.write(terminal.encode(table(("CHAIN", "TURNS", "MODEL", "USED", "BEGAN WITH"), lines, terminal)))


def show_chain(runtime: Runtime, given: str | None, *, as_json: bool) -> None:
    state = _opened(runtime)
    row = _row(runtime, state, given)
    turn = row.head or row.pending
    turns = state.lineage(turn) if state and turn else []
    if as_json:
        runtime.print_json([item for turn in turns for item in (*(turn.input or ()), *(turn.output or ()))])
        return
    print_passages(runtime, passages(turns))


def print_head(runtime: Runtime, given: str | None) -> None:
    row = _row(runtime, _opened(runtime), given)
    if row.head is None:
        raise UsageError(f"chain {row.name} has no head: its first turn hasn't completed")
    text = escape(row.head.id) if runtime.terminal.stdout_tty else row.head.id
    runtime.terminal.write(to_bytes(text + "\n"))


def adopt(runtime: Runtime, given: str, named: str) -> None:
    name, response_id = _name("NAME", given), resolve(named, runtime)
    model = runtime.config.model if runtime.config.model and runtime.config.model.source != "default" else None
    state = runtime.open_state()
    assert state is not None
    before = state.adopt(name, response_id, base_url=runtime.base_url, model=model.value if model else None)
    if before not in (None, response_id):
        runtime.terminal.note(escape_line(f"back to what it was: cometresp chains set {name} {before}"))


def rename_chain(runtime: Runtime, given: str, new: str) -> None:
    old_name, new_name = _name("NAME", given), _name("NEW", new)
    state = _opened(runtime)
    if state is None:
        raise _no_chain(old_name)
    state.rename(old_name, new_name)


def remove_chains(runtime: Runtime, given: list[str]) -> None:
    names = list(dict.fromkeys(_name("NAME", name) for name in given))
    state = _opened(runtime)
    if state is None:
        raise _no_chain(names[0])
    for name, (removed, kept) in zip(names, state.remove(names), strict=True):
        stays = f" ({_count(kept, 'response')} stayed: other chains go on from there)" if kept else ""
        _say(runtime, f"removed {name}: {_count(removed, 'response')}{stays}")


def prune_chains(runtime: Runtime, older_than: str) -> None:
    age = _AGE.fullmatch(older_than)
    if age is None:
        raise UsageError(f"--older-than: {older_than!r} is not an age", hint="a number and h, d or w: 12h, 30d, 8w")
    state = runtime.open_state(create=False)
    removed = state.prune(time.time() - int(age[1]) * _UNITS[age[2]]) if state else (0, 0)
    _say(runtime, f"removed {_count(removed[0], 'chain')} and {_count(removed[1], 'response')}")


# how --------------------------------------------------------------------------------------------------------------


def _runtime(*, offline: bool, base_url: str | None = None) -> Runtime:
    return Runtime(ConnectionOptions(offline=offline, base_url=base_url))


def _opened(runtime: Runtime) -> "State | None":
    """The state file of who looks for a chain by its name."""
    return runtime.open_state(create=False, needed=True)


def _name(argument: str, given: str) -> str:
    try:
        return chain_name(given)
    except UsageError as error:
        raise UsageError(f"{argument}: {error.message.removeprefix('--chain: ')}") from error


def _row(runtime: Runtime, state: "State | None", given: str | None) -> ChainRow:
    name = _name("NAME", given) if given is not None else chain_name(runtime.chain)
    row = state.chain(name) if state else None
    if row is None:
        raise _no_chain(name)
    return row


def _no_chain(name: str) -> UsageError:
    return UsageError(f"there is no chain {name}", hint="cometresp chains lists them")


def _say(runtime: Runtime, text: str) -> None:
    runtime.terminal.write(to_bytes(escape_line(text) + "\n"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _beginning(state: "State", row: ChainRow) -> str:
    """What the chain's conversation began with."""
    turn = row.head or row.pending
    return escape_line(asked(state.began(turn)), _WORDS) if turn else ""


def _ago(moment: float) -> str:
    """How long ago it was; beyond a season, the day."""
    seconds = time.time() - moment
    if seconds < 60:  # noqa: PLR2004 - a minute
        return "now"
    for unit, length, most in (("min", 60, 60), ("h", 3600, 24), ("d", 86400, 90)):
        if seconds < length * most:
            return f"{seconds // length:.0f} {unit} ago"
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def _cells(row: ChainRow, words: str) -> tuple[str, ...]:
    turn = row.head or row.pending
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.used))
    if turn is None:
        return escape_line(row.name), "0", "", used, "", ""
    at = row.head.id if row.head else f"({turn.status})"
    return escape_line(row.name), str(turn.number), escape_line(turn.model or ""), used, escape_line(at), words


def _as_dict(row: ChainRow, words: str) -> dict[str, Any]:
    turn = row.head or row.pending
    return {
        "name": row.name,
        "head": row.head.id if row.head else None,
        "pending": row.pending.id if row.pending else None,
        "turns": turn.number if turn else 0,
        "model": turn.model if turn else None,
        "base_url": turn.base_url if turn else None,
        "used": row.used,
        "began_with": words,
    }
