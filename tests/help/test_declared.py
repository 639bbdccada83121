"""Of the options of a command only those are declared that its words name: the command line is read the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.cli import _command
from cometresp.errors import CometrespError
from cometresp.help.words import flags_of

COMMANDS = ("ask", "get", "doctor")
FLAGS = {name: sorted(flags_of(_command(name).params)) for name in COMMANDS}
VALUES = [
    "x",
    "3",
    "-1",
    "-",
    "",
    "name=x",
    "/a",
    "temperature",
    "\u2014dry-run",
    "-qu",
    "-mx",
    "-zq",
    "-qh",
    "-store",
    "-color",
    "--no",
    "--",
    "-h",
]


def parsed(name: str, words: list[str], whole: bool) -> Any:
    """The values of a command's flags and words, or its error."""
    command = _command(name, None if whole else words)
    try:
        context = command.make_context(name, list(words))
    except CometrespError as error:
        return type(error), error.message, error.hint
    except Exception as error:  # noqa: BLE001 - Typer's, of which the text is shown
        return type(error), str(error)
    typed = (field for field in context.params if context.get_parameter_source(field).name != "DEFAULT")
    return {field: context.params[field] for field in typed}


@given(st.data())
def test_a_command_line_is_read_the_same_with_all_options_and_with_those_it_names(data: Any) -> None:
    name = data.draw(st.sampled_from(COMMANDS))
    word = st.sampled_from(FLAGS[name]) | st.sampled_from(VALUES) | st.sampled_from(FLAGS[name]).map(lambda f: f"{f}=x")
    words = data.draw(st.lists(word, max_size=5))
    assert parsed(name, words, whole=False) == parsed(name, words, whole=True)


@pytest.mark.parametrize(
    ("words", "declared"),
    [
        (["hi"], {"prompt"}),
        (["-m", "x", "--no-store", "hi"], {"prompt", "model", "store"}),
        (["--model=x", "-f", "/a", "--", "hi", "-", "--"], {"prompt", "model", "file"}),
        (["-qmx"], {"prompt", "quiet", "model", "extract"}),  # x may be a flag, too
        (["-m", "--", "--store"], {"prompt", "model", "store"}),
    ],
)
def test_only_what_the_words_name_is_declared(words: list[str], declared: set[str]) -> None:
    assert {param.name for param in _command("ask", words).params} == declared


@pytest.mark.parametrize("word", ["-h", "--help", "--modle", "-Z", "\u2014m", "-5", "-qh", "-store", "-mgpt"])
def test_all_options_are_declared_where_a_word_is_unclear(word: str) -> None:
    assert len(_command("ask", [word]).params) == len(_command("ask").params)
