import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cometresp.emulator.structured import instance
from cometresp.emulator.validation import strict_problem

from .bench import PERSON, Bench, text_of

Json = dict[str, Any]


def closed(properties: Json, **more: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


TREE = closed(
    {"root": {"$ref": "#/$defs/node"}},
    **{
        "$defs": {
            "node": closed(
                {
                    "value": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                }
            )
        }
    },
)
LIST = closed({"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}})
SUM = closed(
    {"left": {"$ref": "#/$defs/term"}},
    **{"$defs": {"term": {"anyOf": [closed({"of": {"$ref": "#/$defs/term"}}), {"type": "number"}]}}},
)


@pytest.mark.parametrize(
    ("schema", "prompt", "expected"),
    [
        (PERSON, "Ada, 36", {"name": "Ada", "age": 36}),
        (PERSON, "emulate:reasoning Ada, 36", {"name": "Ada", "age": 36}),
        (PERSON, "", {"name": "text", "age": 1}),
        (closed({"a": {"type": "string"}, "b": {"type": "string"}}), "one two three", {"a": "one", "b": "two"}),
        (closed({"x": {"type": "number"}, "y": {"type": "number"}}), "1.5 and -2", {"x": 1.5, "y": -2}),
        (closed({"n": {"type": "integer", "minimum": 10, "maximum": 20}}), "5", {"n": 10}),
        (closed({"n": {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 5}}), "5", {"n": 15}),
        (closed({"n": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}}), "7", {"n": 0.5}),
        (closed({"n": {"type": "number", "maximum": 10}}), "11", {"n": 10}),
        (closed({"n": {"type": "number", "multipleOf": 5}}), "7.5", {"n": 10}),
        (closed({"s": {"type": ["null", "string"]}}), "Ada", {"s": "Ada"}),
        (closed({"s": {"enum": ["low", "high"]}}), "go high", {"s": "high"}),
        (closed({"s": {"enum": ["low", "high"]}}), "go", {"s": "low"}),
        (closed({"s": {"const": 5}}), "go", {"s": 5}),
        (closed({"s": {"type": "string", "pattern": "^b"}}), "abc bcd", {"s": "bcd"}),
        (closed({"s": {"type": "string", "minLength": 5}}), "abc", {"s": "abcxx"}),
        (closed({"s": {"type": "string", "maxLength": 2}}), "abc", {"s": "ab"}),
        (closed({"b": {"type": "boolean"}, "n": {"type": "null"}}), "", {"b": True, "n": None}),
        (closed({"l": {"type": "array", "items": {"type": "string"}}}), "a b", {"l": ["a"]}),
        (closed({"l": {"type": "array", "items": {"type": "integer"}, "minItems": 3}}), "1 2", {"l": [1, 2, 1]}),
        (closed({"l": {"type": "array", "maxItems": 0, "items": {}}}), "a", {"l": []}),
        (closed({"l": {"type": "array", "minItems": 2, "uniqueItems": True, "items": {}}}), "a", {"l": ["a", "a1"]}),
        (closed({"l": {"type": "array", "prefixItems": [{"type": "integer"}, {}]}}), "a 7", {"l": [7, "a"]}),
        (closed({"o": {"allOf": [{"type": "object"}, PERSON]}}), "Ada 36", {"o": {"name": "Ada", "age": 36}}),
        (TREE, "Ada", {"root": {"value": "Ada", "children": [], "next": None}}),
        (LIST, "5", {"value": 5, "next": None}),
        (SUM, "5", {"left": 5}),
    ],
)
def test_the_prompt_s_words_and_numbers_fill_the_schema(schema: Json, prompt: str, expected: Json) -> None:
    assert instance(schema, prompt) == expected
    assert Draft202012Validator(schema).is_valid(expected)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"$ref": "#"}, {}),
        ({"allOf": [{"$ref": "#"}]}, {}),
        ({"$ref": "#/$defs/self"}, {}),
        ({"$ref": "#/$defs/missing"}, {"a": "Ada", "b": "Ada"}),
    ],
)
def test_a_schema_that_no_value_fits_doesn_t_loop(part: Json, expected: Json) -> None:
    schema = closed({"a": part, "b": part}, **{"$defs": {"self": {"$ref": "#/$defs/self"}}})
    assert instance(schema, "Ada") == expected


@pytest.mark.parametrize("part", [{"type": "integer", "minimum": "x"}, {"type": "array", "minItems": "x"}, {"enum": 5}])
def test_an_invalid_schema_is_a_400(bench: Bench, part: Json) -> None:
    shape = {"type": "json_schema", "name": "bad", "schema": {"type": "object", "properties": {"a": part}}}
    assert bench.refused(input="Ada", text={"format": shape}).param == "text.format.schema"
    tool = {"type": "function", "name": "bad", "parameters": shape["schema"]}
    assert bench.refused(input="bad", tools=[tool]).param == "tools"


def doubled(part: Json, times: int) -> Json:
    """A schema whose value has 2**times parts, made of as many lines."""
    names = [f"d{number}" for number in range(times)]
    pairs = {name: closed({key: {"$ref": f"#/$defs/d{n + 1}"} for key in "ab"}) for n, name in enumerate(names)}
    return closed({"a": {"$ref": "#/$defs/d0"}}, **{"$defs": {**pairs, f"d{times}": part}})


ENDLESS_PATTERNS = [
    "(a+)+$",
    "^(a|a)*$",
    "(a|aa)+$",
    "^a*a*a*a*a*a*a*a*$",
    "(a?){30}a{30}",
    "(?:(?:){9999}){9999}x",
    "(?:(?:a?)*)*b$",
    "(.*)\\1(.*)\\2x",
    "(",
]


@pytest.mark.parametrize(
    "schema",
    [
        closed({"a": {"type": "array", "minItems": 10**9, "items": {}}}),
        closed({"a": {"type": "array", "minItems": 10**5, "items": {"type": "integer"}, "uniqueItems": True}}),
        closed({"a": {"type": "string", "minLength": 10**10}}),
        doubled({"type": "string"}, 40),
        {"$ref": "#/$defs/d0", "$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(500)}},
        closed({"a": {"type": "number", "multipleOf": 1e-320}}),
    ],
)
def test_a_schema_whose_value_would_be_huge_is_a_400(bench: Bench, schema: Json) -> None:
    shape = {"type": "json_schema", "name": "huge", "schema": schema}
    assert bench.refused(input="Ada 5", text={"format": shape}).param == "text.format.schema"


@pytest.mark.parametrize("pattern", ENDLESS_PATTERNS)
def test_a_pattern_that_could_be_tried_for_ever_is_left_out(bench: Bench, pattern: str) -> None:
    shape = {"type": "json_schema", "name": "x", "schema": closed({"a": {"type": "string", "pattern": pattern}})}
    word = "a" * 40 + "-b"
    assert text_of(bench.ask(input=word, text={"format": shape})) == f'{{"a":"{word}"}}'


FORMATS = st.sampled_from(["date", "date-time", "email", "uuid", "ipv4"])
LEAVES: st.SearchStrategy[Json] = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.just({"type": ["integer", "null"]}),
    st.fixed_dictionaries({"type": st.just("string"), "format": FORMATS}),
    st.fixed_dictionaries({"enum": st.lists(st.text(max_size=3), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": st.integers() | st.text(max_size=3)}),
    st.fixed_dictionaries({"type": st.just("integer"), "minimum": st.integers(-9, 9), "maximum": st.integers(10, 99)}),
    st.fixed_dictionaries({"type": st.just("number"), "exclusiveMinimum": st.integers(-9, 9), "maximum": st.just(10)}),
    st.fixed_dictionaries({"type": st.just("string"), "minLength": st.integers(0, 4), "maxLength": st.integers(4, 9)}),
)


def nested(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    items = st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 3)})
    union = st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    return items | union | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(closed)


@given(st.dictionaries(st.text(max_size=3), st.recursive(LEAVES, nested, max_leaves=8), max_size=4), st.text())
def test_any_strict_schema_gets_a_fitting_instance(properties: Json, prompt: str) -> None:
    schema = closed(properties)
    assert strict_problem(schema) is None
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(instance(schema, prompt))] == []


def test_a_json_schema_makes_the_text_json(bench: Bench) -> None:
    shape = {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}
    response = bench.ask(input="Ada, 36", text={"format": shape})
    assert text_of(response) == '{"name":"Ada","age":36}'
    assert response["text"] == {"format": shape, "verbosity": "medium"}


def test_a_structured_answer_is_streamed_in_several_deltas(bench: Bench) -> None:
    shape = {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}
    events = bench.stream(input="Ada, 36", text={"format": shape})
    deltas = [event["delta"] for event in events if event["type"].endswith(".delta")]
    assert (len(deltas) > 1, json.loads("".join(deltas))) == (True, {"name": "Ada", "age": 36})


def test_a_json_object_quotes_the_prompt(bench: Bench) -> None:
    response = bench.ask(input="Some JSON", text={"format": {"type": "json_object"}})
    assert json.loads(text_of(response)) == {"emulator": True, "prompt": "Some JSON"}


def test_a_refusal_and_a_cut_override_the_schema(bench: Bench) -> None:
    shape = {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}
    refused = bench.ask(input="Ada emulate:refusal", text={"format": shape})
    cut = bench.ask(input="Ada emulate:incomplete", text={"format": shape})
    assert refused["output"][0]["content"][0]["type"] == "refusal"
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
