"""Type hints -> the schema of a function's arguments, and arguments -> values of the hinted types.

| hint | schema | value |
|---|---|---|
| str, int, float, bool | string, integer, number, boolean | the same; a whole number for an int or a float |
| list, list[X] | array | list |
| dict, dict[str, X] | object; can't be strict | dict |
| Literal["a", 1] | enum | one of them |
| an Enum | enum of its values if all of them are strings, else of its names | the member |
| a dataclass | object | an instance |
| Optional[X], X or Y | nullable, anyOf | None, or the first that matches |
| Annotated[X, "text"] | X with that description | as X |

A parameter with a default is nullable in the schema, since a strict schema requires all of them: null then means the
default, unless the type includes None. Standard library only: this runs in the child process that loaded the file.
"""

import dataclasses
import enum
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, NamedTuple, Union

_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_SHOWN = 60  # characters of a wrong value in a message
_PLAIN: dict[Any, tuple[str, str]] = {
    str: ("string", "a string"),
    int: ("integer", "a whole number"),
    float: ("number", "a number"),
    bool: ("boolean", "true or false"),
}
_JSON_NAMES = {str: "string", int: "integer", bool: "boolean", type(None): "null"}


class HintError(Exception):
    """The function can't be a tool; the message names the parameter."""


class ArgumentError(Exception):
    """An argument is wrong; the message names it."""


class Kind(NamedTuple):
    """A hint: its schema, a function that builds a value at a place (`points[2].x`), and whether it includes None."""

    schema: dict[str, Any]
    build: Callable[[Any, str], Any]
    null: bool = False


class Slot(NamedTuple):
    """A parameter of a function, or a field of a dataclass."""

    name: str
    kind: Kind
    default: Callable[[], Any] | None

    def schema(self) -> dict[str, Any]:
        schema = self.kind.schema
        if self.default is None or self.kind.null:
            return schema
        shown = _json(_model_value(self.default()))
        note = f"null stands for {shown if 0 < len(shown) <= _SHOWN else 'its default'}"
        described = f"{schema['description']}; {note}" if "description" in schema else note
        return _nullable(schema) | {"description": described}

    def value(self, given: dict[str, Any], place: str) -> Any:
        missing = self.name not in given
        if given.get(self.name) is None:
            if self.default is not None and (missing or not self.kind.null):
                return self.default()
            if self.kind.null:
                return None
            if missing:
                raise ArgumentError(f"argument {place!r} is missing")
        return self.kind.build(given[self.name], place)


class Callee(NamedTuple):
    """A function that a model can call."""

    function: Callable[..., Any]
    slots: list[Slot]
    positional_only: int  # how many of the first parameters
    tool: dict[str, Any]  # name, description and parameters

    def call(self, arguments: dict[str, Any]) -> Any:
        """Raises ArgumentError, and any exception of the function."""
        values = _values(self.slots, arguments, "")
        first = [values.pop(slot.name) for slot in self.slots[: self.positional_only]]
        return self.function(*first, **values)


def callee(name: str, function: Callable[..., Any]) -> Callee:
    """Raises HintError."""
    if not _NAME.fullmatch(name):
        raise HintError(f"the name {name} must be 1 to 64 letters, digits or _")
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        signature = inspect.signature(function)
    except Exception as error:
        raise HintError(f"the hints of {name} can't be read: {type(error).__name__}: {error}") from error
    slots = []
    for parameter in signature.parameters.values():
        where = f"parameter {parameter.name!r} of {name}"
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise HintError(f"{where}: a schema can't describe * and **")
        if parameter.name not in hints:
            raise HintError(f"{where} has no type hint")
        slots.append(Slot(parameter.name, kind_of(hints[parameter.name], where), _default(parameter.default)))
    tool = {"name": name, "description": inspect.getdoc(function) or "", "parameters": _object(slots)}
    positional_only = sum(parameter.kind == parameter.POSITIONAL_ONLY for parameter in signature.parameters.values())
    return Callee(function, slots, positional_only, tool)


def kind_of(hint: Any, where: str, inside: tuple[Any, ...] = ()) -> Kind:
    """`where` names the parameter; `inside` are the dataclasses that contain it. Raises HintError."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and hint in _PLAIN:
        return _plain(hint)
    if hint is None or hint is type(None):
        return Kind({"type": "null"}, _null, null=True)
    if origin is Annotated:
        kind = kind_of(args[0], where, inside)
        text = next((note for note in args[1:] if isinstance(note, str)), None)
        return kind._replace(schema=kind.schema | {"description": text}) if text else kind
    if origin is Literal:
        return _literal(args, where)
    if origin in (Union, types.UnionType):
        return _union([kind_of(arg, where, inside) for arg in args])
    if hint in (list, typing.List) or origin is list:  # noqa: UP006 - users may still write it
        return _list(kind_of(args[0], where, inside) if args and args[0] is not Any else None)
    if hint in (dict, typing.Dict) or origin is dict:  # noqa: UP006
        if args and args[0] is not str:
            raise HintError(f"{where}: the keys of a JSON object are str")
        return _dict(kind_of(args[1], where, inside) if args and args[1] is not Any else None)
    if isinstance(hint, type) and issubclass(hint, enum.Enum) and len(hint):
        return _enum(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass(hint, where, inside)
    raise HintError(f"{where}: a schema can't describe {inspect.formatannotation(hint)}")


def _default(default: Any) -> Callable[[], Any] | None:
    return None if default is inspect.Parameter.empty or default is dataclasses.MISSING else lambda: default


def _null(value: Any, place: str) -> None:
    if value is not None:
        raise _mismatch(place, "null", value)


def _plain(hint: Any) -> Kind:
    name, expected = _PLAIN[hint]

    def build(value: Any, place: str) -> Any:
        if hint is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise _mismatch(place, expected, value) from None
        if type(value) is not hint:
            raise _mismatch(place, expected, value)
        return value

    return Kind({"type": name}, build)


def _literal(options: tuple[Any, ...], where: str) -> Kind:
    for option in options:
        if type(option) not in _JSON_NAMES:
            raise HintError(f"{where}: a schema can't describe Literal[{option!r}]")
    return _choice({_key(option): option for option in options}, list(options))


def _enum(hint: type[enum.Enum]) -> Kind:
    members = {_model_value(member): member for member in hint}
    return _choice({_key(value): member for value, member in members.items()}, list(members))


def _model_value(value: Any) -> Any:
    """The JSON value that the model sends for a member of an Enum; any other value unchanged."""
    if not isinstance(value, enum.Enum):
        return value
    by_value = all(isinstance(member.value, str) for member in type(value))
    return value.value if by_value else value.name


def _choice(values: dict[Any, Any], options: list[Any]) -> Kind:
    names = list(dict.fromkeys(_JSON_NAMES[type(option)] for option in options))

    def build(value: Any, place: str) -> Any:
        if _key(value) not in values:
            raise _mismatch(place, f"one of {', '.join(_json(option) for option in options)}", value)
        return values[_key(value)]

    return Kind({"type": names if len(names) > 1 else names[0], "enum": options}, build, null=None in options)


def _key(value: Any) -> Any:
    """A key that differs for 1 and true, and that no object or array shares with an option."""
    return (type(value), value) if isinstance(value, str | int | None) else (object, None)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, which doesn't allow null, changed to allow it."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    form = schema | {"type": [*kinds, "null"]}
    return form | {"enum": [*schema["enum"], None]} if "enum" in schema else form


def _union(kinds: list[Kind]) -> Kind:
    null = any(kind.null for kind in kinds)
    plain = [kind for kind in kinds if kind.schema != {"type": "null"}]
    if len(plain) == 1:
        only = plain[0]
        schema = only.schema if only.null else _nullable(only.schema)
        return Kind(schema, lambda value, place: None if value is None else only.build(value, place), null)

    def build(value: Any, place: str) -> Any:
        reasons = []
        for kind in kinds:
            try:
                return kind.build(value, place)
            except ArgumentError as error:
                reasons.append(str(error))
        raise ArgumentError("; ".join(dict.fromkeys(reasons)))

    return Kind({"anyOf": [kind.schema for kind in kinds]}, build, null)


def _list(inner: Kind | None) -> Kind:
    def build(value: Any, place: str) -> Any:
        if not isinstance(value, list):
            raise _mismatch(place, "an array", value)
        return [inner.build(item, f"{place}[{index}]") for index, item in enumerate(value)] if inner else value

    return Kind({"type": "array", "items": inner.schema} if inner else {"type": "array"}, build)


def _dict(inner: Kind | None) -> Kind:
    def build(value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(place, "an object", value)
        return {key: inner.build(item, f"{place}.{key}") for key, item in value.items()} if inner else value

    return Kind({"type": "object", "additionalProperties": inner.schema} if inner else {"type": "object"}, build)


def _dataclass(hint: Any, where: str, inside: tuple[Any, ...]) -> Kind:
    if hint in inside:
        raise HintError(f"{where}: {hint.__name__} contains itself")
    try:
        hints = typing.get_type_hints(hint, include_extras=True)
    except Exception as error:
        raise HintError(f"{where}: the hints of {hint.__name__} can't be read: {error}") from error
    slots = []
    for field in dataclasses.fields(hint):
        if field.init:
            kind = kind_of(hints[field.name], f"{where}, field {field.name!r} of {hint.__name__}", (*inside, hint))
            made = None if field.default_factory is dataclasses.MISSING else field.default_factory
            slots.append(Slot(field.name, kind, made or _default(field.default)))

    def build(value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(place, "an object", value)
        return hint(**_values(slots, value, f"{place}."))

    return Kind(_object(slots), build)


def _object(slots: Iterable[Slot]) -> dict[str, Any]:
    properties = {slot.name: slot.schema() for slot in slots}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _values(slots: list[Slot], given: dict[str, Any], path: str) -> dict[str, Any]:
    names = [slot.name for slot in slots]
    for name in given:
        if name not in names:
            known = f"it takes {', '.join(names)}" if names else "it takes none"
            raise ArgumentError(f"argument {path + name[:_SHOWN]!r} is unknown; {known}")
    return {slot.name: slot.value(given, path + slot.name) for slot in slots}


def _mismatch(place: str, expected: str, value: Any) -> ArgumentError:
    shown = _json(value)
    return ArgumentError(f"argument {place!r} must be {expected}, not {shown[:_SHOWN]}{'…' * (len(shown) > _SHOWN)}")


def _json(value: Any) -> str:
    """The value as JSON, or "" if it can't be JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return ""
