"""Structured answers through the command: requested, sent, printed and checked."""

import json

import pytest

from tests.conftest import Command
from tests.schema.shapes import MAP, TEXT, TYPES, WHOLE, Json, closed
from tests.scripted import Wire, call, created, delta, json_reply, message, response, sse, text_stream


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
    reported = json.loads(ask(*command, "--schema", "age int", "--error-format", "json", "hi").err)["error"]
    assert (reported["exit_code"], reported["message"]) == (8, error[18:-1])
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
    wire.answer(json_reply(whole | {"text": {"format": shape}}, retry_after_ms="1"))
    for words in (["ask", "--no-stream", "--schema", "age int", "hi"], ["get", "resp_1"]):
        result = ask(*words)
        assert (result.code, "schema" in result.err) == (code, False)
    wire.answer(sse(created(), delta("{")))
    assert ask("ask", "--schema", "age int", "hi").code == 69


def test_an_accepted_incomplete_answer_is_checked(ask: Command, wire: Wire) -> None:
    cut = response(message("{"), status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    wire.answer(json_reply(cut))
    assert ask("ask", "--allow-incomplete", "--schema", "age int", "hi").code == 8


def test_a_fetched_answer_is_checked_against_the_schema_in_the_response(ask: Command, wire: Wire) -> None:
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


def test_a_schema_that_cant_be_used_is_reported_before_anything_is_sent(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    for spec, error in (
        (
            "age integer",
            f"field age: 'integer' is not a type; {TYPES}\n"
            "hint: as in 'name, age int, tags list[str], bio: a short biography'",
        ),
        (
            '{"type":"array"}',
            "a strict schema must have type 'object' at its root, not 'array'\n"
            "hint: --schema-multi takes the schema of one element, and requests a list of them",
        ),
        ('{"type":"object","additionalProperties":{}}', f"the schema {MAP}\nhint: --no-strict sends it as it is"),
    ):
        assert list(ask("ask", "--schema", spec, "hi")) == [2, "", f"cometresp: error: --schema: {error}\n"]
    assert wire.requests == []
