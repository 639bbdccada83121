"""`cometresp batch`: many requests from one file, sent from here; `merge` joins the outputs of several runs."""

from typing import Annotated

import typer

from cometresp.batch.asked import Asked
from cometresp.errors import UsageError
from cometresp.help.command import Command, DefaultCommand, GroupWithDefault
from cometresp.options.batch import BatchOptions
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions, RequestOptions
from cometresp.runtime import Runtime, telling

# Shared flags that mean nothing for many responses at once.
_WITHOUT = {
    *("no_stdin", "edit", "background", "wait", "count_tokens"),
    *("format", "json", "events", "extract", "extract_last", "select", "save_images", "show_reasoning", "id_file"),
    "curl",
}

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
    sources = {field: ctx.get_parameter_source(field) for field in ctx.params}
    typed = frozenset(field for field, origin in sources.items() if origin is not None and origin.name != "DEFAULT")
    asked = Asked(source, batch, request, output, connection, typed, tuple(ctx.meta.get("words", ())))
    run(asked, Runtime(connection, output))


app.command(
    "file",
    cls=DefaultCommand,
    epilog="""
    cometresp batch prompts.jsonl -m gpt-5.4 -o answers.jsonl
    cometresp batch --lines questions.txt --text -o answers.jsonl
    cometresp batch reviews.csv --template classify -o answers.jsonl --max-cost 5
    cometresp batch prompts.jsonl -o answers.jsonl --resume --retry-failed
    """,
)(spread(_batch, without=_WITHOUT))


@app.command(cls=Command)
def merge(
    outputs: Annotated[list[str], typer.Argument(metavar="OUT…", help="Outputs of batch runs.", show_default=False)],
) -> None:
    """Join the outputs of several runs: one line for each id, the good ones win."""


# The provider's lane: submit, status, fetch, cancel, list. Its code is in batch/lane*.py.


# runs ---------------------------------------------------------------------------------------------------------------


@telling
def run(asked: Asked, runtime: Runtime) -> None:  # noqa: ARG001
    raise UsageError("batch isn't built yet")
