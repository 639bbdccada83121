"""Text with variables: any text can be written in it, and a value is never read again."""

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.settings.flags import settings
from cometresp.templates.braces import filled, pieces, variables_of
from cometresp.templates.use import used

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


VALUES = st.sampled_from(
    [
        "1",
        "true",
        '"{a}"',
        '"{"',
        "[]",
        '["{x}", "@"]',
        "1979-05-27",
        "nan",
        '"@f"',
        '""',
        "{a = 1}",
        '"\\\\u0000"',
        "-9e999",
    ]
)
NAMES = st.sampled_from(
    [*settings(), "prompt", "description", "vars", "vars.a", '"a\\\\nb"', '""', "nothing", "aliases", "profile.x"]
)


def fault(path: Path, variables: list[str]) -> str:
    """What is wrong with a template, "" if nothing is."""
    try:
        used(str(path), variables, {}, nullcontext, print)
    except UsageError as error:
        return error.message
    return ""


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.lists(st.sampled_from(["a=1", "x=@@", "stdin=", "q", "a=@-"])))
def test_any_settings_are_a_template_or_one_clear_line(table: dict[str, str], variables: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.toml"
        path.write_text("".join(f"{name} = {value}\n" for name, value in table.items()))
        message = fault(path, variables)
    assert message == "" or message.startswith((str(path), "--var: ", "--template: "))
    assert "\n" not in message
