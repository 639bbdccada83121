"""`cometresp continue`: the next turn of a chain."""

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
    epilog="""
    cometresp continue "Shorter"
    git diff | cometresp continue --chain review "And now?"
    cometresp continue --from resp_ab12 "Another way"
    """,
)
@partial(spread, hidden=("continue_",))
def continue_(
    *,
    ctx: typer.Context,
    prompt: Words = None,
    request: RequestOptions,
    chain: ChainOptions,
    loop: LoopOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Send the next turn of the chain."""
    asked = Asked(
        prompt or [], request, chain, loop, output, connection, streaming=False, continuing=True, template=ctx.obj
    )
    run(asked, Runtime(connection, output, chain=chain.chain))
