"""`cometresp ask`: one response."""

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
    short_help="Ask for one response.",
    epilog="""
    cometresp ask "Explain rebase in two sentences"
    git diff | cometresp ask -o message.txt "Write a commit message"
    cometresp ask -f report.pdf -f chart.png "What doesn't fit together?"
    """,
)
@spread
def ask(
    *,
    ctx: typer.Context,
    prompt: Words = None,
    request: RequestOptions,
    chain: ChainOptions,
    loop: LoopOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Ask for one response: live on a terminal, else printed when it is complete."""
    asked = Asked(
        prompt or [], request, chain, loop, output, connection, streaming=False, continuing=False, template=ctx.obj
    )
    run(asked, Runtime(connection, output, chain=chain.chain))
