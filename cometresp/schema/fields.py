"""The concise form of a schema, `name, age int, bio: a short biography` -> JSON Schema. Pure.

Fields are separated by commas, or by newlines where the text has some, so that descriptions can hold commas. A field is
`NAME`, `NAME TYPE`, either with `: DESCRIPTION` behind it. A TYPE is str (the default), int, float, bool, `list[TYPE]`,
or one of these with a `?` behind it: such a value may be null.
"""

import re

from cometresp.errors import UsageError
from cometresp.wire.json import Json

_NAME = re.compile(r"\w[\w-]*")

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}

_DEEPEST_LIST = 10  # lists in lists; servers take fewer

_SHOWN = 60

_EXAMPLE = "as in 'name, age int, tags list[str], bio: a short biography'"


def from_fields(flag: str, text: str) -> Json:
    """The object that the fields make up, all of them required, in their order. Raises UsageError."""
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
                f"{flag}: field {_shown(field)}: a name is letters, digits, _ and -, not {_shown(name)}",
                hint="where there are newlines, these alone separate the fields" if commas else _EXAMPLE,
            )
        if name in properties:
            raise UsageError(f"{flag}: field {name} is there twice")
        schema = _typed(flag, name, kind)
        if description := description.strip():
            schema["description"] = description
        properties[name] = schema
    if not properties:
        raise UsageError(f"{flag}: {_shown(text)} names no field", hint=_EXAMPLE)
    return {"type": "object", "properties": properties, "required": list(properties)}


def _typed(flag: str, name: str, kind: str) -> Json:
    lists: list[bool] = []  # from the outermost: whether it may be null
    rest = kind or "str"
    while True:
        nullable = rest.endswith("?")
        rest = rest.removesuffix("?").strip()
        if not (rest.startswith("list") and rest.endswith("]") and rest[4:].lstrip().startswith("[")):
            break
        lists.append(nullable)
        rest = rest[4:].lstrip()[1:-1].strip()
        if len(lists) > _DEEPEST_LIST:
            raise UsageError(f"{flag}: field {name}: lists can be nested {_DEEPEST_LIST} deep, no more")
    if rest not in _TYPES:
        rule = "types are str, int, float, bool and list[TYPE], each with a ? behind it where it may be null"
        raise UsageError(f"{flag}: field {name}: {_shown(kind)} is not a type; {rule}", hint=_EXAMPLE)
    schema: Json = {"type": _either(_TYPES[rest], nullable=nullable)}
    for may_be_null in reversed(lists):
        schema = {"type": _either("array", nullable=may_be_null), "items": schema}
    return schema


def _either(kind: str, *, nullable: bool) -> str | list[str]:
    return [kind, "null"] if nullable else kind


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
