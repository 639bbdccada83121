"""The strict form of a schema, and which schemas have none."""

# ruff: noqa: E501 - a case is read on one line

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cometresp.emulator.validation import strict_problem
from cometresp.errors import UsageError
from cometresp.schema.check import schema_error
from cometresp.schema.strict import listed_schema, strict_schema
from tests.properties import examples
from tests.schema.shapes import MAP, SCHEMAS, TEXT, VALUES, WHOLE, Json, checked, closed, objects, refusal, schema


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (closed(), closed()),
        ({"properties": {"a": TEXT}, "title": "T"}, {"properties": {"a": {"type": ["string", "null"]}}, "title": "T", "type": "object", "required": ["a"], "additionalProperties": False}),
        (closed([], a={"enum": ["x"], "type": "string"}), closed(["a"], a={"enum": ["x", None], "type": ["string", "null"]})),
        (closed(["b"], a={"const": 1}, b=WHOLE), closed(["b", "a"], a={"anyOf": [{"const": 1}, {"type": "null"}]}, b=WHOLE)),
        (closed([], a={"anyOf": [TEXT, WHOLE], "title": "A"}), closed(["a"], a={"anyOf": [TEXT, WHOLE, {"type": "null"}], "title": "A"})),
        (closed([], a={"anyOf": [TEXT, {"type": "null"}], "default": None}), closed(["a"], a={"anyOf": [TEXT, {"type": "null"}], "default": None})),
        (closed([], a={}, b=True, c={"type": "null"}), closed(["a", "b", "c"], a={}, b=True, c={"type": "null"})),
        (closed([], a={"type": "object", "properties": {"b": TEXT}, "required": ["b"]}), closed(["a"], a=closed(b=TEXT) | {"type": ["object", "null"]})),
        (closed(a={"type": "array", "items": {"properties": {"b": TEXT}, "required": ["b"]}}), closed(a={"type": "array", "items": closed(b=TEXT)})),
        (closed(a={"type": "array", "prefixItems": [{"type": "object", "properties": {}}]}), closed(a={"type": "array", "prefixItems": [closed()]})),
        (closed(a={"oneOf": [{"type": "object", "properties": {"b": TEXT}, "required": ["b"]}, TEXT]}), closed(a={"oneOf": [closed(b=TEXT), TEXT]})),
        (closed(a={"const": {"type": "object"}, "default": {"properties": {}}}), closed(a={"const": {"type": "object"}, "default": {"properties": {}}})),
        (closed(properties=TEXT, enum=TEXT), closed(properties=TEXT, enum=TEXT)),
        (
            closed([], a={"$ref": "#/$defs/p"}) | {"$defs": {"p": {"type": "object", "properties": {"n": {"$ref": "#"}}}}},
            closed(["a"], a={"anyOf": [{"$ref": "#/$defs/p"}, {"type": "null"}]})
            | {"$defs": {"p": closed(n={"anyOf": [{"$ref": "#"}, {"type": "null"}]})}},
        ),
        ({"$ref": "#/$defs/p", "$defs": {"p": closed(n=TEXT)}}, {"$ref": "#/$defs/p", "$defs": {"p": closed(n=TEXT)}}),
    ],
)  # fmt: skip
def test_a_schema_is_closed_and_optional_properties_may_be_null(given: Json, made: Json) -> None:
    assert schema(given) == made
    assert list(schema(given))[: len(given)] == list(given)
    assert json.dumps(schema(given, strict=False)) == json.dumps(given)


COMBINED = "combines several objects ($ref, allOf, anyOf, oneOf) into one, which a strict schema can't"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "a strict schema must have type 'object' at its root"),
        ({"type": "array", "items": TEXT}, "a strict schema must have type 'object' at its root, not 'array'"),
        ({"type": ["object", "null"], "properties": {}}, "a strict schema must have type 'object' at its root"),
        ({"anyOf": [closed(), closed(a=TEXT)]}, "a strict schema must have type 'object' at its root"),
        (closed(a={"type": "object", "additionalProperties": True}), f"properties.a {MAP}"),
        (closed(**{"odd a": {"type": "object", "additionalProperties": TEXT}}), f'properties["odd a"] {MAP}'),
        (closed(a={"type": "array", "items": {"patternProperties": {"x": {}}}}), f"properties.a.items {MAP}"),
        ({"type": "object"}, "the schema has no properties, so it allows any, which a strict schema can't"),
        (closed(["b"], a=TEXT), "the schema requires b, which isn't among its properties"),
        (closed([], a=False), "properties.a is not allowed (false), but a strict schema requires it"),
        (closed(a={"allOf": [closed(b=TEXT), closed(c=TEXT)]}), f"properties.a {COMBINED}"),
        ({"type": "object", "anyOf": [closed(b=TEXT)]}, f"the schema {COMBINED}"),
        ({"$ref": "#/$defs/p", "$defs": {"p": closed()}, "properties": {"a": TEXT}}, f"the schema {COMBINED}"),
        ({"type": "strin"}, 'type: "strin" is not a type of JSON Schema'),
        (closed(a={"type": "object", "required": "b"}), "properties.a.required: \"b\" is not of type 'array'"),
        (closed(a={"$ref": "#/$defs/b"}), '$ref "#/$defs/b" is not in the schema, and nothing is fetched'),
        (closed(a={"$ref": "http://127.0.0.1:9/x.json"}), '$ref "http://127.0.0.1:9/x.json" is not in the schema, and nothing is fetched'),
        (closed(a={"$ref": "http://["}), '$ref "http://[" is not in the schema, and nothing is fetched'),
    ],
)  # fmt: skip
def test_a_schema_that_is_invalid_or_cant_be_strict_is_refused_with_the_place(given: Json, message: str) -> None:
    assert refusal(given) == f"--schema: {message}"


def test_draft_3_which_has_booleans_for_required_is_made_strict_too() -> None:
    inner = {"type": "object", "properties": {}, "required": True}
    given = {"$schema": "http://json-schema.org/draft-03/schema#", "type": "object", "properties": {"a": inner}}
    made = strict_schema("--schema", given)
    assert (made["required"], made["properties"]["a"]["required"]) == (["a"], [])


def test_each_reference_is_followed_once_though_they_double_or_form_a_circle() -> None:
    doubled = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    defs = doubled | {"d60": {"anyOf": [{"$ref": "#/$defs/d0"}, TEXT]}}
    given = closed(a={"$ref": "#/$defs/d0"}) | {"$defs": defs}
    assert schema(given) == given


def test_a_list_is_requested_under_items_and_references_keep_their_targets() -> None:
    assert schema("name", multi=True) == closed(items={"type": "array", "items": closed(name=TEXT)})
    node = closed(left={"$ref": "#"}, leaf={"$ref": "#/$defs/leaf"}, again={"$ref": "#/properties/leaf"})
    node |= {"$defs": {"leaf": closed(up={"$ref": "#"})}, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    at = "#/properties/items/items"
    inner = closed(left={"$ref": at}, leaf={"$ref": "#/$defs/leaf"}, again={"$ref": f"{at}/properties/leaf"})
    whole = closed(items={"type": "array", "items": inner}) | {"$defs": {"leaf": closed(up={"$ref": at})}}
    for strict in (True, False):
        made = schema(node, multi=True, strict=strict)
        assert made == whole | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        assert schema_error(made) == ""
    assert schema(TEXT, multi=True) == closed(items={"type": "array", "items": TEXT})


@given(objects(SCHEMAS), st.booleans())
def test_a_strict_schema_is_strict_everywhere_and_the_given_one_is_unchanged(given: Json, multi: bool) -> None:
    before = copy.deepcopy(given)
    try:
        made = strict_schema("--schema", given)
    except UsageError as error:
        assert "several" in error.message  # noqa: PT017 - of what is generated nothing else can't be strict
        made = {}
    made = listed_schema(made) if multi else made
    assert given == before
    assert strict_problem(made) is None
    Draft202012Validator.check_schema(made)


@given(objects(SCHEMAS), VALUES)
def test_null_takes_the_place_of_a_missing_property(given: Json, value: Any) -> None:
    flat = {name: part for name, part in given["properties"].items() if part in (TEXT, WHOLE, {}, {"const": "a"})}
    schema = given | {"properties": flat, "required": [name for name in given["required"] if name in flat]}
    value = {name: part for name, part in value.items() if name in flat} if isinstance(value, dict) else {}
    strict = Draft202012Validator(strict_schema("--schema", schema))
    if Draft202012Validator(schema).is_valid(value):
        assert strict.is_valid({name: value.get(name) for name in flat})


KEYWORDS = [
    *("type", "properties", "items", "$ref", "$defs", "$id", "$schema", "$anchor", "$dynamicRef", "anyOf", "allOf"),
    *("required", "enum", "not", "if", "pattern", "prefixItems", "additionalProperties", "patternProperties"),
    *("dependentSchemas", "a", "b"),
]
SOUP = st.recursive(
    VALUES | st.sampled_from(["object", "array", "#", "#/$defs/a", "http://x/y", "(", "https://json-schema.org/draft/2020-12/schema"]),
    lambda inner: st.dictionaries(
        st.sampled_from(KEYWORDS),
        inner | st.lists(inner, max_size=2), max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.slow
@examples(300)
@given(st.dictionaries(st.sampled_from(["type", "properties", "$defs", "$id", "$schema", "$ref"]), SOUP), VALUES)
def test_no_json_ends_in_a_traceback(given: Json, value: Any) -> None:
    for strict, multi in ((True, False), (True, True), (False, True)):
        try:
            made = schema(given, strict=strict, multi=multi)
        except UsageError as error:
            assert error.message.startswith("--schema: ")  # noqa: PT017 - many end so, and some don't
            continue
        assert schema_error(made) == ""
    answer = json.dumps(value)
    assert checked({"type": "json_schema", "schema": given}, answer)[0] in (None, 8)
