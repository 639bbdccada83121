"""Terminals that take no sequences: `TERM=dumb`, and those that don't say what they are."""

import pytest

from tests.conftest import Command, Forker


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
@pytest.mark.parametrize("words", [["ask", "--offline", "# **hi**"], ["chains", "show", "--offline"], ["ask", "-h"]])
def test_a_dumb_terminal_gets_plain_text(run: Command, forker: Forker, term: str, words: list[str]) -> None:
    assert forker.run(run, ["ask", "--offline", "`code` and **bold**"]).code == 0
    result = forker.run(run, words, env={"TERM": term}, terminal=True)
    assert (result.code, "\x1b" in result.text, bool(result.text)) == (0, False, True)
