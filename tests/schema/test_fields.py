"""The short form of a schema: fields with types, as in `name, age int`."""

# ruff: noqa: E501 - a case is read on one line

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cometresp.emulator.validation import strict_problem
from cometresp.errors import UsageError
from cometresp.schema.format import json_schema_format
from tests.schema.shapes import TEXT, TYPES, WHOLE, Json, closed, refusal, schema


@pytest.mark.parametrize(
    ("spec", "properties"),
    [
        ("name", {"name": TEXT}),
        ("name, age int", {"name": TEXT, "age": WHOLE}),
        (" a str ,b  float, c bool,, ", {"a": TEXT, "b": {"type": "number"}, "c": {"type": "boolean"}}),
        ("bio: a: short, age int : in years", {"bio": TEXT | {"description": "a: short"}, "age": WHOLE | {"description": "in years"}}),
        ("bio:", {"bio": TEXT}),
        ("bio: a, b\n\nage int\r\n", {"bio": TEXT | {"description": "a, b"}, "age": WHOLE}),
        ("\nbio: a, b\n", {"bio": TEXT | {"description": "a, b"}}),
        ("a, b int\n", {"a": TEXT, "b": WHOLE}),
        ("tags list[str]", {"tags": {"type": "array", "items": TEXT}}),
        ("m list [ list[int] ]", {"m": {"type": "array", "items": {"type": "array", "items": WHOLE}}}),
        ("n int?", {"n": {"type": ["integer", "null"]}}),
        ("l list[int?] ?", {"l": {"type": ["array", "null"], "items": {"type": ["integer", "null"]}}}),
        ("größe int, list-1, _x, type, properties", {"größe": WHOLE, "list-1": TEXT, "_x": TEXT, "type": TEXT, "properties": TEXT}),
        ("source: as in a.json", {"source": TEXT | {"description": "as in a.json"}}),
    ],
)  # fmt: skip
def test_fields_make_an_object_with_all_properties_required(spec: str, properties: Json) -> None:
    assert json.dumps(schema(spec)) == json.dumps(closed(**properties))
    assert schema(spec, strict=False) == {name: part for name, part in closed(**properties).items() if name[0] != "a"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "'' names no field"),
        (" , \n", "' , \\n' names no field"),
        ("age integer", f"field age: 'integer' is not a type; {TYPES}"),
        ("age int str", f"field age: 'int str' is not a type; {TYPES}"),
        ("a int??", f"field a: 'int??' is not a type; {TYPES}"),
        ("a list", f"field a: 'list' is not a type; {TYPES}"),
        ("a list[]", f"field a: 'list[]' is not a type; {TYPES}"),
        ("a dict[str, int]", f"field a: 'dict[str' is not a type; {TYPES}"),
        ("a\x1b[2J x", "field 'a\\x1b[2J x': a name is letters, digits, _ and -, not 'a\\x1b[2J'"),
        ("nick?", "field 'nick?': a name is letters, digits, _ and -, not 'nick?'"),
        (": only this", "field ': only this': a name is letters, digits, _ and -, not ''"),
        ("name,\nage int", "field 'name,': a name is letters, digits, _ and -, not 'name,'"),
        ("a, b, a int", "field a is defined twice"),
        ("a " + "list[" * 11 + "int" + "]" * 11, "field a: lists can be nested at most 10 deep"),
        ("x" * 99 + "!", f"field '{'x' * 59}…': a name is letters, digits, _ and -, not '{'x' * 59}…'"),
    ],
)
def test_an_invalid_field_is_refused_with_its_name_and_the_rule(spec: str, message: str) -> None:
    assert refusal(spec) == f"--schema: {message}"


WORDS = st.sampled_from(["name", "age", "int", "str?", "list[", "]", "float", "bool", ",", ":", "\n", " ", "?", "x y"])


@given(st.text(max_size=30) | st.lists(WORDS, max_size=12).map("".join), st.booleans(), st.booleans())
def test_any_text_is_a_valid_schema_or_a_usage_error(text: str, strict: bool, multi: bool) -> None:
    try:
        made = json_schema_format(text, None, lambda _, value: value.lstrip("@"), strict=strict, multi=multi)
    except UsageError as error:
        assert error.message.startswith("--schema: ")  # noqa: PT017 - many texts end so, and some don't
        return
    Draft202012Validator.check_schema(made["schema"])
    assert made["schema"]["type"] == "object"
    assert not strict or strict_problem(made["schema"]) is None
