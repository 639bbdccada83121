"""Command lines with placeholders: one word remains one word."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.functions.words import WordError, fill, parse, places


def filled(words: list[str], *dashed: str, **arguments: Any) -> list[str]:
    return fill([parse(word) for word in words], arguments, dashed)


@pytest.mark.parametrize(
    ("words", "arguments", "expected"),
    [
        (["a", "b c"], {}, ["a", "b c"]),
        (["{a}"], {"a": "x y; rm -rf $(touch x) \x1b[2J\n'\""}, ["x y; rm -rf $(touch x) \x1b[2J\n'\""]),
        (["--n={a}", "{a}{b}"], {"a": 1, "b": 2.5}, ["--n=1", "12.5"]),
        (["{a}"], {"a": True}, ["true"]),
        (["{a}", "{b}"], {"a": ["é", None], "b": {"x": "-"}}, ['["é", null]', '{"x": "-"}']),
        (["{a}"], {"a": ""}, [""]),
        (["{a}"], {"a": "{b} {{c}}", "b": "no"}, ["{b} {{c}}"]),
        (["{{a}}", "{{{a}}}", "}}{{"], {"a": "x"}, ["{a}", "{x}", "}{"]),
        (["x", "--opt={a}", "{b}", "{a}{b}"], {"a": None, "b": "y"}, ["x", "y"]),
        (["x", "--opt={a}", "{b}"], {}, ["x"]),
        (["--a={a}", "-{a}", "x{a}"], {"a": "-x"}, ["--a=-x", "--x", "x-x"]),
        (["{a b.c}"], {"a b.c": "x"}, ["x"]),
    ],
)
def test_a_placeholder_gets_its_argument(words: list[str], arguments: dict[str, Any], expected: list[str]) -> None:
    assert filled(words, **arguments) == expected


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["{a}"], {"a": "--output=x"}),
        (["{a}"], {"a": "-"}),
        (["{a}"], {"a": -1}),
        (["{b}{a}"], {"a": "-x", "b": ""}),
    ],
)
def test_a_value_that_would_make_a_word_an_option_is_refused_unless_allowed(
    words: list[str], arguments: dict[str, Any]
) -> None:
    with pytest.raises(WordError, match="'a' must not start with -"):
        filled(words, **arguments)
    assert filled(words, "a", **arguments) == [str(arguments["a"])]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a\0b", "argument 'a' must not contain a NUL character"),
        ("\udc80", "argument 'a' must not contain a lone surrogate"),
        (["\ud800"], "argument 'a' must not contain a lone surrogate"),
    ],
)
def test_text_that_no_command_line_can_contain_is_refused(value: Any, message: str) -> None:
    with pytest.raises(WordError) as caught:
        filled(["x{a}"], a=value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("{", "has a lone {; a brace itself is written {{"),
        ("a}", "has a lone }; a brace itself is written }}"),
        ("{a", "has a lone {; a brace itself is written {{"),
        ("{{a}", "has a lone }; a brace itself is written }}"),
        ("\0", "contains a NUL character"),
    ],
)
def test_a_word_that_can_be_read_in_two_ways_is_refused(word: str, message: str) -> None:
    with pytest.raises(WordError) as caught:
        parse(word)
    assert str(caught.value) == message


@given(st.text(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_word_can_be_written_and_any_text_is_inserted_unchanged(literal: str, value: str) -> None:
    literal = literal.replace("\0", "")
    word = parse(literal.replace("{", "{{").replace("}", "}}") + "={a}")
    assert places(word) == ["a"]
    assert fill([word], {"a": value}, ()) == [f"{literal}={value}"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text("aé-"), st.lists))
def test_other_values_than_text_arrive_as_json(value: Any) -> None:
    if value is not None and not isinstance(value, str):
        assert json.loads(filled(["{a}"], "a", a=value)[0]) == value
