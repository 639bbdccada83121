"""`cometresp continue`: the next turn of a chain."""

import typer

from cometresp.commands.asking import Words
from cometresp.commands.turn import Asked, run
from cometresp.options import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.spread import spread

app = typer.Typer(add_completion=False)


@app.command()
@spread
def continue_(
    *,
    prompt: Words = None,
    request: RequestOptions,
    chain: ChainOptions,
    loop: LoopOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Send the next turn of the chain."""
    run(Asked(prompt or [], request, chain, loop, output, connection, live=False, continuing=True))
