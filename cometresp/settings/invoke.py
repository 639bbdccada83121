"""Run a command of Typer's with the settings of the config file in place of flags that weren't typed."""

import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from cometresp.config_file import load_file
from cometresp.errors import CometrespError, UsageError
from cometresp.reading import FileReading
from cometresp.terminal import Terminal

if TYPE_CHECKING:
    from cometresp.settings.fill import Filled

# The flags of a template (its name, its variables) by their fields.
Template = Callable[[str, list[str], Terminal, FileReading], "dict[str, Filled]"]

_STARTS = ("functions", "mcp")  # what of a template's flags starts programs


def invoke(ctx: Any, shared: Collection[str], run: Callable[[Any], Any], template: Template) -> Any:
    """What `run(ctx)` returns, once the `shared` fields of the command have their values.

    Those of the template come before those of the file, but of two limits of cost the smaller counts. An error about a
    flag that wasn't typed says where it is set.
    """
    params = ctx.params
    values = _values(ctx, shared, template)
    if "header" in values:
        from cometresp.settings.fill import merged_headers

        params["header"] = merged_headers(values, params.get("header"))
    params |= {field: value.value for field, value in values.items() if field != "header"}
    try:
        return run(ctx)
    except UsageError as error:
        raise _explained(error, values) from error.__cause__


def with_settings(params: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """The flags of a wrong command line, with the file's values for those of `fields` that weren't typed.

    A file that can't be used is left out: the error of the command line is told.
    """
    from cometresp.settings.fill import filled

    names = {field for field in fields if field in params}
    try:
        file = load_file(os.environ, profile=params.get("profile"))
        values = filled(file, names, {field: params[field] for field in names if params[field]})
    except CometrespError:
        return dict(params)
    return {**params, **{field: value.value for field, value in values.items()}}


def _values(ctx: Any, shared: Collection[str], template: Template) -> "dict[str, Filled]":
    params = ctx.params
    terminal = Terminal.of_process(quiet=params.get("quiet", False), verbose=params.get("verbose", False))
    reading = FileReading(lambda: terminal, params.get("max_time"))
    file = load_file(os.environ, profile=params.get("profile"), reading=reading)
    typed = {field for field in params if ctx.get_parameter_source(field).name != "DEFAULT"}
    if not file.table and "template" not in typed:
        return {}
    from cometresp.settings.fill import filled
    from cometresp.settings.relations import excluded

    command = ctx.command.name or ""
    given = {field: params[field] for field in typed}
    named = any({"template", "var"} & layer.values.keys() for layer in file.layers)
    which = filled(file, {"template", "var"} & set(shared), given, command=command) if named else {}
    name, variables = (which[field].value if field in which else params.get(field) for field in ("template", "var"))
    over: dict[str, Filled] = {}
    if name is not None:
        try:
            found = template(name, variables or [], terminal, reading)
        except UsageError as error:
            raise _explained(error, which) from error.__cause__
        over = {
            field: one
            for field, one in found.items()
            if field in shared and field not in given and not excluded(field, one.value, given, command)
        }
    given |= {field: one.value for field, one in over.items() if field != "max_cost"}
    given.pop("header", None)  # those of the file are added to them
    values = filled(file, shared, given, command=command)
    if _limits_more(values.get("max_cost"), over.get("max_cost")):
        del over["max_cost"]
    if "header" in values and "header" in over:
        over["header"] = over["header"]._replace(value=values["header"].value + over["header"].value)
    values |= over
    _check_allowed(over, typed | values.keys())
    return values


def _limits_more(one: "Filled | None", other: "Filled | None") -> bool:
    return one is not None and other is not None and bool(one.value < other.value)


def _check_allowed(over: "dict[str, Filled]", given: Collection[str]) -> None:
    """Raises UsageError where a template starts programs, and nothing but the template says that they may run."""
    start = next((over[field] for field in _STARTS if field in over), None)
    if start is not None and "approve" not in given:
        raise UsageError(
            f"{start.source}: {start.flag[2:]}: a template starts nothing without --approve",
            hint="--approve ask starts it, and asks before each call",
        )


def _explained(error: CometrespError, values: "dict[str, Filled]") -> CometrespError:
    """The error; if it is about flags that have their values from the file, with their places there."""
    named = {value.flag: value for value in values.values() if _names(error.message, value.flag)}
    places = [f"{flag} is set in {value.source}" for flag, value in named.items()]
    return error.and_hint("; ".join(places)) if places else error


def _names(message: str, flag: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", message) is not None
