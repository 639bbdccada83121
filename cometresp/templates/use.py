"""A template with the values of its variables: the flags and the prompt of a command line.

What a template reads is looked for beside it, what it writes in the current directory. Values of variables are data:
only `--var NAME=@FILE` reads a file, whatever else a value looks like.
"""

import os
import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from cometresp.config_file import expanded
from cometresp.errors import UsageError
from cometresp.paths import MOST_HELD, Reading
from cometresp.request.files import open_file, shown_name
from cometresp.request.inputs import Slot, without_newline
from cometresp.settings.fill import Filled
from cometresp.templates.braces import Variable, filled, variables_of
from cometresp.templates.places import read
from cometresp.templates.template import INPUT, STDIN, Flag, Template, parse
from cometresp.templates.tools import BRINGING, check_json
from cometresp.text import Read, Say, escape_line, quoted
from cometresp.tuples import NamedTuple

_READ = {"file", "functions"}  # which name files
_READ_BEHIND_AT = {
    "instructions",
    "input",
    "schema",
    "schema_multi",
    "tool",
    "tool_choice",
    "context_management",
    "body",
}
_WRITTEN = {"output", "id_file", "save_images", "summary_file"}
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file-[A-Za-z0-9_-]{6,}$")

Prompt = list[str | Slot]


class Used(NamedTuple):
    """The flags by the fields of the options, and the pieces of the prompt."""

    flags: dict[str, Filled]
    prompt: Prompt


def used(given: str, variables: list[str], environ: Mapping[str, str], reading: Reading, warn: Say) -> Used:
    """The template of `--template`, with the values of `--var`. Raises UsageError for anything wrong in either."""
    path, text = read(given, environ, reading)
    template = parse(text, path)
    values = _values(template, variables, reading, warn)
    flags = _flags(template, values, _names(variables), partial(_text_of, reading, warn))
    return Used(flags, _prompt(template, values))


def open_flags(given: str, variables: list[str], environ: Mapping[str, str], reading: Reading, warn: Say) -> Any:
    """The flags of a template whose other variables get their values later, row by row: those without any of these."""
    path, text = read(given, environ, reading)
    template = parse(text, path)
    values = given_values(template, variables, reading, warn)
    return _flags(template, values, _names(variables), partial(_text_of, reading, warn))


def missing_of(flag: Flag, values: Mapping[str, str]) -> list[str]:
    """The variables of a flag that have no value yet."""
    return [name for texts in flag.texts or () for name in variables_of(texts) if name not in values]


def _prompt(template: Template, values: Mapping[str, str]) -> Prompt:
    return [
        piece if isinstance(piece, str) else Slot(piece.name) if piece.name in (STDIN, INPUT) else values[piece.name]
        for piece in template.prompt
    ]


# variables ----------------------------------------------------------------------------------------------------------


def _values(template: Template, given: list[str], reading: Reading, warn: Say) -> dict[str, str]:
    """The value of each variable, of `--var` or its default."""
    values = given_values(template, given, reading, warn)
    missing = [name for name in template.variables if name not in values]
    if missing:
        which = "the variable" if len(missing) == 1 else "the variables"
        hint = " ".join(f"--var {name}=…" for name in missing)
        raise UsageError(f"--template: {which} {', '.join(missing)} of {template.shown} must be given", hint=hint)
    return values


def given_values(template: Template, given: list[str], reading: Reading, warn: Say) -> dict[str, str]:
    """The values that `--var` and the defaults give. Raises UsageError for a variable that the template lacks."""
    values = {name: default for name, default in template.variables.items() if default is not None}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--var: {quoted(pair)} must be NAME=VALUE or NAME=@FILE")
        if name not in template.variables:
            raise _unknown(name, template)
        values[name] = _value(name, value, reading, warn)
    return values


def _unknown(name: str, template: Template) -> UsageError:
    shown = escape_line(name, 80)
    if name in (STDIN, INPUT):
        what = "piped in" if name == STDIN else "typed"
        return UsageError(f"--var: {{{name}}} is what is {what}, not a variable")
    from cometresp.nearest import nearest

    near = nearest(name, template.variables)
    known = f"its variables: {', '.join(template.variables)}" if template.variables else "it has no variables"
    return UsageError(
        f"--var: {template.shown} has no variable {shown}", hint=f"did you mean {near}?" if near else known
    )


def _value(name: str, value: str, reading: Reading, warn: Say) -> str:
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    if value in ("@", "@-"):
        hint = "{stdin} in a prompt is standard input; @@ is a literal @"
        raise UsageError(f"--var: {name}: {value} names no file", hint=hint)
    return without_newline(_text_of(reading, warn, "--var", value[1:]))


def _names(given: list[str]) -> set[str]:
    """The variables whose values were typed."""
    return {pair.partition("=")[0] for pair in given}


def _text_of(reading: Reading, warn: Say, flag: str, path: str) -> str:
    from cometresp.request.attachments import decoded

    with reading(path):
        source = open_file(flag, path, most=MOST_HELD)
        return decoded(b"".join(source.chunks()), source.shown, warn)


# flags --------------------------------------------------------------------------------------------------------------


def _flags(template: Template, values: Mapping[str, str], typed: Collection[str], text_of: Read) -> dict[str, Filled]:
    """The flags all of whose variables have values."""
    return {
        field: _with_files(field, filled_flag(field, flag, template, values, typed), template, text_of)
        for field, flag in template.flags.items()
        if not missing_of(flag, values)
    }


def filled_flag(
    field: str, flag: Flag, template: Template, values: Mapping[str, str], typed: Collection[str] = ()
) -> Filled:
    """The value of a flag, with its variables filled in; the values of `typed` ones are the user's own."""
    if flag.texts is None:
        return Filled(flag.value, template.shown, flag.flag)
    folder = os.path.dirname(template.path)  # noqa: PTH120 - "" stays so
    found = []
    for texts in flag.texts:
        text = filled(texts, values)
        first = texts[0] if texts and isinstance(texts[0], Variable) else None
        if field in _WRITTEN:  # which place it is in may be typed, the rest is the template's
            is_typed = first is not None and first.name in typed and bool(values[first.name])
            _check_written(flag, f"x{filled(texts[1:], values)}" if is_typed else text, template)
        if first and field in _READ_BEHIND_AT and text.startswith("@"):
            text = f"@{text}"  # a value is text
        found.append(text if first else _beside(field, text, folder))
    value: Any = found if isinstance(flag.value, list) else found[0]
    return Filled(value, template.shown, flag.flag)


def _with_files(field: str, flag: Filled, template: Template, text_of: Read) -> Filled:
    """The flag; if it may bring tools, with the JSON of its files, which is checked, in place of their names."""
    if field not in BRINGING:
        return flag

    def with_json(text: str) -> str:
        if not text.startswith("@") or text == "@-" or text.startswith("@@") or text == "@":
            return text
        content = text_of(flag.flag, text[1:])
        if not content.strip():
            raise UsageError(f"{flag.flag}: {shown_name(text[1:])} is empty")
        check_json(f"{template.shown}: {template.flags[field].name}", field, content)
        return content

    value = flag.value
    return flag._replace(value=[*map(with_json, value)] if isinstance(value, list) else with_json(value))


def _check_written(flag: Flag, path: str, template: Template) -> None:
    """Raises UsageError for a path by which a template could change what other programs read and run."""
    parts = re.split(r"[/\\]", path)
    if path != "-" and (os.path.isabs(path) or any(part != "." and part.startswith((".", "~")) for part in parts)):  # noqa: PTH117
        raise UsageError(
            f"{template.shown}: {flag.name}: a template writes no hidden file, and none outside the current directory",
            hint=f"{flag.flag} can be typed",
        )


def _beside(field: str, text: str, folder: str) -> str:
    """The value of a flag whose path, if it names a file that is read, is one beside the template."""

    def joined(path: str) -> str:
        return os.path.join(folder, expanded(path))  # noqa: PTH118 - an absolute path stays as it is

    if field in _READ:
        return text if text == "-" or _REMOTE.match(text) else joined(text)
    if field == "param":
        name, equals, value = text.partition("=")
        return f"{name}{equals}{_behind_at(value, joined)}"
    if field in ("schema", "schema_multi"):
        from cometresp.schema.format import names_file

        if names_file(text):
            return joined(text)
    return _behind_at(text, joined) if field in _READ_BEHIND_AT else text


def _behind_at(text: str, joined: Callable[[str], str]) -> str:
    return f"@{joined(text[1:])}" if text.startswith("@") and text not in ("@", "@-") and text[1] != "@" else text
