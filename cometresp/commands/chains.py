"""`cometresp chains`: what is recorded, chain by chain. Offline: only the state file is read."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cometresp.answer import listed, text_of
from cometresp.chain import chain_name
from cometresp.commands.runtime import Runtime
from cometresp.errors import UsageError
from cometresp.options import ConnectionOptions, complete_chains
from cometresp.records import ChainRow, Turn
from cometresp.terminal import escape, escape_line, to_bytes

if TYPE_CHECKING:
    from cometresp.state import State

_WORDS = 48


Offline = Annotated[bool, typer.Option("--offline", help="The emulator's own state.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The chain.", show_default=False, autocompletion=complete_chains)
]

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def chains(ctx: typer.Context, *, as_json: Json = False, offline: Offline = False) -> None:
    """List the chains, the last used first; or one of the commands below."""
    ctx.obj = offline
    if ctx.invoked_subcommand is None:
        list_chains(_runtime(offline=offline), as_json=as_json)


@app.command()
def head(ctx: typer.Context, name: Name = None, *, offline: Offline = False) -> None:
    """Print the id of the last response of a chain."""
    runtime = _runtime(offline=offline or bool(ctx.obj))
    turn = _row(runtime, _opened(runtime), name).head
    if turn is None:
        raise UsageError(f"chain {_name(runtime, name)} has no head: its first turn hasn't completed")
    runtime.terminal.write(to_bytes(_shown(runtime, turn.id) + "\n"))


@app.command()
def show(ctx: typer.Context, name: Name = None, *, as_json: Json = False, offline: Offline = False) -> None:
    """Print the transcript of a chain as Markdown, or its items as JSON."""
    runtime = _runtime(offline=offline or bool(ctx.obj))
    state = _opened(runtime)
    row = _row(runtime, state, name)
    turn = row.head or row.pending
    turns = state.lineage(turn) if state and turn else []
    if as_json:
        runtime.print_json([item for turn in turns for item in (*(turn.input or ()), *(turn.output or ()))])
        return
    runtime.terminal.write(to_bytes(_shown(runtime, "\n\n".join(transcript(turn) for turn in turns)) + "\n"))


def _runtime(*, offline: bool) -> Runtime:
    return Runtime(ConnectionOptions(offline=offline))


def _opened(runtime: Runtime) -> "State | None":
    return runtime.open_state(create=False)


def _name(runtime: Runtime, given: str | None) -> str:
    return chain_name(given if given is not None else runtime.chain)


def _row(runtime: Runtime, state: "State | None", given: str | None) -> ChainRow:
    row = state.chain(_name(runtime, given)) if state else None
    if row is None:
        raise UsageError(f"there is no chain {_name(runtime, given)}", hint="cometresp chains lists them")
    return row


def _shown(runtime: Runtime, text: str) -> str:
    return escape(text) if runtime.terminal.stdout_tty else text


def list_chains(runtime: Runtime, *, as_json: bool) -> None:
    """A table on a terminal, tab-separated lines into a pipe."""
    state = _opened(runtime)
    rows = state.chains() if state else []
    if as_json:
        runtime.print_json([_as_dict(row) for row in rows])
        return
    lines = [_cells(row) for row in rows]
    if runtime.terminal.stdout_tty:
        heads = ("CHAIN", "TURNS", "MODEL", "USED", "HEAD", "BEGAN WITH")
        widths = [max(len(line[n]) for line in (heads, *lines)) for n in range(len(heads))]
        text = "".join(
            "  ".join(cell.ljust(widths[n]) for n, cell in enumerate(line)).rstrip() + "\n" for line in (heads, *lines)
        )
    else:
        text = "".join("\t".join(line) + "\n" for line in lines)
    runtime.terminal.write(to_bytes(text))


def _cells(row: ChainRow) -> tuple[str, ...]:
    turn = row.head or row.pending
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.used))
    if turn is None:
        return escape_line(row.name), "0", "", used, "", ""
    return (
        escape_line(row.name),
        str(turn.number),
        escape_line(turn.model or ""),
        used,
        escape_line(row.head.id if row.head else f"({turn.status})"),
        escape_line(asked(turn), _WORDS),
    )


def _as_dict(row: ChainRow) -> dict[str, Any]:
    turn = row.head or row.pending
    return {
        "name": row.name,
        "head": row.head.id if row.head else None,
        "pending": row.pending.id if row.pending else None,
        "turns": turn.number if turn else 0,
        "model": turn.model if turn else None,
        "used": row.used,
    }


def asked(turn: Turn) -> str:
    """The text that a turn put to the model."""
    return "\n\n".join(_text(item) for item in turn.input or () if item.get("role") == "user")


def _text(item: dict[str, Any]) -> str:
    content = item.get("content")
    if isinstance(content, str):
        return content
    return "\n\n".join(str(part.get("text") or f"[{part.get('type')}]") for part in listed(content))


def transcript(turn: Turn) -> str:
    """A turn as Markdown: what was asked, what came."""
    if turn.input is None and turn.output is None:
        return f"## {turn.id}\n\n(the text was not recorded)"
    parts = [f"## {turn.id} · {turn.model or ''} · {turn.status}"]
    for item in turn.input or ():
        if item.get("role"):
            parts.append("\n".join(f"> {line}" for line in _text(item).splitlines()))
        else:
            parts.append(f"`{item.get('type')}` {item.get('call_id', '')}: {item.get('output', '')}")
    for item in turn.output or ():
        if item.get("type") == "message":
            parts.append(text_of([item]))
        elif item.get("type") in ("function_call", "custom_tool_call"):
            parts.append(
                f"`{item.get('name')}` {item.get('call_id', '')}: {item.get('arguments') or item.get('input') or ''}"
            )
        elif item.get("type") != "reasoning":
            parts.append(f"[{item.get('type')}] {json.dumps(item, ensure_ascii=False)[:200]}")
    return "\n\n".join(parts)
