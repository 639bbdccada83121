"""`cometresp get`: fetch a response, wait for it, or follow it."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cometresp.errors import UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import Include, ResponseId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.runtime import Runtime, telling
from cometresp.state.records import UNENDED
from cometresp.tuples import NamedTuple
from cometresp.turns.dry_run import shown_only
from cometresp.turns.lookup import recorded_turn, resolve
from cometresp.wire import endpoints

if TYPE_CHECKING:
    from cometresp.state.records import Turn

app = typer.Typer(add_completion=False)


class Fetch(NamedTuple):
    id: str
    wait: bool
    stream: bool
    starting_after: int | None
    include: tuple[str, ...]


@app.command(
    cls=Command,
    short_help="Fetch a response, wait for it, or follow it.",
    epilog="""
    cometresp get last
    cometresp get resp_ab12 --wait -o answer.md
    cometresp get @review --json
    """,
)
@partial(spread, hidden=("max_cost",))
def get(
    *,
    response_id: ResponseId,
    wait: Annotated[
        bool, typer.Option("--wait", help="Poll until the response has ended (--max-time limits it).")
    ] = False,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream", help="Print the text as it comes, from where it stopped, until the response has ended."
        ),
    ] = False,
    starting_after: Annotated[
        int | None,
        typer.Option(
            "--starting-after", help="With --stream: only the events after this one.", metavar="N", show_default=False
        ),
    ] = None,
    include: Include = None,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Fetch a response."""
    run(Fetch(response_id, wait, stream, starting_after, tuple(include or ())), Runtime(connection, output))


@telling
def run(options: Fetch, runtime: Runtime) -> None:
    if options.starting_after is not None and not options.stream:
        raise UsageError("--starting-after goes with --stream")
    if options.starting_after is not None and options.starting_after < 0:
        raise UsageError(f"--starting-after: must be at least 0, not {options.starting_after}")
    response_id = resolve(options.id, runtime)
    turn = recorded_turn(runtime, response_id)
    after = _place(options, turn)
    request = (
        endpoints.follow(response_id, after, options.include)
        if options.stream
        else endpoints.get(response_id, options.include)
    )
    if shown_only(runtime, request):
        return
    runtime.check_sendable()
    from cometresp.turns.fetch import Wanted, run_fetch

    run_fetch(Wanted(response_id, options.wait, options.stream, after, options.include, turn), runtime)


def _place(options: Fetch, turn: "Turn | None") -> int | None:
    """The event after which following starts: the last one that is recorded, if the text until there is too."""
    if not options.stream or options.starting_after is not None:
        return options.starting_after
    if turn is None or turn.output is None or turn.status not in UNENDED:
        return None
    return turn.sequence
