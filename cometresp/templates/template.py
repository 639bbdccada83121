r"""A file -> a template: its prompt, its flags, its variables. Checked whole, before any of it is used.

    description = "Translates what is piped in"
    prompt = "Translate into {language}:\n\n{stdin}"
    temperature = 0.2          # any flag, by its long name
    [vars]
    language = "English"       # what a variable is where --var doesn't say it

It can't allow anything: what lets calls run, what says where the key goes, and variables of the environment are refused
in it.
"""

from pathlib import Path
from typing import Any

from cometresp.errors import ConfigError, UsageError
from cometresp.settings.flags import checked, settings
from cometresp.templates.braces import Piece, pieces, variables_of
from cometresp.templates.tools import check_text
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple

STDIN, INPUT = "stdin", "input"
_OWN = ("prompt", "description", "vars")
_PERMISSION = "a template can't allow what may run; type it"
_SERVER = "a template can't say where the key goes; a profile can"
_REFUSED = {
    "approve": _PERMISSION,
    "allow_tool": _PERMISSION,
    "tool_env": _PERMISSION,
    "base_url": _SERVER,
    "insecure_http": _SERVER,
    "ca_file": _SERVER,
    "profile": _SERVER,
    "template": "a template can't use another",
    "price": "a template can't change what a run may cost; type it",
    "var": "the table [vars] has the values of variables",
}
# Flags whose text is mostly JSON, where braces are braces.
_AS_IT_IS = {
    *("input", "schema", "schema_multi", "tool", "tool_choice", "context_management", "param", "body", "prompt_var"),
    *("tool_output", "tool_output_file"),
}


class Flag(NamedTuple):
    """A flag of a template: its setting's name, its flag, and its value; text is in pieces."""

    name: str
    flag: str
    value: Any
    texts: list[list[Piece]] | None = None  # of a string one, of a list one each


class Template(NamedTuple):
    """`flags` by the fields of the options. `variables` have their defaults; None where there is none."""

    path: Path
    description: str
    prompt: list[Piece]
    flags: dict[str, Flag]
    variables: dict[str, str | None]

    @property
    def shown(self) -> str:
        return escape_line(str(self.path), 200)


def parse(text: str, path: Path) -> Template:
    """The template in a file's text. Raises UsageError, which starts with the file, for anything wrong in it."""
    table, shown = _table(text, path), escape_line(str(path), 200)
    prompt, description, defaults = (table.pop(name, None) for name in _OWN)
    for name, value in (("prompt", prompt), ("description", description)):
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{shown}: {name} must be a string")
    found = _pieces(prompt or "", f"{shown}: prompt")
    flags = _flags(table, shown)
    used = variables_of(found)
    for flag in flags.values():
        used += [name for one in flag.texts or () for name in variables_of(one)]
        if any({STDIN, INPUT} & {*variables_of(one)} for one in flag.texts or ()):
            raise UsageError(f"{shown}: {flag.name}: {{stdin}} and {{input}} stand in prompt only")
    given = _defaults(defaults, shown)
    for name in given:
        if name not in used:
            raise UsageError(f"{shown}: vars.{escape_line(name, 80)} stands nowhere in it")
    variables = {name: given.get(name) for name in dict.fromkeys(used) if name not in (STDIN, INPUT)}
    return Template(path, " ".join((description or "").split()), found, flags, variables)


def _table(text: str, path: Path) -> dict[str, Any]:
    from cometresp.config_file import parse as parse_toml

    try:
        return parse_toml(text, path)
    except ConfigError as error:
        raise UsageError(escape_line(error.message)) from error


def _pieces(text: str, where: str) -> list[Piece]:
    try:
        return pieces(text)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error


def _flags(table: dict[str, Any], shown: str) -> dict[str, Flag]:
    known = settings()
    flags: dict[str, Flag] = {}
    for name, value in table.items():
        if name in _REFUSED:
            raise UsageError(f"{shown}: {name}: {_REFUSED[name]}")
        if (setting := known.get(name)) is None:
            dashed = name.replace("_", "-")
            from cometresp.nearest import nearest

            near = nearest(dashed, [other.replace("_", "-") for other in {*known, *_OWN} - {*_REFUSED}])
            hint = (
                f"did you mean {near.replace('-', '_')}?"
                if near
                else "a flag's long name, or prompt, description, vars"
            )
            raise UsageError(f"{shown}: unknown setting {escape_line(name, 80)!r}", hint=hint)
        if setting.field in _REFUSED:
            raise UsageError(f"{shown}: {name}: {_REFUSED[setting.field]}")
        if setting.field in flags:
            raise UsageError(f"{shown}: {flags[setting.field].name} and {name} are the same flag")
        flags[setting.field] = _flag(name, setting.field, setting.flag, value, shown)
    return flags


def _flag(name: str, field: str, flag: str, value: Any, shown: str) -> Flag:
    try:
        value = checked(name, value, shown)
    except ConfigError as error:
        raise UsageError(error.message, hint=error.hint) from error
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list):
        return Flag(name, flag, value)
    if field in _AS_IT_IS:
        return Flag(name, flag, value, [[check_text(f"{shown}: {name}", field, entry)] for entry in entries])
    return Flag(name, flag, value, [_pieces(entry, f"{shown}: {name}") for entry in entries])


def _defaults(table: object, shown: str) -> dict[str, str]:
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise UsageError(f"{shown}: vars must be a table, as in [vars]")
    for name, value in table.items():
        if name in (STDIN, INPUT):
            raise UsageError(f"{shown}: vars.{name}: {{{name}}} is what is {'piped in' if name == STDIN else 'typed'}")
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise UsageError(f"{shown}: vars.{escape_line(name, 80)} must be a string or a number")
    return {name: str(value) for name, value in table.items()}
