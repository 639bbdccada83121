"""`cometresp schema`: the JSON Schema that `--schema` would send. Offline."""

from typing import Annotated

import typer

from cometresp.options.tables import ConnectionOptions
from cometresp.request.inputs import Inputs
from cometresp.runtime import Runtime
from cometresp.schema.format import json_schema_format

app = typer.Typer(add_completion=False)


@app.command()
def schema(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC", help="'name, age int', a JSON Schema, @FILE, @- or NAME.json.", show_default=False
        ),
    ],
    *,
    multi: Annotated[bool, typer.Option("--multi", help="For a list of them, as --schema-multi.")] = False,
    no_strict: Annotated[bool, typer.Option("--no-strict", help="A JSON Schema as it is.")] = False,
) -> None:
    """Print the JSON Schema that --schema SPEC would send."""
    runtime = Runtime(ConnectionOptions())
    read = Inputs(runtime.terminal).text_of
    shape = json_schema_format(spec, None, read, strict=not no_strict, multi=multi, flag="SPEC")
    runtime.print_json(shape["schema"])
