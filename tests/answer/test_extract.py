"""`--extract`: the block of an answer that is printed, and what is printed if there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.answer.extract import fenced_block
from tests.conftest import Command
from tests.scripted import Wire, call, created, delta, json_reply, message, response, sse, text_stream
from tests.terminals import on_terminal


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("no block", None, None),
        ("`code` and ``` code ```", None, None),
        ("    indented\n", None, None),
        ("<pre>\n```\na\n```\n</pre>\n", None, None),
        ("a\n\n```py title=x\nx = 1\n\ty\n\n```\n\n~~~\nz\n~~~\n", "x = 1\n\ty\n\n", "z\n"),
        ("```\n```", None, None),
        ("```\n\n```\n\n~~~\na\n~~~", "a\n", "a\n"),
        ("````\n```\na\n```\n````", "```\na\n```\n", "```\na\n```\n"),
        ("~~~\n```\n~~~", "```\n", "```\n"),
        ("- list\n\n  ```\n  a\n\n    b\n  ```\n- ```\n  c\n  ```", "a\n\n  b\n", "c\n"),
        ("> ```\n> a\n> ```\n\n> ~~~\n> b\n\nafter", "a\n", "b\n"),
        ("   ```\n   a\n  b\n```", "a\nb\n", "a\nb\n"),
        ("```\r\na\r\n\r\nb\x00\r\n```\r\n", "a\r\n\r\nb\x00\r\n", "a\r\n\r\nb\x00\r\n"),
        ("```\ra\r```\r", "a\r", "a\r"),
        ("- ```\n\ta\n  ```", "  a\n", "  a\n"),
        ("```\nopen", "open", "open"),
        ("```\na\n```\n\n```\nopen\n\n", "a\n", "open\n\n"),
        ("```", None, None),
    ],
)
def test_a_block_is_what_commonmark_says(text: str, first: str | None, last: str | None) -> None:
    assert (fenced_block(text, last=False, complete=True), fenced_block(text, last=True, complete=True)) == (
        first,
        last,
    )


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("```\na\n```\n\n```\nopen", "a\n"),
        ("```\nopen\n", None),
        ("```", None),
        ("```\na\n```", "a\n"),
        ("> ```\n> closed with its quotation\n\nafter", "closed with its quotation\n"),
    ],
)
def test_an_open_fence_of_an_incomplete_answer_is_no_block(text: str, block: str | None) -> None:
    assert fenced_block(text, last=True, complete=False) == block


@given(
    st.text(st.characters(exclude_characters="`", exclude_categories=["Cs"])), st.text(st.sampled_from("a`~>- \n\r\t"))
)
def test_the_content_of_a_block_is_unchanged(code: str, before: str) -> None:
    block = f"{code}\n" if code.strip() else None  # a blank one is no answer
    assert fenced_block(f"```\n{code}\n```\n", last=False, complete=True) == block
    fenced_block(before, last=True, complete=False)


CODE = "Here:\n\n```py\nprint('\x1b[2J ü')\n```\n\nand\n\n~~~\nlast\n~~~\n"
FIRST = "print('\x1b[2J ü')\n"


@pytest.mark.parametrize("command", [["ask"], ["ask", "--no-stream"], ["stream"], ["continue"], ["get"]])
def test_a_block_is_printed_alone_and_unchanged(ask: Command, wire: Wire, command: list[str]) -> None:
    wire.answer(text_stream("started"))
    assert ask("ask", "hi").code == 0
    fetched = command == ["get"]
    word = "resp_2" if fetched else "hi"

    def answer(text: str) -> None:
        whole = response(message(text), response_id="resp_2")
        wire.answer(json_reply(whole) if fetched else text_stream(*text, response_id="resp_2"))

    answer(CODE)
    assert list(ask(*command, "-x", word)) == [0, FIRST, ""]
    assert list(ask(*command, "--extract-last", word)) == [0, "last\n", ""]
    assert list(ask(*command, "-x", "-o", "out", word)) == [0, "", ""]
    assert (ask.home / "out").read_text() == FIRST
    answer("```\nopen")
    assert list(ask(*command, "--extract", word)) == [0, "open\n", ""]


def test_an_answer_without_a_block_goes_to_stderr_and_ends_with_8(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("none \x1b[2J"))
    error = "cometresp: error: resp_1 has no fenced code block to extract\nhint: its text is above\n"
    (ask.home / "out").write_text("old")
    for flags in (["-x"], ["-x", "-q"], ["--extract-last", "-o", "out"]):
        assert list(ask("ask", *flags, "hi")) == [8, "", f"none \\x1b[2J\n{error}"]
    assert ((ask.home / "out").read_text(), (ask.home / "out.part").exists()) == ("old", False)
    wire.answer(text_stream())
    assert list(ask("ask", "-x", "hi")) == [8, "", error.partition("hint")[0]]


def test_an_answer_that_didnt_end_well_keeps_its_code_and_goes_to_stderr(ask: Command, wire: Wire) -> None:
    cut = response(message(CODE), status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    wire.answer(json_reply(cut))
    shown = CODE.replace("\x1b", "\\x1b")
    for words in (["ask", "-x", "hi"], ["get", "-x", "resp_1"]):
        code, out, err = ask(*words)
        assert (code, out) == (3, "")
        assert err.startswith(f"{shown}cometresp: error: resp_1 is incomplete: max_output_tokens\n")
    assert list(ask("ask", "-x", "--allow-incomplete", "hi")) == [0, FIRST, ""]
    wire.answer(json_reply(response(message(CODE), call())))
    assert (ask("ask", "-x", "hi").code, ask("ask", "-x", "hi").out) == (5, b"")
    wire.answer(sse(created(), delta(CODE)))
    code, out, err = ask("stream", "-x", "hi")
    assert (code, out, err.startswith(f"{shown}cometresp: error: the stream ended")) == (69, "", True)


def test_a_block_is_escaped_on_a_terminal_and_not_rendered(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream(*CODE))
    for how in ({}, {"CI": "1"}):
        code, screen = on_terminal(ask, "ask", "-x", "-q", "hi", env=how)
        assert (code, screen.rpartition("\x1b[?25h")[2]) == (0, FIRST.replace("\x1b", "\\x1b"))
    _, screen = on_terminal(ask, "stream", "--extract-last", "hi")
    assert screen.count("last") == 1
    assert "default turn 1 · " in screen


ALONE = "prints the code alone: it excludes --json, --events and --format"
OTHER = "exclude each other: such an answer is JSON, without a code block"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("-x --extract-last", "--extract and --extract-last exclude each other"),
        ("-x --json", f"--extract {ALONE}"),
        ("--extract-last --events", f"--extract-last {ALONE}"),
        ("-x -F text", f"--extract {ALONE}"),
        ("-x --schema name", f"--extract and --schema {OTHER}"),
        ("-x --schema-multi name", f"--extract and --schema-multi {OTHER}"),
        ("--extract-last --json-object", f"--extract-last and --json-object {OTHER}"),
        ("-x --background", "--extract goes with an answer, not with --background"),
    ],
)
def test_what_excludes_an_extraction_is_reported_before_anything_is_sent(
    ask: Command, wire: Wire, flags: str, message: str
) -> None:
    result = ask("ask", *flags.split(), "hi")
    assert (result.code, result.text, result.err.partition("\n")[0]) == (2, "", f"cometresp: error: {message}")
    assert wire.requests == []


def test_a_block_is_extracted_offline(run: Command) -> None:
    assert list(run("ask", "--offline", "-x", "emulate:code")) == [0, 'print("first block")\n', ""]
    assert list(run("ask", "--offline", "--extract-last", "emulate:code")) == [0, 'echo "last block"\n', ""]
