"""`cometresp get`: fetch a response, or wait for it."""

import random
import time
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import quote

import typer

from cometresp.chain import chain_name
from cometresp.commands.formats import kind_of
from cometresp.commands.runtime import Runtime
from cometresp.errors import CometrespError, ExitCode, UsageError
from cometresp.options import ConnectionOptions, OutputOptions, complete_ids
from cometresp.spread import spread
from cometresp.terminal import escape_line, to_bytes

if TYPE_CHECKING:
    from cometresp.answer import Answer
    from cometresp.client import Client
    from cometresp.events import Event

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 2.0, 15.0, 1.4
_MAX_ID = 500

app = typer.Typer(add_completion=False)


class Fetch(NamedTuple):
    id: str
    wait: bool
    include: tuple[str, ...]
    output: OutputOptions
    connection: ConnectionOptions


@app.command()
@spread
def get(
    *,
    response_id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A response id; - reads it from standard input, last and @CHAIN name one.",
            autocompletion=complete_ids,
        ),
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Poll until the response has ended (--max-time bounds it).")
    ] = False,
    include: Annotated[
        list[str] | None, typer.Option("--include", help="More to return. Repeatable.", show_default=False)
    ] = None,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Fetch a response."""
    run(Fetch(response_id, wait, tuple(include or ()), output, connection))


def run(fetch: Fetch) -> None:
    from cometresp.commands.recording import Recorder
    from cometresp.commands.showing import Showing
    from cometresp.exchange import exchange

    runtime = Runtime(fetch.connection, fetch.output)
    kind_of(fetch.output, runtime.terminal)
    if fetch.connection.curl:
        raise UsageError("--curl shows what ask, stream and continue send; get sends no body")
    response_id = _resolve(fetch.id, runtime)
    if fetch.connection.dry_run:
        query = "&".join(f"include[]={quote(name)}" for name in fetch.include)
        url = f"{runtime.base_url}/responses/{quote(response_id, safe='')}" + (f"?{query}" if query else "")
        runtime.terminal.write(to_bytes(f"GET {url}\n"))
        return
    runtime.check_sendable()
    showing = Showing(runtime, Recorder(runtime, None), live=False)

    def converse(answer: "Answer") -> None:
        with runtime.client() as client:
            event = _fetch(client, response_id, fetch, runtime)
            exchange(iter([event]), answer, showing.screen, showing.seen)

    showing.conclude(showing.run(converse))


def _resolve(given: str, runtime: Runtime) -> str:
    """The id that the word names: itself, what standard input holds, `last`, or the head of `@CHAIN`."""
    if given == "-" and runtime.config.no_stdin:
        raise UsageError("ID: standard input is not read, because of COMETRESP_NO_STDIN")
    if given == "-":
        stream = runtime.terminal.stdin
        words = stream.read().decode(errors="replace").split() if stream and not runtime.terminal.stdin_tty else []
        if len(words) != 1:
            raise UsageError(f"ID: standard input must hold one id, not {len(words)} words")
        given = words[0]
    elif given == "last" or given.startswith("@"):
        state = runtime.open_state(create=False)
        turns = state.turns(limit=1) if state and given == "last" else []
        row = state.chain(chain_name(given[1:])) if state and given != "last" else None
        turn = turns[0] if turns else (row.head or row.pending) if row else None
        if turn is None:
            raise UsageError(f"ID: nothing is recorded for {given}", hint="cometresp chains lists what is")
        given = turn.id
    if not given or len(given) > _MAX_ID or not given.isprintable() or " " in given or not given.strip("."):
        raise UsageError(f"ID: {given[:80]!r} is not a response id")
    return given


def _fetch(client: "Client", response_id: str, fetch: Fetch, runtime: Runtime) -> "Event":
    """The response; with --wait, when it has ended or the time is up. Passing faults are ridden out."""
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            with client.get(response_id, include=fetch.include) as events:
                event = next(iter(events))
        except CometrespError as error:
            raise _explained(error, response_id) from error
        status = event.data.get("response", {}).get("status") if isinstance(event.data.get("response"), dict) else None
        if not fetch.wait or status not in ("queued", "in_progress"):
            return event
        seconds = pause * (1 - 0.25 * random.random())  # noqa: S311 - jitter, not a secret
        limit = fetch.connection.max_time
        if limit is not None and time.monotonic() - began + seconds >= limit:
            return event
        waited = time.monotonic() - began
        runtime.terminal.note(escape_line(f"{response_id} is {status}; waited {waited:.0f} s"))
        time.sleep(seconds)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _explained(error: CometrespError, response_id: str) -> CometrespError:
    """A gateway may have no GET at all, which looks like an unknown id (API 10.2)."""
    if error.said.status in (404, 405, 501) or error.exit_code == ExitCode.PROTOCOL:
        error.hint = f"the server doesn't know {response_id}, or doesn't offer to fetch responses at all"
    return error
