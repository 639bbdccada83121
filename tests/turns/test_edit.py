"""`--edit`: the prompt in the user's editor, and what becomes of its text."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.scripted import Wire, json_reply, text_stream
from tests.terminals import at_terminal


@pytest.fixture
def editor(ask: Command) -> Callable[[str], None]:
    """Makes `EDITOR` a shell script, which gets the file as its last argument."""
    ask.environ["COMETRESP_STATE_DIR"] = str(ask.home / "state")

    def use(script: str) -> None:
        program = ask.home / "my editor"
        program.write_text(f"#!/bin/sh\nfor file; do :; done\n{script}\n")
        program.chmod(0o755)
        ask.environ["EDITOR"] = f"'{program}' --wait"

    return use


def kept(ask: Command) -> list[Path]:
    return sorted((ask.home / "state").glob("prompt-*"))


@pytest.mark.parametrize(
    ("words", "piped", "opened"),
    [
        (["two", "words"], b"", "two words\n"),
        ([], b"", ""),
        (["say"], b"piped\n", "say\n\npiped\n"),
        (["-", "after"], b"piped", "piped\n\nafter\n"),
    ],
)
def test_what_was_typed_and_piped_is_edited_and_then_sent(
    ask: Command, editor: Callable[[str], None], wire: Wire, words: list[str], piped: bytes, opened: str
) -> None:
    editor('cp "$file" opened; echo "$1" > argument; echo edited >> "$file"')
    wire.answer(text_stream("answer"))
    result = ask("ask", "--edit", *words, stdin=piped)
    assert tuple(result) == (0, "answer\n", "")
    assert [body["input"] for body in wire.bodies()] == [f"{opened}edited"]
    assert (ask.home / "opened").read_text() == opened
    assert (ask.home / "argument").read_text() == "--wait\n"
    assert kept(ask) == []


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (': > "$file"', "--edit: the prompt is empty: nothing was sent"),
        ('echo " " > "$file"', "--edit: the prompt is empty: nothing was sent"),
        ('rm "$file"', "--edit: the prompt is empty: nothing was sent"),
    ],
)
def test_an_empty_prompt_is_not_sent(
    ask: Command, editor: Callable[[str], None], wire: Wire, script: str, error: str
) -> None:
    editor(script)
    assert tuple(ask("ask", "--edit", "hi")) == (2, "", f"cometresp: error: {error}\n")
    assert (wire.requests, kept(ask)) == ([], [])


@pytest.mark.parametrize(
    ("script", "words", "code", "error"),
    [
        ('echo long text > "$file"; exit 3', [], 2, "--edit: {editor} ended with 3: nothing was sent"),
        (
            'echo long text > "$file"',
            ["--temperature", "9"],
            2,
            "--temperature: must be between 0 and 2, not 9.0",
        ),
    ],
)
def test_the_text_of_a_failed_run_is_kept_and_can_be_edited_again(
    ask: Command, editor: Callable[[str], None], script: str, words: list[str], code: int, error: str
) -> None:
    editor(script)
    result = ask("ask", "--edit", *words, "hi")
    [file] = kept(ask)
    message = error.format(editor=ask.home / "my editor")
    hint = f"hint: the prompt is kept: cometresp ask --edit < {file}\n"
    assert tuple(result) == (code, "", f"cometresp: error: {message}\n{hint}")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("long text\n", 0o600)
    editor("")
    again = ask("ask", "--edit", "--dry-run", stdin=file.read_bytes())
    assert json.loads(again.out)["input"] == "long text"


@pytest.mark.parametrize(("words", "lost"), [([], False), (["--no-save"], True)])
def test_after_a_response_that_failed_the_text_is_in_the_record_or_else_kept(
    ask: Command, editor: Callable[[str], None], wire: Wire, words: list[str], lost: bool
) -> None:
    editor('echo long text > "$file"')
    failed = {"id": "resp_1", "object": "response", "status": "failed", "error": {"code": "c", "message": "m"}}
    wire.answer(json_reply(failed))
    assert ask("ask", "--edit", *words, "hi").code == 1
    assert (len(kept(ask)), "long text" in ask("log", "resp_1").text) == (int(lost), not lost)


def test_the_text_of_a_failed_response_is_kept_where_the_turn_could_not_be_recorded(
    ask: Command, editor: Callable[[str], None], wire: Wire
) -> None:
    editor('echo long text > "$file"')
    (ask.home / "state").mkdir()
    (ask.home / "state" / "state.db").mkdir()
    failed = {"id": "resp_1", "object": "response", "status": "failed", "error": {"code": "c", "message": "m"}}
    wire.answer(json_reply(failed))
    result = ask("ask", "--edit", "hi")
    [file] = kept(ask)
    warning, *error = result.err.splitlines()
    assert (result.code, file.read_text()) == (1, "long text\n")
    assert warning.startswith("cometresp: warning: this turn is not recorded: ")
    assert error == [
        "cometresp: error: resp_1 failed (c): m",
        f"hint: the prompt is kept: cometresp ask --edit < {file}",
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('rm "$file"; mkdir "$file"', "Is a directory"),
        ('rm "$file"; mkfifo "$file"', "it is a named pipe"),
        ('rm "$file"; ln -s "$file" "$file"', "Too many levels of symbolic links"),
    ],
)
def test_an_editor_that_leaves_no_file_is_an_error(
    ask: Command, editor: Callable[[str], None], wire: Wire, script: str, reason: str
) -> None:
    editor(script)
    result = ask("ask", "--edit", "hi")
    [left] = kept(ask)
    assert tuple(result) == (2, "", f"cometresp: error: --edit: {left} can't be read: {reason}\n")
    assert wire.requests == []


def test_without_a_key_no_editor_is_opened(ask: Command, editor: Callable[[str], None]) -> None:
    editor("touch opened")
    ask.environ |= {"COMETAPI_KEY": "", "COMETAPI_BASE_URL": "https://example.invalid"}
    assert ask("ask", "--edit", "hi").code == 77
    assert not (ask.home / "opened").exists()


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"VISUAL": "no-such-editor"}, "--edit: no-such-editor can't be started: No such file or directory"),
        ({"EDITOR": "'open quote"}, "--edit: EDITOR can't be read: No closing quotation"),
        ({"VISUAL": " ", "EDITOR": "", "PATH": "/nowhere"}, "--edit: there is no editor"),
    ],
)
def test_an_editor_that_is_not_there_is_an_error(
    ask: Command, editor: Callable[[str], None], environ: dict[str, str], error: str
) -> None:
    editor("")
    result = ask("ask", "--edit", "hi", env=environ)
    assert (result.code, result.err.splitlines()[0]) == (2, f"cometresp: error: {error}")


def test_visual_goes_before_editor(ask: Command, editor: Callable[[str], None]) -> None:
    editor("touch wrong")
    result = ask("ask", "--edit", "--dry-run", "hi", env={"VISUAL": "sed -i s/hi/ho/"})
    assert (json.loads(result.out)["input"], (ask.home / "wrong").exists()) == ("ho", False)


def test_the_editor_has_the_terminal_though_a_pipe_was_read(
    ask: Command, editor: Callable[[str], None], wire: Wire
) -> None:
    editor('test -t 0 && test -t 1 && test -t 2 && read line && echo "$line" >> "$file"; echo shown')
    wire.answer(text_stream("answer"))
    code, out, err, shown = at_terminal(ask, [], "ask", "--edit", stdin=b"piped", ahead="typed\n")
    assert (code, out, err) == (0, "answer\n", "")
    assert shown.endswith("shown\n")
    assert [body["input"] for body in wire.bodies()] == ["piped\ntyped"]


def test_an_interrupt_is_the_editors_and_a_termination_keeps_the_text(
    ask: Command, editor: Callable[[str], None], wire: Wire
) -> None:
    wire.answer(text_stream("answer"))
    editor("kill -INT $PPID; sleep 0.1")
    assert tuple(ask("ask", "--edit", "hi")) == (0, "answer\n", "")
    editor("kill -TERM $PPID; exec sleep 60")
    result = ask("ask", "--edit", "hi")
    [file] = kept(ask)
    hint = f"hint: the prompt is kept: cometresp ask --edit < {file}\n"
    assert tuple(result) == (143, "", f"cometresp: error: terminated\n{hint}")
    assert file.read_text() == "hi\n"
