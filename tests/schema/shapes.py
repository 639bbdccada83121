"""Schemas to test with, and what `--schema` makes of them."""

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from cometresp.errors import CometrespError, UsageError
from cometresp.schema.check import mismatch
from cometresp.schema.format import json_schema_format

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}


def read(_: str, value: str) -> str:
    assert not value.startswith("@")
    return value


def schema(spec: str | Json, *, strict: bool = True, multi: bool = False) -> Any:
    text = spec if isinstance(spec, str) else json.dumps(spec)
    return json_schema_format(text, None, read, strict=strict, multi=multi)["schema"]


def refusal(spec: str | Json, *, multi: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        schema(spec, multi=multi)
    return caught.value.message


def closed(required: list[str] | None = None, /, **properties: Any) -> Json:
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


TYPES = "types are str, int, float, bool and list[TYPE], each followed by ? if it may be null"
MAP = "allows properties of any name, which a strict schema can't"
NAMES = st.sampled_from(["a", "b", "type", "$ref", "enum"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
SCALARS = st.sampled_from([TEXT, WHOLE, {"type": ["string", "null"]}, {"enum": ["a", 1]}, {"const": "a"}, {}, True])


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    def made(properties: Json, some: int, more: Json) -> Json:
        return {"type": "object", "properties": properties, "required": list(properties)[:some], **more}

    more = st.fixed_dictionaries({}, optional={"default": VALUES, "examples": st.lists(VALUES), "title": NAMES})
    return st.builds(made, st.dictionaries(NAMES, inner, max_size=3), st.integers(0, 3), more)


SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: (
        objects(inner)
        | st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda key, parts: {key: parts},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=2),
        )
        | st.builds(lambda heads: {"type": "array", "prefixItems": heads}, st.lists(inner, min_size=1, max_size=2))
    ),
    max_leaves=8,
)


def checked(shape: Any, text: str, **limit: float) -> tuple[int | None, str, list[str]]:
    """(exit code, message, warnings) of an answer."""
    warnings: list[str] = []
    error: CometrespError | None = mismatch(shape, "r", text, warnings.append, **limit)
    return (int(error.exit_code), error.message, warnings) if error else (None, "", warnings)
