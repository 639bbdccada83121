"""The concise form of a schema, `name, age int, bio: a short biography` -> JSON Schema. Pure.

Fields are separated by commas, or only by newlines if the text has any, so that descriptions can contain commas. A
field is `NAME` or `NAME TYPE`, optionally followed by `: DESCRIPTION`. A TYPE is str (the default), int, float, bool or
`list[TYPE]`. A `?` after a type means that the value may be null.
"""

import re

from cometresp.errors import UsageError
from cometresp.text import quoted
from cometresp.wire.json import Json

_NAME = re.compile(r"\w[\w-]*")
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_DEEPEST_LIST = 10  # levels of lists; servers accept fewer
_EXAMPLE = "as in 'name, age int, tags list[str], bio: a short biography'"


def from_fields(flag: str, text: str) -> Json:
    """The schema of an object with these fields, all of them required. Raises UsageError."""
    separator = "\n" if "\n" in text.rstrip() else ","
    properties: Json = {}
    for part in text.split(separator):
        if not (field := part.strip()):
            continue
        head, _, description = field.partition(":")
        name, _, kind = " ".join(head.split()).partition(" ")
        if not _NAME.fullmatch(name):
            commas = name.endswith(",") and separator == "\n"
            raise UsageError(
                f"{flag}: field {quoted(field)}: a name is letters, digits, _ and -, not {quoted(name)}",
                hint="if there are newlines, only these separate the fields" if commas else _EXAMPLE,
            )
        if name in properties:
            raise UsageError(f"{flag}: field {name} is defined twice")
        schema = _schema_of_type(flag, name, kind)
        if description := description.strip():
            schema["description"] = description
        properties[name] = schema
    if not properties:
        raise UsageError(f"{flag}: {quoted(text)} names no field", hint=_EXAMPLE)
    return {"type": "object", "properties": properties, "required": list(properties)}


def _schema_of_type(flag: str, name: str, kind: str) -> Json:
    lists: list[bool] = []  # for each list, from the outermost: whether it may be null
    rest = kind or "str"
    while True:
        nullable = rest.endswith("?")
        rest = rest.removesuffix("?").strip()
        if not (rest.startswith("list") and rest.endswith("]") and rest[4:].lstrip().startswith("[")):
            break
        lists.append(nullable)
        rest = rest[4:].lstrip()[1:-1].strip()
        if len(lists) > _DEEPEST_LIST:
            raise UsageError(f"{flag}: field {name}: lists can be nested at most {_DEEPEST_LIST} deep")
    if rest not in _TYPES:
        rule = "types are str, int, float, bool and list[TYPE], each followed by ? if it may be null"
        raise UsageError(f"{flag}: field {name}: {quoted(kind)} is not a type; {rule}", hint=_EXAMPLE)
    schema: Json = {"type": _type(_TYPES[rest], nullable=nullable)}
    for may_be_null in reversed(lists):
        schema = {"type": _type("array", nullable=may_be_null), "items": schema}
    return schema


def _type(kind: str, *, nullable: bool) -> str | list[str]:
    return [kind, "null"] if nullable else kind
