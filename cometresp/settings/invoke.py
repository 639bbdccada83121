"""Run a command of Typer's with the settings of the config file in place of flags that weren't typed."""

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from cometresp.config_file import load_file
from cometresp.errors import CometrespError, UsageError
from cometresp.reading import FileReading
from cometresp.terminal import Terminal

if TYPE_CHECKING:
    from cometresp.settings.fill import Filled


def invoke(ctx: Any, shared: Collection[str], run: Callable[[Any], Any]) -> Any:
    """What `run(ctx)` returns, once the `shared` fields of the command have their values.

    An error about a flag that wasn't typed says where it is set.
    """
    params = ctx.params
    values = _values(ctx, shared)
    if "header" in values:
        from cometresp.settings.fill import merged_headers

        params["header"] = merged_headers(values, params["header"])
    params |= {field: value.value for field, value in values.items() if field != "header"}
    try:
        return run(ctx)
    except UsageError as error:
        raise _explained(error, values) from error.__cause__


def _values(ctx: Any, shared: Collection[str]) -> "dict[str, Filled]":
    params = ctx.params
    terminal = Terminal.of_process(quiet=params.get("quiet", False), verbose=params.get("verbose", False))
    reading = FileReading(lambda: terminal, params.get("max_time"))
    file = load_file(os.environ, profile=params.get("profile"), reading=reading)
    if not file.table:
        return {}
    from cometresp.settings.fill import filled

    typed = {field for field in params if ctx.get_parameter_source(field).name != "DEFAULT"}
    continues = ctx.command.name == "continue" or bool(params.get("continue_") or params.get("from_"))
    return filled(file, shared, typed - {"header"}, continues=continues)


def _explained(error: CometrespError, values: "dict[str, Filled]") -> CometrespError:
    """The error; if it is about a flag that has its value from the file, with the place there."""
    for value in values.values():
        if error.message.startswith(f"{value.flag}:"):
            return error.and_hint(f"{value.flag} is set in {value.source}")
    return error
