"""Any line at all gets an answer."""

from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from cometresp.cli import app
from cometresp.completion.answer import answer
from cometresp.completion.offers import offers

COMMANDS = ["cometresp", "ask", "chains", "show", "get"]
WORDS = [*COMMANDS, "-m", "-qF", "--effort", "--", "-", "--file=", "@", "a=@", "'", '"', "\\", "~/", "last"]
BREAKS = " \t\n\"'@><=;|&(:"


@given(
    st.lists(st.sampled_from(WORDS) | st.text(st.characters(exclude_characters="\0"), max_size=8), max_size=6),
    st.sampled_from(["bash", "zsh", "fish", "powershell", "other", ""]),
)
def test_any_line_gets_an_answer(words: list[str], shell: str) -> None:
    environ = {"_COMETRESP_COMPLETE": shell, "_COMETRESP_LINE": " ".join(words), "_COMETRESP_BREAKS": BREAKS}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMETRESP_STATE_DIR", folder)
        lines = answer(get_command(app), environ).decode(errors="surrogateescape").split("\n")
    assert lines[0] in ("", "words", "files", "directories")
    assert lines[-1] == ""


@pytest.mark.parametrize("word", ["-5", "->F", "- item", "---", "-", "--5"])
def test_a_word_that_the_parser_takes_for_one_of_the_prompt_is_no_flag(word: str) -> None:
    root = get_command(app)
    assert offers(root, ["ask", word], "") == offers(root, ["ask", "x"], "")
    assert offers(root, ["help", word], "") == offers(root, ["help", "x"], "")


@pytest.mark.parametrize(("typed", "offered"), [("-5", []), ("->", []), ("--pl", ["--plain"]), ("--plai", ["--plain"])])
def test_names_of_flags_are_offered_for_what_may_become_one(typed: str, offered: list[str]) -> None:
    assert [offer.value for offer in offers(get_command(app), ["ask"], typed).words] == offered
