"""Structured answers: the forms of a schema, what strictness makes of it, and the check of what comes."""

# ruff: noqa: E501 - a case is read on one line

import copy
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cometresp.emulator.validation import strict_problem
from cometresp.errors import CometrespError, UsageError
from cometresp.render.structured import Structured
from cometresp.schema import check
from cometresp.schema.check import mismatch, schema_fault, where
from cometresp.schema.format import json_schema_format
from tests.conftest import Command
from tests.scripted import (
    Wire,
    call,
    created,
    delta,
    json_reply,
    message,
    paced,
    response,
    sse,
    text_stream,
)
from tests.terminals import Tmux, needs_tmux, on_terminal, plain, start

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


# fields ---------------------------------------------------------------------------------------------------------


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
def test_fields_make_an_object_of_which_all_is_required(spec: str, properties: Json) -> None:
    assert json.dumps(schema(spec)) == json.dumps(closed(**properties))
    assert schema(spec, strict=False) == {name: part for name, part in closed(**properties).items() if name[0] != "a"}


TYPES = "types are str, int, float, bool and list[TYPE], each with a ? behind it where it may be null"


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
        ("a, b, a int", "field a is there twice"),
        ("a " + "list[" * 11 + "int" + "]" * 11, "field a: lists can be nested 10 deep, no more"),
        ("x" * 99 + "!", f"field '{'x' * 59}…': a name is letters, digits, _ and -, not '{'x' * 59}…'"),
    ],
)
def test_what_is_no_field_is_refused_by_its_name_and_the_rule(spec: str, message: str) -> None:
    assert refusal(spec) == f"--schema: {message}"


WORDS = st.sampled_from(["name", "age", "int", "str?", "list[", "]", "float", "bool", ",", ":", "\n", " ", "?", "x y"])


@given(st.text(max_size=30) | st.lists(WORDS, max_size=12).map("".join), st.booleans(), st.booleans())
def test_any_text_is_a_schema_of_the_meta_schema_or_a_usage_error(text: str, strict: bool, multi: bool) -> None:
    try:
        made = json_schema_format(text, None, lambda _, value: value.lstrip("@"), strict=strict, multi=multi)
    except UsageError as error:
        assert error.message.startswith("--schema: ")  # noqa: PT017 - many texts end so, and some don't
        return
    Draft202012Validator.check_schema(made["schema"])
    assert made["schema"]["type"] == "object"
    assert not strict or strict_problem(made["schema"]) is None


# JSON -----------------------------------------------------------------------------------------------------------


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
def test_a_schema_is_closed_and_what_was_optional_may_be_null(given: Json, made: Json) -> None:
    assert schema(given) == made
    assert list(schema(given))[: len(given)] == list(given)
    assert json.dumps(schema(given, strict=False)) == json.dumps(given)


MAP = "takes properties of any name, which a strict schema can't"
JOINED = "puts one object together from several ($ref, allOf, anyOf, oneOf), not strictly"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "a strict schema is one of an object (type 'object'), not that"),
        ({"type": "array", "items": TEXT}, "a strict schema is one of an object (type 'object'), not 'array'"),
        ({"type": ["object", "null"], "properties": {}}, "a strict schema is one of an object (type 'object'), not that"),
        ({"anyOf": [closed(), closed(a=TEXT)]}, "a strict schema is one of an object (type 'object'), not that"),
        (closed(a={"type": "object", "additionalProperties": True}), f"properties.a {MAP}"),
        (closed(**{"odd a": {"type": "object", "additionalProperties": TEXT}}), f'properties["odd a"] {MAP}'),
        (closed(a={"type": "array", "items": {"patternProperties": {"x": {}}}}), f"properties.a.items {MAP}"),
        ({"type": "object"}, "the schema has no properties, so that any would do, which a strict schema can't allow"),
        (closed(["b"], a=TEXT), "the schema requires b, which isn't among its properties"),
        (closed([], a=False), "properties.a must be absent, and a strict schema requires it"),
        (closed(a={"allOf": [closed(b=TEXT), closed(c=TEXT)]}), f"properties.a {JOINED}"),
        ({"type": "object", "anyOf": [closed(b=TEXT)]}, f"the schema {JOINED}"),
        ({"$ref": "#/$defs/p", "$defs": {"p": closed()}, "properties": {"a": TEXT}}, f"the schema {JOINED}"),
        ({"type": "strin"}, 'type: "strin" is not a type of JSON Schema'),
        (closed(a={"type": "object", "required": "b"}), "properties.a.required: \"b\" is not of type 'array'"),
        (closed(a={"$ref": "#/$defs/b"}), '$ref "#/$defs/b" leads nowhere in the schema, and nothing is fetched'),
        (closed(a={"$ref": "http://127.0.0.1:9/x.json"}), '$ref "http://127.0.0.1:9/x.json" leads nowhere in the schema, and nothing is fetched'),
        (closed(a={"$ref": "http://["}), '$ref "http://[" leads nowhere in the schema, and nothing is fetched'),
    ],
)  # fmt: skip
def test_what_cant_be_strict_or_is_no_schema_is_refused_with_its_place(given: Json, message: str) -> None:
    assert refusal(given) == f"--schema: {message}"


def test_references_that_double_at_every_step_or_go_round_are_followed_once() -> None:
    doubled = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    defs = doubled | {"d60": {"anyOf": [{"$ref": "#/$defs/d0"}, TEXT]}}
    given = closed(a={"$ref": "#/$defs/d0"}) | {"$defs": defs}
    assert schema(given) == given


def test_a_list_is_asked_for_under_items_and_references_still_lead_where_they_led() -> None:
    assert schema("name", multi=True) == closed(items={"type": "array", "items": closed(name=TEXT)})
    node = closed(left={"$ref": "#"}, leaf={"$ref": "#/$defs/leaf"}, again={"$ref": "#/properties/leaf"})
    node |= {"$defs": {"leaf": closed(up={"$ref": "#"})}, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    at = "#/properties/items/items"
    inner = closed(left={"$ref": at}, leaf={"$ref": "#/$defs/leaf"}, again={"$ref": f"{at}/properties/leaf"})
    whole = closed(items={"type": "array", "items": inner}) | {"$defs": {"leaf": closed(up={"$ref": at})}}
    for strict in (True, False):
        made = schema(node, multi=True, strict=strict)
        assert made == whole | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        assert schema_fault(made) == ""
    assert schema(TEXT, multi=True) == closed(items={"type": "array", "items": TEXT})


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
        | st.builds(lambda key, parts: {key: parts}, st.sampled_from(["anyOf", "oneOf", "allOf"]), st.lists(inner, min_size=1, max_size=2))
        | st.builds(lambda heads: {"type": "array", "prefixItems": heads}, st.lists(inner, min_size=1, max_size=2))
    ),
    max_leaves=8,
)  # fmt: skip


@given(objects(SCHEMAS), st.booleans())
def test_a_strict_schema_is_strict_everywhere_and_the_given_one_is_left_alone(given: Json, multi: bool) -> None:
    from cometresp.schema.strict import listed_schema, strict_schema

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
def test_null_stands_for_what_was_left_out(given: Json, value: Any) -> None:
    from cometresp.schema.strict import strict_schema

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


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["type", "properties", "$defs", "$id", "$schema", "$ref"]), SOUP), VALUES)
def test_no_json_ends_in_a_traceback(given: Json, value: Any) -> None:
    for strict, multi in ((True, False), (True, True), (False, True)):
        try:
            made = schema(given, strict=strict, multi=multi)
        except UsageError as error:
            assert error.message.startswith("--schema: ")  # noqa: PT017 - many end so, and some don't
            continue
        assert schema_fault(made) == ""
    answer = json.dumps(value)
    assert fault({"type": "json_schema", "schema": given}, answer)[0] in (None, 8)


# the check --------------------------------------------------------------------------------------------------------


def fault(shape: Any, text: str) -> tuple[int | None, str, list[str]]:
    """(exit code, message, warnings) of an answer."""
    warnings: list[str] = []
    error: CometrespError | None = mismatch(shape, "r", text, warnings.append)
    return (int(error.exit_code), error.message, warnings) if error else (None, "", warnings)


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


def test_a_pattern_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_LONGEST_CHECK", 0.1)
    slow = {"type": "json_schema", "schema": {"pattern": "(a+)+$"}}
    assert fault(slow, f'"{"a" * 60}b"') == (None, "", ["the answer was not checked to its end: it took more than 0 s"])


@given(st.lists(st.text() | st.integers(0, 9)))
def test_a_place_reads_as_jq_writes_it(path: list[str | int]) -> None:
    assert "\n" not in where(path)
    assert where(["items", 0, "name", "a b"]) == 'items[0].name["a b"]'


# through the command ------------------------------------------------------------------------------------------------


def test_a_structured_question_is_answered_offline(run: Command) -> None:
    assert list(run("ask", "--offline", "--schema", "name, age int", "Ada, 36")) == [0, '{"name":"Ada","age":36}\n', ""]
    code, out, err = run("ask", "--offline", "--schema-multi", "name, age int, nick str?", "Ada, 36")
    assert (code, err, json.loads(out)) == (0, "", {"items": [{"name": "Ada", "age": 36, "nick": "Ada"}]})


def test_the_schema_is_sent_strict_or_as_it_is(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream('{"a":""}'))
    given = {"type": "object", "properties": {"a": TEXT}}
    (ask.home / "thing.json").write_text(json.dumps(given))
    strict = closed(a={"type": ["string", "null"]})
    for flags, name, shape in (
        (["--schema", "thing.json"], "thing", strict),
        (["--schema", "@thing.json", "--schema-name", "n"], "n", strict),
        (["--schema", "thing.json", "--no-strict"], "thing", given),
        (["--schema", "@-"], "answer", strict),
    ):
        assert list(ask("ask", *flags, "hi", stdin=json.dumps(given).encode())) == [0, '{"a":""}\n', ""]
        shape_sent = wire.bodies()[-1]["text"]["format"]
        assert shape_sent == {
            "type": "json_schema",
            "name": name,
            "schema": shape,
            "strict": "--no-strict" not in flags,
        }
    assert wire.bodies()[-1]["input"] == "hi"


@pytest.mark.parametrize("command", [["ask"], ["ask", "--no-stream"], ["stream"], ["continue"]])
def test_an_answer_that_doesnt_match_is_printed_and_ends_with_8(ask: Command, wire: Wire, command: list[str]) -> None:
    wire.answer(text_stream('{"age":1}'))
    assert ask("ask", "hi").code == 0
    text = '{"age": "x\\u001b"} '
    wire.answer(text_stream(*text))
    error = "cometresp: error: resp_2 doesn't match the schema: age: \"x\\u001b\" is not of type 'integer'\n"
    wire.answer(text_stream(*text, response_id="resp_2"))
    assert list(ask(*command, "--schema", "age int", "hi")) == [8, f"{text}\n", error]
    told = json.loads(ask(*command, "--schema", "age int", "--error-format", "json", "hi").err)["error"]
    assert (told["exit_code"], told["message"]) == (8, error[18:-1])
    (ask.home / "out").write_text("old")
    assert ask(*command, "--schema", "age int", "-o", "out", "hi").code == 8
    assert ((ask.home / "out").read_text(), (ask.home / "out.part").read_text()) == ("old", f"{text}\n")
    assert json.loads(ask(*command, "--schema", "age int", "--json", "hi").out)["output_text"] == text


@pytest.mark.parametrize(
    ("whole", "code"),
    [
        (response(message("{"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}), 3),
        (response({"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}), 4),
        (response(message("{"), status="failed", error={"message": "x"}), 1),
        (response(message("{"), status="cancelled"), 6),
        (response(message("thinking"), call()), 5),
        (response(status="queued"), 7),
    ],
)
def test_an_answer_that_ended_otherwise_is_not_checked(ask: Command, wire: Wire, whole: Json, code: int) -> None:
    shape = {"type": "json_schema", "name": "a", "schema": closed(age=WHOLE)}
    wire.answer(json_reply(whole | {"text": {"format": shape}}))
    for words in (["ask", "--no-stream", "--schema", "age int", "hi"], ["get", "resp_1"]):
        result = ask(*words)
        assert (result.code, "schema" in result.err) == (code, False)
    wire.answer(sse(created(), delta("{")))
    assert ask("ask", "--schema", "age int", "hi").code == 69


def test_an_accepted_incomplete_answer_is_checked(ask: Command, wire: Wire) -> None:
    cut = response(message("{"), status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    wire.answer(json_reply(cut))
    assert ask("ask", "--allow-incomplete", "--schema", "age int", "hi").code == 8


def test_a_fetched_answer_is_checked_against_the_schema_that_it_names(ask: Command, wire: Wire) -> None:
    shape = {"type": "json_schema", "name": "a", "schema": closed(age=WHOLE)}
    wire.answer(json_reply(response(message('{"age":"x"}'), text={"format": shape})))
    error = "cometresp: error: resp_1 doesn't match the schema: age: \"x\" is not of type 'integer'\n"
    assert list(ask("get", "resp_1")) == [8, '{"age":"x"}\n', error]
    assert list(ask("get", "-q", "resp_1")) == [8, '{"age":"x"}\n', error]
    for text in ({"format": {"type": "text"}}, {"format": "x"}, "x", None):
        wire.answer(json_reply(response(message("x"), text=text)))
        assert list(ask("get", "resp_1")) == [0, "x\n", ""]
    shape["schema"] = {"$ref": f"{wire.url}/x.json"}
    wire.answer(json_reply(response(message("5"), text={"format": shape})))
    before = len(wire.requests)
    code, out, err = ask("get", "resp_1")
    assert (code, out, err[:51]) == (0, "5\n", "cometresp: warning: the answer was not checked: $re")
    assert len(wire.requests) == before + 1


def test_a_schema_that_cant_be_used_is_told_before_anything_is_sent(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    for spec, error in (
        ("age integer", f"field age: 'integer' is not a type; {TYPES}\nhint: as in 'name, age int, tags list[str], bio: a short biography'"),
        ('{"type":"array"}', "a strict schema is one of an object (type 'object'), not 'array'\nhint: --schema-multi takes the schema of one element, and asks for a list of them"),
        ('{"type":"object","additionalProperties":{}}', f"the schema {MAP}\nhint: --no-strict sends it as it is"),
    ):  # fmt: skip
        assert list(ask("ask", "--schema", spec, "hi")) == [2, "", f"cometresp: error: --schema: {error}\n"]
    assert wire.requests == []


def test_the_schema_command_prints_what_would_be_sent(run: Command) -> None:
    sent = json.loads(run("ask", "--dry-run", "-m", "m", "--schema", "a, b int", "hi").out)["text"]["format"]["schema"]
    code, out, err = run("schema", "a, b int")
    assert (code, json.loads(out), out.count("\n"), err) == (0, sent, 1, "")
    assert json.loads(run("schema", "--multi", "@-", stdin=b"a\nb int\n").out) == closed(
        items={"type": "array", "items": sent}
    )
    (run.home / "s.json").write_text('{"type": "array"}')
    assert json.loads(run("schema", "--no-strict", "s.json").out) == {"type": "array"}
    hint = "hint: --multi takes the schema of one element, and asks for a list of them\n"
    told = "cometresp: error: SPEC: a strict schema is one of an object (type 'object'), not 'array'\n"
    assert list(run("schema", "s.json")) == [2, "", told + hint]
    assert json.loads(on_terminal(run, "schema", "a")[1]) == closed(a=TEXT)


# on a terminal ------------------------------------------------------------------------------------------------------

WIDE = json.dumps({"a": ["x y" * 99, {}, [], {"b": -1.5, "ü": "\u202e"}], "c": None}, ensure_ascii=False)


@pytest.mark.parametrize("size", [{}, {"COLUMNS": "30", "LINES": "8"}, {"NO_COLOR": "1"}])
def test_json_is_indented_and_highlighted_on_a_terminal(ask: Command, wire: Wire, size: dict[str, str]) -> None:
    wire.answer(text_stream(*[WIDE[n : n + 5] for n in range(0, len(WIDE), 5)]))
    words = ["--plain", "-q", "--schema", '{"type":"object"}', "--no-strict"]
    code, screen = on_terminal(ask, "ask", *words, "hi", env=size)
    indented = json.dumps(json.loads(WIDE), ensure_ascii=False, indent=2).replace("\u202e", "\\u202e")
    assert (code, plain(screen)) == (0, indented + "\n")
    assert ("\x1b[94" in screen or "\x1b[33" in screen) == ("NO_COLOR" not in size)


@needs_tmux
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (20, 6)])
def test_long_and_wide_json_stands_on_the_screen_once_and_whole(
    ask: Command,
    wire: Wire,
    tmux: Tmux,
    columns: int,
    rows: int,
) -> None:
    text = json.dumps({"items": [{"k": f"T{n:05}", "v": "word " * (n % 30)} for n in range(600)]})
    wire.answer(paced(text, 60, 0.01))
    start(tmux, ask, columns, rows, "ask", "-q", "--schema-multi", "k, v", "hi")
    screen = tmux.wait_for("DONE-0")
    assert json.loads(screen.partition("DONE-0")[0]) == json.loads(text)


def test_a_fetched_object_is_indented_and_other_text_stays_text(ask: Command, wire: Wire) -> None:
    shape: Json = {"text": {"format": {"type": "json_object"}}}
    wire.answer(json_reply(response(message('{"a":\x1b1}'), **shape)))
    assert plain(on_terminal(ask, "get", "-q", "resp_1")[1]) == '{\n  "a": \\u001b1\n}\n'
    wire.answer(json_reply(response(message("No, I *won't*.\x1b"), **shape)))
    assert plain(on_terminal(ask, "get", "-q", "resp_1")[1]) == "No, I *won't*.\\x1b\n"
    assert "*" not in plain(on_terminal(ask, "get", "-q", "-F", "markdown", "resp_1")[1])


@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.lists(st.integers(0, 60)), st.booleans())
def test_an_indented_answer_is_the_same_json_however_it_came(value: Any, cuts: list[int], compact: bool) -> None:
    text = json.dumps(value, separators=(",", ":") if compact else None, ensure_ascii=compact)
    structured, lines = Structured(), []
    for begin, end in pairwise(sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})):
        structured.feed(text[begin:end])
        structured.tail(5)
        if part := structured.finished():
            lines.append(part.text.plain)
    if part := structured.end():
        lines.append(part.text.plain)
    assert "".join(lines) == json.dumps(value, indent=2, ensure_ascii=compact) + "\n"


@given(st.lists(st.text(st.sampled_from('{}[]":, \\\n\x1bab1')), max_size=6))
def test_whatever_came_is_shown_but_for_blanks(pieces: list[str]) -> None:
    structured, shown = Structured(), ""
    for piece in pieces:
        structured.feed(piece)
        structured.tail(3)
        shown += part.text.plain if (part := structured.finished()) else ""
    shown += part.text.plain if (part := structured.end()) else ""
    assert "\x1b" not in shown
    visible = shown.replace("\\u001b", "\x1b").replace("\\x1b", "\x1b")
    assert "".join(visible.split()) == "".join("".join(pieces).split())
