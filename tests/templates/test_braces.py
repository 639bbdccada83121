"""Text with variables: any text can be written in it, and a value is never read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.templates.braces import filled, pieces, variables_of

TEXT = st.text(st.sampled_from("{}ab-_ \n1é"), max_size=20)


@given(TEXT)
def test_any_text_can_be_written_with_doubled_braces(text: str) -> None:
    written = text.replace("{", "{{").replace("}", "}}")
    assert filled(pieces(written), {}) == text


@given(TEXT, TEXT)
def test_a_value_stands_there_as_it_is(before: str, value: str) -> None:
    written = before.replace("{", "{{").replace("}", "}}")
    found = pieces(f"{written}{{a}}{written}{{b-c}}")
    assert variables_of(found) == ["a", "b-c"]
    assert filled(found, {"a": value, "b-c": "{a}"}) == f"{before}{value}{before}{{a}}"


@pytest.mark.parametrize("text", ["{", "a\n}", "\n\n{a b}", "{}", "{1}", "{{{", "{é}"])
def test_a_single_brace_is_a_fault_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match=f"line {text.count(chr(10)) + 1}: a single "):
        pieces(text)
