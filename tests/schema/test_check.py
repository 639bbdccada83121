"""Checking an answer against its schema: the mismatches and their messages."""

# ruff: noqa: E501 - a case is read on one line

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cometresp.schema.check import where
from tests.schema.shapes import SCHEMAS, TEXT, VALUES, WHOLE, Json, checked, closed


@given(SCHEMAS, VALUES)
def test_the_check_agrees_with_jsonschema(given: Any, value: Any) -> None:
    given = given if isinstance(given, dict) else {}
    code, _, warnings = checked({"type": "json_schema", "schema": given}, json.dumps(value))
    assert (code is None, warnings) == (Draft202012Validator(given).is_valid(value), [])


AGE = {"type": "json_schema", "schema": closed(age=WHOLE, **{"odd name": {"type": "array", "items": TEXT}})}
RIGHT = '{"age": 36, "odd name": []}'
CANT_FIT = "it can't be checked: the answer or the schema is nested too deeply"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RIGHT, None),
        (f"\n{RIGHT}\n", None),
        (RIGHT.replace("36", '"x"'), "doesn't match the schema: age: \"x\" is not of type 'integer'"),
        (RIGHT.replace("36", "null"), "doesn't match the schema: age: null is not of type 'integer'"),
        (RIGHT.replace("[]", '["", 1]'), "doesn't match the schema: [\"odd name\"][1]: 1 is not of type 'string'"),
        ("5", "doesn't match the schema: the answer: 5 is not of type 'object'"),
        (RIGHT[:-1] + ',"\\u001b[2J": 1}', "doesn't match the schema: the answer: Additional properties are not allowed ('\\x1b[2J' was unexpected)"),
        ("{}", "doesn't match the schema:\n  the answer: 'age' is a required property\n  the answer: 'odd name' is a required property"),
        ('{"age": 1, "odd name": [' + ",".join("1" * 13) + "]}", "doesn't match the schema:\n"
         + "".join(f"  [\"odd name\"][{n}]: 1 is not of type 'string'\n" for n in range(10)) + "  and 3 more"),
        ('"' + "x" * 999 + '"', f"doesn't match the schema: the answer: \"{'x' * 58}… is not of type 'object'"),
        ("", "is not JSON, as the schema requires: it is empty"),
        ("```json\n{}\n```", "is not JSON, as the schema requires: line 1 column 1: Expecting value"),
        ('{"age": NaN}', "is not JSON, as the schema requires: NaN is not JSON"),
        ('{"age": -Infinity}', "is not JSON, as the schema requires: -Infinity is not JSON"),
        ('{"age": 1, "age": 1}', 'is not JSON, as the schema requires: the key "age" occurs twice in an object'),
        ("9" * 5000, "is not JSON, as the schema requires: a number of 5000 digits is too long"),
        ("[" * 99_999, "is not JSON, as the schema requires: it is nested too deeply"),
    ],
)  # fmt: skip
def test_each_mismatch_is_named_with_its_place(text: str, message: str | None) -> None:
    assert checked(AGE, text) == (8 if message else None, f"r {message}" if message else "", [])


@pytest.mark.parametrize(
    ("schema", "text", "code", "expected"),
    [
        ({"$ref": "#"}, "{}", 8, f"r doesn't match the schema: {CANT_FIT}"),
        ({"type": "array", "items": {"$ref": "#"}}, "[" * 400 + "]" * 400, 8, f"r doesn't match the schema: {CANT_FIT}"),
        ({"type": "strin"}, "5", None, 'the answer was not checked: type: "strin" is not a type of JSON Schema'),
        ({"$ref": "http://127.0.0.1:9/"}, "5", None, 'the answer was not checked: $ref "http://127.0.0.1:9/" is not in the schema, and nothing is fetched'),
        ({"pattern": "\\p{L}"}, '"a"', None, 'pattern "\\\\p{L}" was not checked, because Python doesn\'t support it: bad escape \\p at position 0'),
        ({"$schema": "http://[", "type": "string"}, '"a"', None, ""),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [TEXT]}, "[1]", 8, "r doesn't match the schema: [0]: 1 is not of type 'string'"),
        ({"multipleOf": 3}, "1e999", 8, "r doesn't match the schema: the answer: Infinity is not a multiple of 3"),
    ],
)  # fmt: skip
def test_a_difficult_schema_ends_in_a_message(schema: Json, text: str, code: int | None, expected: str) -> None:
    given, message, warnings = checked({"type": "json_schema", "schema": schema}, text)
    assert (given, [message, *warnings][-1 if warnings else 0]) == (code, expected)


def test_a_pattern_that_takes_too_long_is_abandoned() -> None:
    slow = {"type": "json_schema", "schema": {"pattern": "(a+)+$"}}
    assert checked(slow, f'"{"a" * 60}b"', seconds=0.1) == (
        None,
        "",
        ["the answer was not checked completely: it took more than 0.1 s"],
    )


@given(st.lists(st.text() | st.integers(0, 9)))
def test_a_place_is_written_as_in_jq(path: list[str | int]) -> None:
    assert "\n" not in where(path)
    assert where(["items", 0, "name", "a b"]) == 'items[0].name["a b"]'
