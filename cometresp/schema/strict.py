"""A JSON Schema made strict: closed objects whose properties are all required (API 5.1). Pure: it returns a new schema.

An optional property becomes one that may be null, as OpenAI advises: the model sends null in place of leaving it out.
Schemas that only test a value (`not`, `if`, `then`, `else`, `dependentSchemas`) are not changed.
"""

from collections.abc import Callable
from typing import Any

from cometresp.errors import UsageError
from cometresp.schema.check import where
from cometresp.wire.json import Json

Path = tuple[str | int, ...]

Change = Callable[[Any, Path], Any]

_NAMED = ("properties", "$defs", "definitions")  # an object of schemas
_LISTED = ("prefixItems", "anyOf", "oneOf", "allOf")
_SINGLE = ("items", "contains", "additionalItems", "unevaluatedItems")

_TESTS_NAMED, _TESTS_SINGLE = ("dependentSchemas", "patternProperties"), (
    "not", "if", "then", "else", "propertyNames", "additionalProperties", "unevaluatedProperties"
)  # fmt: skip

_IN_PLACE = ("allOf", "anyOf", "oneOf")

# Keywords that can exclude null although `type` allows it.
_CONSTRAINTS = ("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "const")

_ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
)

_SHARED = ("#/$defs/", "#/definitions/")
_NULL = {"type": "null"}
_LONGEST_CHAIN = 100  # of references


def strict_schema(flag: str, schema: Json, *, multi_flag: str = "") -> Json:
    """The strict form of a schema. Raises UsageError if it has none.

    `multi_flag`: the flag that takes a list; the hint names it if the root is a list. "": the root may have any type.
    """
    made: Json = _Strict(flag, schema).walk(schema, ())
    if multi_flag and not _is_object_alone(schema, schema):
        kind = schema.get("type")
        is_list = kind == "array"
        found = f", not {kind!r}" if isinstance(kind, str) else ""
        raise UsageError(
            f"{flag}: a strict schema must have type 'object' at its root{found}",
            hint=f"{multi_flag} takes the schema of one element, and requests a list of them"
            if is_list
            else "--no-strict sends it as it is",
        )
    return made


def listed_schema(schema: Json) -> Json:
    """The schema of `{"items": [‥]}` whose elements match this one. References in it are changed to fit."""
    document: Json = {key: schema[key] for key in ("$schema", "$id") if key in schema}
    shared = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    inner = _moved({key: value for key, value in schema.items() if key not in document and key not in shared})
    return {
        **document,
        "type": "object",
        "properties": {"items": {"type": "array", "items": inner}},
        "required": ["items"],
        "additionalProperties": False,
        **{key: {name: _moved(part) for name, part in shared[key].items()} for key in shared},
    }


def _moved(schema: Any) -> Any:
    """A copy in which references to the old root, or to parts that moved with it, lead to the new place."""
    if not isinstance(schema, dict):
        return schema
    made = _mapped(schema, (), lambda inner, _: _moved(inner), tests=True)
    for key in ("$ref", "$dynamicRef"):
        target = made.get(key)
        if isinstance(target, str) and (target == "#" or target.startswith("#/")) and not target.startswith(_SHARED):
            made[key] = f"#/properties/items/items{target[1:]}"
    return made


def _mapped(schema: Json, path: Path, change: Change, *, tests: bool = False) -> Json:
    """A copy with each direct subschema changed. Data (enum, const, default, examples) is not changed."""
    named, single = (_NAMED + _TESTS_NAMED, _SINGLE + _TESTS_SINGLE) if tests else (_NAMED, _SINGLE)
    made: Json = {}
    for key, value in schema.items():
        place = (*path, key)
        if key in named and isinstance(value, dict):
            made[key] = {name: change(inner, (*place, name)) for name, inner in value.items()}
        elif key in (*_LISTED, "items") and isinstance(value, list):
            made[key] = [change(inner, (*place, n)) for n, inner in enumerate(value)]
        elif key in single:
            made[key] = change(value, place)
        else:
            made[key] = value
    return made


class _Strict:
    def __init__(self, flag: str, root: Json) -> None:
        self._flag = flag
        self._root = root

    def walk(self, schema: Any, path: Path) -> Any:
        if not isinstance(schema, dict):
            return schema
        self._check_parts(schema, path)
        made = _mapped(schema, path, self.walk)
        if not _is_object(schema):
            return made
        self._check_object(schema, path)
        made.setdefault("type", "object")
        if "properties" in made:
            given = made.get("required")
            required = given if isinstance(given, list) else []
            made["properties"] = {
                name: inner if name in required else _nullable(inner) for name, inner in made["properties"].items()
            }
            made["required"] = [*required, *(name for name in made["properties"] if name not in required)]
        made["additionalProperties"] = False
        return made

    def _check_object(self, schema: Json, path: Path) -> None:
        properties = schema.get("properties")
        if schema.get("additionalProperties", False) is not False or schema.get("patternProperties"):
            raise self._error(path, "allows properties of any name, which a strict schema can't")
        if properties is None and "additionalProperties" not in schema:
            raise self._error(path, "has no properties, so it allows any, which a strict schema can't")
        for name, inner in (properties or {}).items():
            if inner is False:
                raise self._error(
                    (*path, "properties", name), "is not allowed (false), but a strict schema requires it"
                )
        required = schema.get("required")
        for name in required if isinstance(required, list) else ():  # draft 3 has true or false there
            if name not in (properties or {}):
                raise self._error(path, f"requires {where((name,))}, which isn't among its properties")

    def _check_parts(self, schema: Json, path: Path) -> None:
        """Refuse several objects for one value: once closed, each excludes the properties of the others."""
        groups = [[{"$ref": schema.get("$ref")}], *([part] for part in schema.get("allOf") or ())]
        groups += [schema.get(key) or [] for key in ("anyOf", "oneOf")]
        if _is_object(schema) + sum(self._has_object(group) for group in groups) > 1:
            raise self._error(
                path, "combines several objects ($ref, allOf, anyOf, oneOf) into one, which a strict schema can't"
            )

    def _has_object(self, schemas: list[Any]) -> bool:
        """Whether one of the schemas is of an object, by itself, by a reference or by a part. Each is visited once."""
        waiting, visited = list(schemas), set()
        while waiting:
            schema = waiting.pop()
            if not isinstance(schema, dict) or id(schema) in visited:
                continue
            if _is_object(schema):
                return True
            visited.add(id(schema))
            waiting.append(_target(self._root, schema.get("$ref")))
            waiting += [part for key in _IN_PLACE for part in schema.get(key) or ()]
        return False

    def _error(self, path: Path, message: str) -> UsageError:
        subject = where(path) or "the schema"
        return UsageError(f"{self._flag}: {subject} {message}", hint="--no-strict sends it as it is")


def _is_object(schema: Json) -> bool:
    kind = schema.get("type")
    if kind is None:
        return not {"properties", "patternProperties", "additionalProperties"}.isdisjoint(schema)
    return "properties" in schema or kind == "object" or (isinstance(kind, list) and "object" in kind)


def _is_object_alone(root: Json, schema: object) -> bool:
    """Whether the type is object and nothing else, by the schema itself or by its reference."""
    for _ in range(_LONGEST_CHAIN):
        if not isinstance(schema, dict):
            return False
        if "type" in schema or "properties" in schema:
            return bool(schema.get("type", "object") == "object")
        schema = _target(root, schema.get("$ref"))
    return False


def _target(root: Json, reference: object) -> Any:
    """The target of a reference within the document, or None."""
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        return None
    from urllib.parse import unquote

    found: Any = root
    for step in unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
        else:
            found = found.get(name) if isinstance(found, dict) else None
    return found


def _nullable(schema: Any) -> Any:
    """The schema, changed to allow null as well."""
    if schema is True or _allows_null(schema):
        return schema
    kind = schema.get("type")
    if kind is not None and not any(key in schema for key in _CONSTRAINTS):
        made = {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}
        made["type"] = list(dict.fromkeys(made["type"]))
        if "enum" in schema:
            made["enum"] = [*schema["enum"], *([] if None in schema["enum"] else [None])]
        return made
    if schema.keys() <= {"anyOf", *_ANNOTATIONS}:
        return {**schema, "anyOf": [*schema["anyOf"], _NULL]}
    return {"anyOf": [schema, _NULL]}


def _allows_null(schema: object) -> bool:
    """Whether null is certainly allowed: by the type, by a branch, or because nothing is required."""
    if not isinstance(schema, dict):
        return schema is True
    keywords = schema.keys() - _ANNOTATIONS
    if "type" in keywords:
        kind = schema["type"]
        has_null = kind == "null" or (isinstance(kind, list) and "null" in kind)
        return has_null and not any(key in schema for key in _CONSTRAINTS) and None in schema.get("enum", [None])
    return not keywords or (keywords == {"anyOf"} and any(_allows_null(branch) for branch in schema["anyOf"]))
