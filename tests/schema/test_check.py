"""The check of an answer against its schema: what is a mismatch, and in which words."""

# ruff: noqa: E501 - a case is read on one line

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cometresp.schema.check import where
from tests.schema.shapes import SCHEMAS, TEXT, VALUES, WHOLE, Json, closed, fault


@given(SCHEMAS, VALUES)
def test_the_check_agrees_with_jsonschema(given: Any, value: Any) -> None:
    given = given if isinstance(given, dict) else {}
    code, _, warnings = fault({"type": "json_schema", "schema": given}, json.dumps(value))
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
        ("", "is not JSON, as the schema asks: it is empty"),
        ("```json\n{}\n```", "is not JSON, as the schema asks: line 1 column 1: Expecting value"),
        ('{"age": NaN}', "is not JSON, as the schema asks: NaN is not JSON"),
        ('{"age": -Infinity}', "is not JSON, as the schema asks: -Infinity is not JSON"),
        ('{"age": 1, "age": 1}', 'is not JSON, as the schema asks: the key "age" stands twice in an object'),
        ("9" * 5000, "is not JSON, as the schema asks: a number of 5000 digits is too long to be read"),
        ("[" * 99_999, "is not JSON, as the schema asks: it is nested too deeply"),
    ],
)  # fmt: skip
def test_each_mismatch_is_named_with_its_place(text: str, message: str | None) -> None:
    assert fault(AGE, text) == (8 if message else None, f"r {message}" if message else "", [])


@pytest.mark.parametrize(
    ("schema", "text", "code", "said"),
    [
        ({"$ref": "#"}, "{}", 8, f"r doesn't match the schema: {CANT_FIT}"),
        ({"type": "array", "items": {"$ref": "#"}}, "[" * 400 + "]" * 400, 8, f"r doesn't match the schema: {CANT_FIT}"),
        ({"type": "strin"}, "5", None, 'the answer was not checked: type: "strin" is not a type of JSON Schema'),
        ({"$ref": "http://127.0.0.1:9/"}, "5", None, 'the answer was not checked: $ref "http://127.0.0.1:9/" leads nowhere in the schema, and nothing is fetched'),
        ({"pattern": "\\p{L}"}, '"a"', None, 'pattern "\\\\p{L}" was not checked, since Python doesn\'t know it: bad escape \\p at position 0'),
        ({"$schema": "http://[", "type": "string"}, '"a"', None, ""),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [TEXT]}, "[1]", 8, "r doesn't match the schema: [0]: 1 is not of type 'string'"),
        ({"multipleOf": 3}, "1e999", 8, "r doesn't match the schema: the answer: Infinity is not a multiple of 3"),
    ],
)  # fmt: skip
def test_a_schema_that_is_hard_to_check_with_ends_in_words(
    schema: Json, text: str, code: int | None, said: str
) -> None:
    given, message, warnings = fault({"type": "json_schema", "schema": schema}, text)
    assert (given, [message, *warnings][-1 if warnings else 0]) == (code, said)


def test_a_pattern_that_takes_for_ever_is_given_up() -> None:
    slow = {"type": "json_schema", "schema": {"pattern": "(a+)+$"}}
    assert fault(slow, f'"{"a" * 60}b"', seconds=0.1) == (
        None,
        "",
        ["the answer was not checked to its end: it took more than 0 s"],
    )


@given(st.lists(st.text() | st.integers(0, 9)))
def test_a_place_reads_as_jq_writes_it(path: list[str | int]) -> None:
    assert "\n" not in where(path)
    assert where(["items", 0, "name", "a b"]) == 'items[0].name["a b"]'
