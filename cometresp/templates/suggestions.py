"""Names and variables of templates for a shell's completion; none where they can't be read."""

import os

from cometresp.errors import CometrespError
from cometresp.templates.places import names, read
from cometresp.templates.template import Template, parse
from cometresp.text import escape_line

_SHOWN = 60  # characters of a description


def template_names(typed: str) -> list[tuple[str, str]]:
    """The templates whose names begin as typed, with their descriptions."""
    try:
        found = [name for name in names(os.environ) if name.startswith(typed)]
    except CometrespError:
        return []
    return [(name, escape_line(template.description, _SHOWN) if (template := _read(name)) else "") for name in found]


def variable_names(template: str, typed: str) -> list[tuple[str, str]]:
    """`NAME=` for the variables of a template, with their defaults."""
    found = _read(template)
    variables = found.variables if found else {}
    return [
        (f"{name}=", "" if default is None else escape_line(default, _SHOWN))
        for name, default in variables.items()
        if name.startswith(typed)
    ]


def _read(given: str) -> Template | None:
    try:
        path, text = read(given, os.environ)
        return parse(text, path)
    except CometrespError:
        return None
