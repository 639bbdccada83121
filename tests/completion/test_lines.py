"""A command line as shells read it, and values as bash inserts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.completion.lines import RULES, parse
from cometresp.completion.quoting import for_bash, for_powershell

BREAKS = " \t\n\"'@><=;|&(:"  # of an interactive bash


def read(line: str, shell: str = "bash") -> tuple[list[str], str] | None:
    parsed = parse(line, RULES[shell])
    return parsed and (parsed.arguments, parsed.current.text)


@pytest.mark.parametrize(
    ("shell", "line", "words"),
    [
        ("bash", "cometresp", None),
        ("bash", "cometresp ", ([], "")),
        ("bash", 'cometresp ask  \'a b\' "c\\"d" e\\ f', (["ask", "a b", 'c"d'], "e f")),
        ("bash", "cometresp ask 'open quo", (["ask"], "open quo")),
        ("bash", 'cometresp ask "a\\b', (["ask"], "a\\b")),
        ("bash", "cometresp ask a\\", (["ask"], "a")),
        ("bash", "A=1 B='x y' /usr/bin/cometresp get r", (["get"], "r")),
        ("fish", "env A=1 cometresp get r", (["get"], "r")),
        ("fish", "cometresp ask 'it\\'s' 'a", (["ask", "it's"], "a")),
        ("bash", "alias_of_it get r", (["get"], "r")),
        ("powershell", "cometresp.exe ask 'it''s' \"a`\"b\" c` d", (["ask", "it's", 'a"b'], "c d")),
    ],
)
def test_a_line_is_read_as_its_shell_reads_it(shell: str, line: str, words: tuple[list[str], str] | None) -> None:
    assert read(line, shell) == words


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.sampled_from(["", "'", '"']), st.integers(0, 3))
def test_what_bash_inserts_makes_the_word_the_value(value: str, quote: str, length: int) -> None:
    typed = value[:length] if value[:length].isalnum() else ""
    line = f"cometresp get {quote}{typed}"
    parsed = parse(line, RULES["bash"])
    assert parsed is not None
    start = parsed.current.opened if quote else parsed.current.start
    assert read(line[:start] + for_bash(value, line, parsed, BREAKS) + quote) == (["get"], value)


@pytest.mark.parametrize(
    ("line", "value", "inserted"),
    [
        ("cometresp get @wo", "@work", "@work"),
        ("cometresp get a:w", "a:work", "work"),
        ("cometresp get a\\:w", "a:work", "a:work"),
        ("cometresp ask --chain=wo", "--chain=work", "work"),
        ('cometresp ask --chain="m', "--chain=my own", "my own"),
        ("cometresp ask -P a=@no", "a=@notes.txt", "@notes.txt"),
        ('cometresp ask -P "a=@no', "a=@notes.txt", "a=@notes.txt"),
        ('cometresp get my" o', "my own", " own"),
        ('cometresp get "my own" my" "o', "my own", "my\\ own"),
        ('cometresp get "e', "ex!", 'ex"\\!"'),
    ],
)
def test_bash_gets_what_it_replaces(line: str, value: str, inserted: str) -> None:
    parsed = parse(line, RULES["bash"])
    assert parsed is not None
    assert for_bash(value, line, parsed, BREAKS) == inserted


def test_powershell_gets_whole_words_in_quotes_where_they_need_them() -> None:
    assert [for_powershell(value) for value in ("plain", "my own", "it's", "@a")] == [
        "plain",
        "'my own'",
        "'it''s'",
        "'@a'",
    ]
