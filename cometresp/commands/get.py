"""`cometresp get`: fetch a response, wait for it, or follow it."""

from typing import Annotated

import typer

from cometresp.options.arguments import ResponseId
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.turns.fetch import Fetch, run

app = typer.Typer(add_completion=False)


@app.command()
@spread
def get(
    *,
    response_id: ResponseId,
    wait: Annotated[
        bool, typer.Option("--wait", help="Poll until the response has ended (--max-time bounds it).")
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Follow it from where it was left, until it has ended.")
    ] = False,
    starting_after: Annotated[
        int | None,
        typer.Option(
            "--starting-after", help="With --stream: from behind this event.", metavar="N", show_default=False
        ),
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", help="More to return. Repeatable.", show_default=False)
    ] = None,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Fetch a response."""
    run(Fetch(response_id, wait, stream, starting_after, tuple(include or ()), output, connection))
