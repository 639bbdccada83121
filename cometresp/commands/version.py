"""`cometresp version`: the version, as `--version` prints it."""

import typer

from cometresp import __version__
from cometresp.help.command import Command
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from cometresp.text import to_bytes

app = typer.Typer(add_completion=False)


@app.command(cls=Command)
def version() -> None:
    """Print the version."""
    run(f"cometresp {__version__}", Runtime(ConnectionOptions()))


@telling
def run(line: str, runtime: Runtime) -> None:
    runtime.terminal.write(to_bytes(line + "\n"))
