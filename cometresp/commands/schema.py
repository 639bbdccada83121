"""`cometresp schema`: the JSON Schema that `--schema` would send. Offline."""

from typing import Annotated

import typer

from cometresp.help.command import Command
from cometresp.options.tables import ConnectionOptions
from cometresp.request.inputs import Inputs
from cometresp.runtime import Runtime, telling
from cometresp.schema.format import json_schema_format
from cometresp.tuples import NamedTuple

app = typer.Typer(add_completion=False)


class Spec(NamedTuple):
    spec: str
    multi: bool
    no_strict: bool


@app.command(cls=Command)
def schema(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC", help="'name, age int', a JSON Schema, @FILE, @- or NAME.json.", show_default=False
        ),
    ],
    *,
    multi: Annotated[
        bool, typer.Option("--multi", help="Print the schema of a list of them, as --schema-multi sends it.")
    ] = False,
    no_strict: Annotated[bool, typer.Option("--no-strict", help="Print a JSON Schema unchanged.")] = False,
) -> None:
    """Print the JSON Schema that --schema SPEC would send."""
    run(Spec(spec, multi, no_strict), Runtime(ConnectionOptions()))


@telling
def run(options: Spec, runtime: Runtime) -> None:
    read = Inputs(runtime.terminal, reading=runtime.reading).text_of
    strict = not options.no_strict
    shape = json_schema_format(options.spec, None, read, strict=strict, multi=options.multi, flag="SPEC")
    runtime.terminal.print_json(shape["schema"])
