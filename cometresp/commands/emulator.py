"""`cometresp emulator`: the offline server in the foreground."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cometresp.errors import OutputError, UsageError
from cometresp.help.command import Command
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling

app = typer.Typer(add_completion=False)


class Serving(NamedTuple):
    port: int
    memory: Path | None
    delay: float
    faults: tuple[str, ...]
    fault_seed: int | None


@app.command(cls=Command, short_help="Serve the Responses API on this machine, without a model.")
def emulator(
    *,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    memory: Annotated[
        Path | None,
        typer.Option("--memory", help="Keep responses in this file [default: only while it runs].", show_default=False),
    ] = None,
    delay: Annotated[float, typer.Option("--delay", help="Seconds between streamed deltas.")] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="Misbehave: on request N, on P percent, else always. Repeatable.",
            metavar="KIND[=ARG][@N|%P]",
            show_default=False,
        ),
    ] = None,
    fault_seed: Annotated[
        int | None,
        typer.Option("--fault-seed", help="Make the chances of %P repeatable.", show_default=False),
    ] = None,
) -> None:
    """Serve the Responses API on this machine without a model, until interrupted."""
    run(Serving(port, memory, delay, tuple(fault or ()), fault_seed), Runtime(ConnectionOptions(offline=True)))


@telling
def run(options: Serving, runtime: Runtime) -> None:
    from cometresp.emulator.server import Emulator

    port = options.port
    if not 0 <= port <= 65535:  # noqa: PLR2004 - what a port is
        raise UsageError(f"--port: must be between 0 and 65535, not {port}")
    if not options.delay >= 0:
        raise UsageError(f"--delay: must be at least 0 seconds, not {options.delay:g}")
    try:
        server = Emulator(
            port=port,
            memory=options.memory,
            delay=options.delay,
            faults=options.faults,
            fault_seed=options.fault_seed,
        )
    except ValueError as error:
        raise UsageError(f"--fault: {error}", hint="docs/emulator.md says what each kind does") from error
    except OSError as error:
        raise OutputError(f"--port: can't listen on 127.0.0.1:{port}: {error.strerror or error}") from error
    terminal = runtime.terminal
    terminal.write(f"listening on {server.base_url}\n".encode())
    terminal.note(
        f"to use it: export COMETAPI_BASE_URL={server.base_url} COMETAPI_KEY=any COMETAPI_DEFAULT_MODEL=emulator"
    )
    server.serve_forever()
