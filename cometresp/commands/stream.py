"""`cometresp stream`: one response, its deltas printed as they come, into pipes too."""

from functools import partial

import typer

from cometresp.help.command import Command
from cometresp.options.asked import Asked, Words
from cometresp.options.spread import spread
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.runtime import Runtime
from cometresp.turns.run import run

app = typer.Typer(add_completion=False)


@app.command(
    cls=Command,
    short_help="The same, its text passed on at once, into pipes too.",
    epilog="""
    cometresp stream "A long story" > story.md
    cometresp stream "A long story" | tee story.md
    cometresp stream --events "Count to ten" | jq -r .type
    """,
)
@partial(spread, hidden=("no_stream",))
def stream(
    *,
    ctx: typer.Context,
    prompt: Words = None,
    request: RequestOptions,
    chain: ChainOptions,
    loop: LoopOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Ask for one response and pass on its deltas at once, into pipes too."""
    asked = Asked(
        prompt or [], request, chain, loop, output, connection, streaming=True, continuing=False, template=ctx.obj
    )
    run(asked, Runtime(connection, output, chain=chain.chain))
