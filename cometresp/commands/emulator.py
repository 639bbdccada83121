"""`cometresp emulator`: the offline server in the foreground; with --record and --replay, what a real one said."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cometresp.config import Value, is_loopback, normal_url
from cometresp.errors import OutputError, UsageError
from cometresp.help.command import Command
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from cometresp.tuples import NamedTuple
from cometresp.wire.urls import shown_url

if TYPE_CHECKING:
    from cometresp.emulator.listening import Listening

app = typer.Typer(add_completion=False)


class Serving(NamedTuple):
    port: int = 0
    memory: Path | None = None
    delay: float | None = None
    faults: tuple[str, ...] = ()
    fault_seed: int | None = None
    record: Path | None = None
    upstream: str | None = None
    insecure_http: bool = False
    replay: Path | None = None
    loose: bool = False
    fast: bool = False


@app.command(cls=Command, short_help="Serve the Responses API on this machine, without a model.")
def emulator(  # noqa: PLR0913 - a parameter for each flag
    *,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    memory: Annotated[
        Path | None,
        typer.Option("--memory", help="Keep responses in this file [default: only while it runs].", show_default=False),
    ] = None,
    delay: Annotated[
        float | None, typer.Option("--delay", help="Seconds between streamed deltas [default: 0].", show_default=False)
    ] = None,
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
        typer.Option("--fault-seed", help="Seed that makes the random faults of %P repeatable.", show_default=False),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Record what --upstream answers, in this folder.", metavar="DIR"),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option("--upstream", help="Base URL of the server that requests are passed on to.", metavar="URL"),
    ] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="With --record: pass keys on to a plain http: address.")
    ] = False,
    replay: Annotated[
        Path | None, typer.Option("--replay", help="Answer with the recordings in this folder.", metavar="DIR")
    ] = None,
    loose: Annotated[
        bool, typer.Option("--loose", help="With --replay: find recordings by the prompt alone, too.")
    ] = False,
    fast: Annotated[bool, typer.Option("--fast", help="With --replay: without the recorded pauses.")] = False,
) -> None:
    """Serve the Responses API on this machine without a model, until interrupted."""
    faults = tuple(fault or ())
    serving = Serving(
        port, memory, delay, faults, fault_seed, record, upstream, insecure_http, replay, loose=loose, fast=fast
    )
    run(serving, Runtime(ConnectionOptions(offline=True)))


@telling
def run(options: Serving, runtime: Runtime) -> None:
    port = options.port
    if not 0 <= port <= 65535:  # noqa: PLR2004 - what a port is
        raise UsageError(f"--port: must be between 0 and 65535, not {port}")
    _check_modes(options)
    try:
        server = _server(options, runtime)
    except OSError as error:
        raise OutputError(f"--port: can't listen on 127.0.0.1:{port}: {error.strerror or error}") from error
    terminal = runtime.terminal
    terminal.write(f"listening on {server.base_url}\n".encode())
    key = "" if options.record else " COMETAPI_KEY=any"
    model = "" if options.record or options.replay else " COMETAPI_DEFAULT_MODEL=emulator"
    terminal.note(f"to use it: export COMETAPI_BASE_URL={server.base_url}{key}{model}")
    server.serve_forever()


def _check_modes(options: Serving) -> None:
    """Raises UsageError for flags that contradict each other, or that have no meaning without another one."""
    given = [
        ("--memory", options.memory is not None),
        ("--delay", options.delay is not None),
        ("--fault", bool(options.faults)),
        ("--fault-seed", options.fault_seed is not None),
    ]
    modes = [flag for flag, is_given in (("--record", options.record), ("--replay", options.replay)) if is_given]
    if len(modes) > 1:
        raise UsageError("--record: can't be combined with --replay")
    for flag, is_given in given if modes else []:
        if is_given:
            raise UsageError(f"{flag}: can't be combined with {modes[0]}: it is for the emulator's own answers")
    if options.record and options.upstream is None:
        raise UsageError("--record: needs --upstream", hint="as in --upstream https://api.cometapi.com/v1")
    for flag, needed, is_wrong in (
        ("--upstream", "--record", options.upstream is not None and not options.record),
        ("--insecure-http", "--record", options.insecure_http and not options.record),
        ("--loose", "--replay", options.loose and not options.replay),
        ("--fast", "--replay", options.fast and not options.replay),
    ):
        if is_wrong:
            raise UsageError(f"{flag}: needs {needed}")


def _server(options: Serving, runtime: Runtime) -> "Listening":
    """The server that the flags ask for. Raises OSError where it can't listen."""
    if options.record:
        return _recorder(options, options.record, runtime)
    if options.replay:
        from cometresp.recording.folder import load
        from cometresp.recording.replayer import Answers, ReplayingServer

        with runtime.terminal.waiting(f"reading {options.replay}"):
            answers = Answers(load(options.replay), loose=options.loose)
        return ReplayingServer(answers, runtime.terminal.warn, port=options.port, fast=options.fast)
    from cometresp.emulator.server import Emulator

    delay = options.delay or 0.0
    if not delay >= 0:
        raise UsageError(f"--delay: must be at least 0 seconds, not {delay:g}")
    try:
        return Emulator(
            port=options.port,
            memory=options.memory,
            delay=delay,
            faults=options.faults,
            fault_seed=options.fault_seed,
        )
    except ValueError as error:
        raise UsageError(f"--fault: {error}", hint="docs/emulator.md says what each kind does") from error


def _recorder(options: Serving, folder: Path, runtime: Runtime) -> "Listening":
    from cometresp.recording.recorder import RecordingServer, Reports, upstream

    url = normal_url(Value(options.upstream or "", "--upstream"))
    if url.startswith("http:") and not (is_loopback(url) or options.insecure_http):
        raise UsageError(
            f"--upstream: keys would go over plain http to {shown_url(url)}",
            hint="use https, or --insecure-http where the network is trusted",
        )
    terminal = runtime.terminal
    server = upstream(url, loopback=is_loopback(url))
    return RecordingServer(folder, server, Reports(terminal.note, terminal.warn), port=options.port)
