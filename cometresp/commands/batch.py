"""`cometresp batch`: many requests from one file, sent from here; `merge` joins the outputs of several runs."""

from functools import partial
from typing import Annotated

import typer

from cometresp.batch.asked import Asked, Merged
from cometresp.batch.looked import Fetching, Looked, Outputs, Submission
from cometresp.errors import UsageError
from cometresp.help.command import Command, DefaultCommand, GroupWithDefault
from cometresp.options.arguments import AsJson, BatchId, Quiet, ReplyAsJson, SomeBatch
from cometresp.options.batch import BatchOptions
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions, RequestOptions
from cometresp.runtime import Runtime, telling
from cometresp.turns.dry_run import show, shown_only
from cometresp.wire import endpoints

# Shared flags that mean nothing for many responses at once.
_WITHOUT = {
    *("no_stdin", "edit", "background", "wait", "count_tokens"),
    *("format", "json", "events", "extract", "extract_last", "select", "save_images", "show_reasoning", "id_file"),
}
# What the provider's lane has no use for: how requests are made here, and what a run of them is told.
_OF_A_RUN = {
    *("jobs", "rpm", "tpm", "ordered", "resume", "retry_failed", "input_changed", "fail_fast", "max_failures"),
    *("shard", "record", "max_cost", "usage", "allow_incomplete", "bell", "summary_file", "github"),
}
_NOT_SUBMITTED = _WITHOUT | _OF_A_RUN | {"no_stream", "include_obfuscation", "fallback_model"}
_SHOWN_ONLY = set(OutputOptions._fields) - {"quiet", "verbose", "plain", "color"}
_FETCHED = _SHOWN_ONLY - {"output", "price"}

Number = Annotated[
    int, typer.Option("-n", "--number", help="Number of batches to list, at most.", metavar="N", min=1, max=10_000)
]
Errors = Annotated[
    str | None,
    typer.Option("--errors", help="Write failed requests to a file of their own.", metavar="FILE", show_default=False),
]

app = typer.Typer(cls=GroupWithDefault, add_completion=False)


# declarations -------------------------------------------------------------------------------------------------------


@app.callback(short_help="Send many requests from a file; merge outputs.")
def group() -> None:
    """Send many requests from a file, some at a time, and write their responses as they come."""


def _batch(
    ctx: typer.Context,
    *,
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="The requests; - is standard input.", show_default=False)
    ],
    batch: BatchOptions,
    request: RequestOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Send many requests from a file, some at a time, and write their responses as they come."""
    asked = Asked(source, batch, request, output, connection, _typed(ctx), tuple(ctx.meta.get("words", ())))
    run(asked, Runtime(connection, output))


app.command(
    "file",
    cls=DefaultCommand,
    epilog="""
    cometresp batch prompts.jsonl -m gpt-5.4 -o answers.jsonl
    cometresp batch --lines questions.txt --text -o lines.jsonl
    cometresp batch reviews.csv -m gpt-5.4 --template classify.toml -o classes.jsonl --max-cost 5 --price 2,8
    cometresp batch prompts.jsonl -o answers.jsonl --resume --retry-failed
    """,
)(spread(_batch, without=_WITHOUT | {"curl"}))


@app.command(
    cls=Command,
    epilog="""
    cometresp batch merge part-*.jsonl -o answers.jsonl --requests prompts.jsonl
    """,
)
def merge(
    outputs: Annotated[list[str], typer.Argument(metavar="OUT…", help="Outputs of batch runs.", show_default=False)],
    *,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE.", show_default=False)
    ] = None,
    requests: Annotated[
        str | None,
        typer.Option(
            "--requests",
            metavar="FILE",
            help="The input of the runs: report which of its requests are missing.",
            show_default=False,
        ),
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Each line of the input is a prompt.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The input is CSV.")] = False,
    tsv: Annotated[bool, typer.Option("--tsv", help="The input is TSV.")] = False,
    quiet: Quiet = False,
) -> None:
    """Join the outputs of several runs: one line for each id, a good one if there is any."""
    asked = Merged(tuple(outputs), requests, BatchOptions(lines=lines, csv=csv, tsv=tsv), output)
    run_merge(asked, Runtime(ConnectionOptions(), OutputOptions(output=output, quiet=quiet)))


# The provider's lane ------------------------------------------------------------------------------------------------


@app.command(
    cls=Command,
    short_help="Submit a file to the provider's batch lane.",
    epilog="""
    cometresp batch submit prompts.jsonl -m gpt-5.4
    cometresp batch submit prompts.jsonl --wait -o answers.jsonl
    """,
)
@partial(spread, without=_NOT_SUBMITTED)
def submit(  # noqa: PLR0913 - a parameter for each flag
    ctx: typer.Context,
    *,
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="The requests; - is standard input, file-… one on the server.", show_default=False
        ),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended, and write the results.")] = False,
    inline: Annotated[
        bool, typer.Option("--inline", help="Send the requests in the body, for servers that take no files.")
    ] = False,
    completion_window: Annotated[
        str,
        typer.Option(
            "--completion-window",
            help="Time within which the batch is to be done [default: 24h].",
            metavar="TIME",
            show_default=False,
        ),
    ] = "24h",
    batch_metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--batch-metadata",
            help="KEY=VALUE pair of the batch itself. Repeatable.",
            metavar="K=V",
            show_default=False,
        ),
    ] = None,
    errors: Errors = None,
    as_json: ReplyAsJson = False,
    batch: BatchOptions,
    request: RequestOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Submit a file to the provider's batch lane: slower and cheaper. Prints the id of the batch."""
    asked = Asked(source, batch, request, output, connection, _typed(ctx))
    outputs = Outputs(output.file, errors, batch.text)
    pairs = tuple(batch_metadata or ())
    run_submit(Submission(asked, inline, completion_window, pairs, wait, as_json, outputs), Runtime(connection, output))


@app.command(
    cls=Command,
    short_help="Show the status of a batch, or the last ones.",
    epilog="""
    cometresp batch status
    cometresp batch status last --wait
    """,
)
@partial(spread, without=_SHOWN_ONLY)
def status(
    *,
    batch_id: SomeBatch = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended (--max-time limits it).")] = False,
    number: Number = 10,
    as_json: AsJson = False,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Show the status of a batch; without an ID those that were submitted last."""
    run_status(Looked(batch_id, wait, as_json, number), Runtime(connection, output))


@app.command(
    cls=Command,
    short_help="Write the results of a batch that has ended.",
    epilog="""
    cometresp batch fetch last -o answers.jsonl
    cometresp batch fetch batch_ab12 --wait -o answers.jsonl --errors failed.jsonl
    """,
)
@partial(spread, without=_FETCHED)
def fetch(
    *,
    batch_id: BatchId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended (--max-time limits it).")] = False,
    errors: Errors = None,
    as_text: Annotated[
        bool,
        typer.Option("--text", help="Write custom_id, text, exit, usage and cost of each, not the whole response."),
    ] = False,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Write the results of a batch; exit 7 before it has ended."""
    run_fetch(Fetching(batch_id, wait, Outputs(output.file, errors, as_text)), Runtime(connection, output))


@app.command(cls=Command)
@partial(spread, without=_SHOWN_ONLY)
def cancel(
    *,
    batch_id: BatchId,
    as_json: ReplyAsJson = False,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Cancel a batch; what was answered until then can be fetched."""
    run_cancel(Looked(batch_id, False, as_json, 1), Runtime(connection, output))


@app.command("list", cls=Command)
@partial(spread, without=_SHOWN_ONLY)
def list_(
    *, number: Number = 20, as_json: AsJson = False, output: OutputOptions, connection: ConnectionOptions
) -> None:
    """List the batches of the server, the newest first."""
    run_list(Looked(None, False, as_json, number), Runtime(connection, output))


def _typed(ctx: typer.Context) -> frozenset[str]:
    """The fields of the flags that were typed."""
    sources = {field: ctx.get_parameter_source(field) for field in ctx.params}
    return frozenset(field for field, origin in sources.items() if origin is not None and origin.name != "DEFAULT")


# runs ---------------------------------------------------------------------------------------------------------------


@telling
def run(asked: Asked, runtime: Runtime) -> None:
    from cometresp.batch.run import run as run_batch

    run_batch(asked, runtime)


@telling
def run_merge(asked: Merged, runtime: Runtime) -> None:
    from cometresp.batch.merge import merge as merge_outputs

    merge_outputs(asked, runtime)


@telling
def run_submit(options: Submission, runtime: Runtime) -> None:
    from cometresp.batch.submit import submit

    submit(options, runtime, partial(show, runtime))


@telling
def run_status(options: Looked, runtime: Runtime) -> None:
    from cometresp.batch.lane import show_recent, show_status

    if options.id is None:
        if options.wait:
            raise UsageError("--wait: needs the ID of a batch", hint="last is the newest one")
        show_recent(options, runtime)
        return
    options = options._replace(id=_resolved(options.id, runtime))
    if not shown_only(runtime, endpoints.batch(options.id or "")):
        show_status(options, runtime)


@telling
def run_fetch(options: Fetching, runtime: Runtime) -> None:
    from cometresp.batch.results import fetch

    options = options._replace(id=_resolved(options.id, runtime))
    if not shown_only(runtime, endpoints.batch(options.id)):
        fetch(options, runtime)


@telling
def run_cancel(options: Looked, runtime: Runtime) -> None:
    from cometresp.batch.lane import cancel as cancel_batch

    options = options._replace(id=_resolved(options.id or "", runtime))
    if not shown_only(runtime, endpoints.cancel_batch(options.id or "")):
        cancel_batch(options, runtime)


@telling
def run_list(options: Looked, runtime: Runtime) -> None:
    from cometresp.batch.lane import list_batches

    if not shown_only(runtime, endpoints.batches(options.number)):
        list_batches(options, runtime)


def _resolved(given: str, runtime: Runtime) -> str:
    from cometresp.batch.submitted import resolve
    from cometresp.turns.lookup import id_from_stdin

    return resolve(id_from_stdin(runtime) if given == "-" else given, runtime)
