"""`cometresp ask`: one response."""

import typer

from cometresp.commands.asking import Words
from cometresp.commands.turn import Asked, run
from cometresp.options import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.spread import spread

app = typer.Typer(add_completion=False)


@app.command()
@spread
def ask(
    *,
    prompt: Words = None,
    request: RequestOptions,
    chain: ChainOptions,
    loop: LoopOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Ask for one response: live on a terminal, else printed when it is whole."""
    run(Asked(prompt or [], request, chain, loop, output, connection, live=False, continuing=False))
