"""`cometresp chains`: what is recorded, chain by chain, and what is removed. Only `compact` sends a request."""

import re
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from cometresp.errors import Next, UsageError
from cometresp.help.command import Command, Group
from cometresp.options.arguments import (
    AsJson,
    ChainName,
    ChainNames,
    CostOptions,
    InColor,
    NoPager,
    ReplyAsJson,
    ResponseId,
    Select,
    SomeChain,
    StateOptions,
)
from cometresp.options.spread import spread
from cometresp.options.tables import Color, ConnectionOptions, OutputOptions, complete_models
from cometresp.runtime import Runtime, telling
from cometresp.state.names import chain_name
from cometresp.state.records import Chain
from cometresp.state.transcript import passages
from cometresp.text import escape_line, shell_arguments, to_bytes
from cometresp.tuples import NamedTuple
from cometresp.turns.listing import print_json, print_passages, shown_in, tell_empty
from cometresp.turns.lookup import resolve
from cometresp.wire.ids import abridged_id, is_plain_id, refusal_of

if TYPE_CHECKING:
    from cometresp.state.listing import Listed
    from cometresp.state.state import State

_SHOWN = 48  # characters of a prompt
_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_AGE = re.compile(rf"([1-9]\d{{0,5}})([{''.join(_UNITS)}])")

app = typer.Typer(cls=Group, add_completion=False)


class AsData(NamedTuple):
    """Whether JSON is printed, and which field of it; None for all of it."""

    as_json: bool
    select: str | None

    def __bool__(self) -> bool:
        return self.as_json or self.select is not None


class Shown(NamedTuple):
    """Which chain is shown, and how. None is the chain that the settings name."""

    name: str | None
    as_data: AsData
    no_pager: bool = False


class Compacted(NamedTuple):
    """Which chain is compacted, as in `Shown`, and what replaces its model and instructions."""

    name: str | None
    model: str | None
    instructions: str | None
    as_json: bool


class ListedChain(TypedDict):
    """A chain as `--json` prints it. `replays`: its server was seen to take no response ids."""

    name: str
    head: str | None
    pending: str | None
    turns: int
    model: str | None
    base_url: str | None
    conversation: str | None
    replays: bool
    used: float
    began_with: str


# declarations -------------------------------------------------------------------------------------------------------


@app.callback(invoke_without_command=True, short_help="List the chains; show, rename, remove or compact them.")
@spread
def chains(
    ctx: typer.Context,
    *,
    as_json: AsJson = False,
    select: Select = None,
    color: InColor = "auto",
    place: StateOptions,
) -> None:
    """List the chains, the last used first; or one of the commands below."""
    ctx.obj = place
    if ctx.invoked_subcommand is None:
        run(AsData(as_json, select), _runtime(ctx, place, color=color))


@app.command(cls=Command)
@spread
def show(
    ctx: typer.Context,
    name: SomeChain = None,
    *,
    as_json: AsJson = False,
    select: Select = None,
    no_pager: NoPager = False,
    color: InColor = "auto",
    place: StateOptions,
) -> None:
    """Print the transcript of a chain as Markdown, or its items as JSON."""
    show_chain(Shown(name, AsData(as_json, select), no_pager), _runtime(ctx, place, color=color))


@app.command(cls=Command)
@spread
def head(ctx: typer.Context, name: SomeChain = None, *, place: StateOptions) -> None:
    """Print the id of the last response of a chain."""
    print_head(name, _runtime(ctx, place))


@app.command("set", cls=Command)
@spread
def set_(
    ctx: typer.Context,
    name: ChainName,
    response_id: ResponseId,
    *,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url", help="Base URL of the server that has the response.", metavar="URL", show_default=False
        ),
    ] = None,
    place: StateOptions,
) -> None:
    """Let a chain continue from this response, recorded here or made elsewhere."""
    set_head((name, response_id), _runtime(ctx, place, base_url=base_url))


@app.command(cls=Command)
@spread
def rename(
    ctx: typer.Context,
    name: ChainName,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.", show_default=False)],
    *,
    place: StateOptions,
) -> None:
    """Give a chain another name."""
    rename_chain((name, new), _runtime(ctx, place))


@app.command("rm", cls=Command)
@spread
def remove(ctx: typer.Context, names: ChainNames, *, place: StateOptions) -> None:
    """Remove chains, and their responses that no other chain needs, from the record."""
    remove_chains(names, _runtime(ctx, place))


@app.command(cls=Command)
@spread
def prune(
    ctx: typer.Context,
    *,
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than", metavar="AGE", help="Time without use, such as 12h, 30d or 8w.", show_default=False
        ),
    ],
    place: StateOptions,
) -> None:
    """Remove the chains not used since, and older responses that no chain needs, from the record."""
    prune_chains(older_than, _runtime(ctx, place))


@app.command(cls=Command)
@spread
def compact(
    *,
    ctx: typer.Context,
    name: SomeChain = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Model to use from now on.", show_default=False, autocompletion=complete_models
        ),
    ] = None,
    instructions: Annotated[
        str | None,
        typer.Option(
            "--instructions", "--system", "-s", help="Instructions from now on: text or @FILE.", show_default=False
        ),
    ] = None,
    as_json: ReplyAsJson = False,
    cost: CostOptions,
    connection: ConnectionOptions,
) -> None:
    """Have the server compact a chain: fewer items then take the place of its turns."""
    before: StateOptions = ctx.obj
    connection = connection._replace(
        offline=connection.offline or before.offline, profile=connection.profile or before.profile
    )
    runtime = Runtime(connection, OutputOptions(**cost._asdict()), chain=name)
    compact_chain(Compacted(name, model, instructions, as_json), runtime)


def _runtime(ctx: typer.Context, place: StateOptions, *, base_url: str | None = None, color: Color = "auto") -> Runtime:
    """--offline and --profile count before the subcommand and after it."""
    before: StateOptions = ctx.obj
    connection = ConnectionOptions(
        offline=place.offline or before.offline, profile=place.profile or before.profile, base_url=base_url
    )
    return Runtime(connection, OutputOptions(color=color))


# runs ---------------------------------------------------------------------------------------------------------------


@telling
def run(as_data: AsData, runtime: Runtime) -> None:
    """A table on a terminal, tab-separated lines into a pipe."""
    state = runtime.open_state(create=False)
    damaged: list[str] = []
    rows = state.chains.listed(damaged, words=_SHOWN) if state else []
    for message in damaged:
        runtime.terminal.warn(message)
    refusing = state.servers.without_previous() if state else []
    terminal = runtime.terminal
    if as_data:
        without_ids = [url for url, _ in refusing]
        print_json(runtime, [as_dict(chain, without_ids) for chain in rows], as_data.select)
        return
    if not terminal.stdout_tty:
        terminal.write(to_bytes("".join("\t".join(_cells(chain)) + "\n" for chain in rows)))
        return
    if rows:
        _print_table(runtime, rows)
    elif not damaged:
        tell_empty(runtime, "no chain is recorded yet")
    for base_url, seen in refusing:
        from cometresp.render.tables import ago

        terminal.note(
            f"{base_url} took no response id ({ago(seen)}): for seven days it gets the recorded turns in its place"
        )


def _print_table(runtime: Runtime, rows: "list[Listed]") -> None:
    from cometresp.render.tables import Column, ago, table

    columns = Column("CHAIN", "fold"), Column("TURNS"), Column("MODEL"), Column("USED"), Column("BEGAN WITH", "rest")
    lines = []
    for chain in rows:
        name, turns, model, _, at, words = _cells(chain)
        lines.append((name, turns, model, ago(chain.used), words if chain.head else f"{at} {words}".strip()))
    runtime.terminal.write(runtime.terminal.encode(table(columns, lines, runtime.terminal)))


@telling
def show_chain(options: Shown, runtime: Runtime) -> None:
    state = _opened(runtime)
    last = _chain(runtime, state, options.name).last
    turns = state.turns.lineage(last) if state and last else []
    if options.as_data:
        items = [item for turn in turns for item in (*(turn.input or ()), *(turn.output or ()))]
        print_json(runtime, items, options.as_data.select)
        return
    shown = shown_in(runtime, state) if state else str
    print_passages(runtime, passages(turns, shown), use_pager=not options.no_pager)


@telling
def print_head(name: str | None, runtime: Runtime) -> None:
    chain = _chain(runtime, _opened(runtime), name)
    if chain.head is None:
        raise UsageError(f"chain {chain.name} has no head: its first turn hasn't completed")
    if not is_plain_id(chain.head.id):
        raise UsageError(f"chain {chain.name}: {refusal_of(chain.head.id)}")
    runtime.terminal.write(to_bytes(chain.head.id + "\n"))


@telling
def set_head(given: tuple[str, str], runtime: Runtime) -> None:
    name, response_id = chain_name(given[0], "NAME"), resolve(given[1], runtime)
    model = runtime.config.model if runtime.config.model and runtime.config.model.source != "default" else None
    state = runtime.open_state()
    assert state is not None
    if state.turns.get(response_id) is None:
        runtime.terminal.note(f"{abridged_id(response_id)} is not recorded here: its server must know it")
    before = state.chains.set_head(name, response_id, base_url=runtime.base_url, model=model.value if model else None)
    if before is not None and before != response_id:
        back = runtime.hint("to go back: ", Next("chains set", (shell_arguments(name, before),)))
        if back:
            runtime.terminal.note(back)


@telling
def rename_chain(given: tuple[str, str], runtime: Runtime) -> None:
    old_name, new_name = chain_name(given[0], "NAME"), chain_name(given[1], "NEW")
    state = _opened(runtime)
    if state is None:
        raise _no_chain(old_name)
    state.chains.rename(old_name, new_name)


@telling
def remove_chains(given: list[str], runtime: Runtime) -> None:
    names = list(dict.fromkeys(chain_name(name, "NAME") for name in given))
    state = _opened(runtime)
    if state is None:
        raise _no_chain(names[0])
    for name, (removed, kept) in zip(names, state.chains.remove(names), strict=True):
        note = f" ({_count(kept, 'response')} kept: other chains continue from there)" if kept else ""
        _print_line(runtime, f"removed {name}: {_count(removed, 'response')}{note}")


@telling
def prune_chains(older_than: str, runtime: Runtime) -> None:
    age = _AGE.fullmatch(older_than)
    if age is None:
        raise UsageError(f"--older-than: {older_than!r} is not an age", hint="a number and h, d or w: 12h, 30d, 8w")
    state = runtime.open_state(create=False)
    removed = state.chains.prune(time.time() - int(age[1]) * _UNITS[age[2]]) if state else (0, 0)
    _print_line(runtime, f"removed {_count(removed[0], 'chain')} and {_count(removed[1], 'response')}")


@telling
def compact_chain(options: Compacted, runtime: Runtime) -> None:
    state = _opened(runtime)
    chain = _chain(runtime, state, options.name)
    assert state is not None
    from cometresp.turns.compact import Compaction, compact

    compact(Compaction(chain.name, options.model, options.instructions, options.as_json), runtime, state)


# how ----------------------------------------------------------------------------------------------------------------


def _opened(runtime: Runtime) -> "State | None":
    """The state file for a command that looks for a chain by its name."""
    return runtime.open_state(create=False, required=True)


def _chain(runtime: Runtime, state: "State | None", given: str | None) -> Chain:
    name = chain_name(given, "NAME") if given is not None else chain_name(runtime.chain)
    chain = state.chains.get(name) if state else None
    if chain is None:
        raise _no_chain(name)
    return chain


def _no_chain(name: str) -> UsageError:
    return UsageError(f"there is no chain {name}", hint=(Next("chains"), " lists them"))


def _print_line(runtime: Runtime, text: str) -> None:
    runtime.terminal.write(to_bytes(escape_line(text) + "\n"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _cells(chain: "Listed") -> tuple[str, ...]:
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(chain.used))
    at = chain.head or (f"({chain.status})" if chain.pending else "")
    cells = escape_line(chain.name), str(chain.turns), escape_line(chain.model or ""), used, escape_line(at)
    return (*cells, chain.words)


def as_dict(chain: "Listed", without_ids: Collection[str]) -> ListedChain:
    return {
        "name": chain.name,
        "head": chain.head,
        "pending": chain.pending,
        "turns": chain.turns,
        "model": chain.model,
        "base_url": chain.base_url,
        "conversation": chain.conversation,
        "replays": chain.base_url in without_ids,
        "used": chain.used,
        "began_with": chain.words,
    }
