"""The prompt: words, standard input, and the values of flags that take `@FILE`."""

import base64
import codecs
import io
import json
import os
import pty
import select
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.request.inputs import Inputs, Prompt
from cometresp.terminal import Terminal
from cometresp.wire.payload import Payload
from tests.called import program
from tests.conftest import Command, Result

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
PDF = b"%PDF-1.7\n\0\xff"


@pytest.fixture
def ask(run: Command) -> Command:
    run.environ["COMETAPI_DEFAULT_MODEL"] = "m"
    return run


def sent(result: Result) -> Any:
    """The input of a --dry-run that printed nothing else."""
    assert (result.code, result.err) == (0, "")
    body = json.loads(result.out)
    assert set(body) == {"model", "input", "stream"}
    return body["input"]


def refused(result: Result) -> str:
    """The first line of a usage error."""
    assert (result.code, result.out) == (2, b"")
    return result.err.partition("\n")[0].removeprefix("cometresp: error: ")


def in_shell(ask: Command, script: str) -> subprocess.CompletedProcess[bytes]:
    command = f'cometresp() {{ {program()} ask --dry-run "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", command + script],
        env=ask.environ,
        cwd=ask.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "piped", "prompt"),
    [
        (["two", "words"], None, "two words"),
        (["a", "", "b"], None, "a  b"),
        (["ask"], b"piped", "ask\n\npiped"),
        ([], b"piped", "piped"),
        ([""], b"piped", "piped"),
        (["before", "this", "-", "after", "it"], b"piped", "before this\n\npiped\n\nafter it"),
        (["-", "after"], b"piped", "piped\n\nafter"),
        (["before", "-"], b"piped", "before\n\npiped"),
        (["-"], b"piped", "piped"),
        (["only words"], b"", "only words"),
        (["--", "-x", "--no-stdin"], b"piped", "-x --no-stdin\n\npiped"),
        (["--", "a", "-", "--dry-run"], b"piped", "a\n\npiped\n\n--dry-run"),
        (["-", "after"], b"piped\n", "piped\n\nafter"),
        ([], b"line\n", "line"),
        ([], b"line\r\n", "line"),
        ([], b"line\n\n", "line\n"),
        ([], b"line\r", "line\r"),
        ([], b"\n  a\tb\r\nc", "\n  a\tb\r\nc"),
        (["word\n"], None, "word"),
        (["mail @notes.txt", "@-"], b"", "mail @notes.txt @-"),
        ([], codecs.BOM_UTF8 + "ü".encode(), "ü"),
        ([], codecs.BOM_UTF16_LE + "ü\n".encode("utf-16-le"), "ü"),
        ([], codecs.BOM_UTF16_BE + "ü\n".encode("utf-16-be"), "ü"),
    ],
)
def test_words_and_standard_input_become_one_text(
    ask: Command, words: list[str], piped: bytes | None, prompt: str
) -> None:
    (ask.home / "notes.txt").write_text("not looked for")
    assert sent(ask("ask", "--dry-run", *words, stdin=piped)) == prompt


@pytest.mark.parametrize(
    ("data", "standard", "prompt"),
    [
        (b"a\xffb\n", "UTF-8", "a\ufffdb"),
        (codecs.BOM_UTF8 + b"a\xff", "UTF-8", "a\ufffd"),
        (codecs.BOM_UTF16_LE + b"a\0b", "UTF-16", "a\ufffd"),
    ],
)
def test_invalid_bytes_are_replaced_with_a_warning(ask: Command, data: bytes, standard: str, prompt: str) -> None:
    result = ask("ask", "--dry-run", stdin=data)
    assert (result.code, json.loads(result.out)["input"]) == (0, prompt)
    assert result.err == f"cometresp: warning: standard input is not valid {standard}; invalid bytes were replaced\n"


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (PNG, {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==", "detail": "auto"}),
        (
            PDF,
            {
                "type": "input_file",
                "filename": "stdin.pdf",
                "file_data": "data:application/pdf;base64,JVBERi0xLjcKAP8=",
            },
        ),
    ],
)
def test_binary_standard_input_of_a_known_type_is_attached(ask: Command, data: bytes, part: dict[str, str]) -> None:
    text = {"type": "input_text", "text": "what is it"}
    assert sent(ask("ask", "--dry-run", "what is it", stdin=data)) == [{"role": "user", "content": [part, text]}]
    assert sent(ask("ask", "--dry-run", "-", stdin=data)) == [{"role": "user", "content": [part]}]


def test_no_stdin_reads_nothing_as_a_flag_and_as_a_variable(ask: Command) -> None:
    assert sent(ask("ask", "--dry-run", "--no-stdin", "hi", stdin=b"piped")) == "hi"
    assert sent(ask("ask", "--dry-run", "hi", stdin=b"piped", env={"COMETRESP_NO_STDIN": "1"})) == "hi"
    assert sent(ask("ask", "--dry-run", "hi", stdin=b"piped", env={"COMETRESP_NO_STDIN": "0"})) == "hi\n\npiped"


@pytest.mark.parametrize(
    ("script", "prompts"),
    [
        ("cometresp hi < list", ["hi\n\none\ntwo"]),
        ("cometresp < list", ["one\ntwo"]),
        ('while read -r line; do cometresp "$line"; done < list', ["one", "two"]),
        ("while read -r line; do cometresp - ; done < list", ["two"]),
        ('cat list | while read -r line; do cometresp "$line"; done', ["one\n\ntwo"]),  # as docs/flags.md says
        ('cat list | while read -r line; do cometresp --no-stdin "$line"; done', ["one", "two"]),
        ('while read -r line; do cometresp --no-stdin "$line"; done <<< "$(cat list)"', ["one", "two"]),
        ("cat list | cometresp hi", ["hi\n\none\ntwo"]),
        ("cometresp hi < /dev/null", ["hi"]),
        ("cometresp hi <&-", ["hi"]),
        ("cometresp -f <(printf x) hi", [[{"type": "input_text", "text": "63:\n```\nx\n```"}]]),
    ],
)
def test_in_a_shell_a_pipe_and_a_whole_file_are_read_and_a_loops_list_is_not(
    ask: Command, script: str, prompts: list[Any]
) -> None:
    (ask.home / "list").write_text("one\ntwo\n")
    done = in_shell(ask, script)
    got = [json.loads(line)["input"] for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, b"")
    assert [prompt if isinstance(prompt, str) else prompt[0]["content"][:1] for prompt in got] == prompts


def test_a_socket_is_read_only_if_it_has_data_or_has_ended(ask: Command) -> None:
    with ExitStack() as open_ones:
        pairs = [socket.socketpair() for _ in range(3)]
        for end in [end for pair in pairs for end in pair]:
            open_ones.enter_context(end)
        (full, writer), (ended, silent), (idle, _) = pairs
        writer.sendall(b"data")
        writer.shutdown(socket.SHUT_WR)
        silent.shutdown(socket.SHUT_WR)
        prompts = [sent(ask("ask", "--dry-run", "hi", stdin=end.fileno())) for end in (full, ended, idle)]
    assert prompts == ["hi\n\ndata", "hi", "hi"]


def test_a_non_blocking_pipe_is_waited_for(ask: Command) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with ask.popen("ask", "--dry-run", stdin=reader) as process:
        assert process.stdout is not None
        os.close(reader)
        for piece in (b"first ", b"second"):
            assert not select.select([process.stdout], [], [], 0.3)[0]
            os.write(writer, piece)
        os.close(writer)
        assert json.loads(process.stdout.read())["input"] == "first second"


def test_a_terminal_is_read_only_where_it_is_named_until_its_end(ask: Command) -> None:
    main, terminal = pty.openpty()
    os.write(main, b"typed\nahead\n\x04")
    try:
        assert sent(ask("ask", "--dry-run", "hi", stdin=terminal)) == "hi"
        assert sent(ask("ask", "--dry-run", "say", "-", stdin=terminal)) == "say\n\ntyped\nahead"
        os.write(main, b"\x04")
        assert refused(ask("ask", "--dry-run", "-", stdin=terminal)) == "-: standard input is empty"
    finally:
        os.close(main)
        os.close(terminal)


def test_on_a_terminal_a_notice_says_how_the_typing_ends(ask: Command) -> None:
    main, terminal = pty.openpty()
    try:
        with ask.popen("ask", "--dry-run", "-", stdin=terminal, stderr=terminal) as process:
            notice = b"reading the prompt from the terminal: Ctrl-D at the start of a line ends it\r\n"
            assert os.read(main, 1000) == notice
            os.write(main, b"typed\n\x04")
            assert json.loads(process.communicate(timeout=60)[0])["input"] == "typed"
    finally:
        os.close(main)
        os.close(terminal)


@pytest.mark.slow
@pytest.mark.parametrize("before", [b"", b"a first line\n"])
def test_an_idle_pipe_is_told_of_on_a_terminal_after_a_second(ask: Command, before: bytes) -> None:
    main, terminal = pty.openpty()
    try:
        with ask.popen("ask", "--dry-run", stdin=subprocess.PIPE, stderr=terminal) as process:
            assert process.stdin is not None
            process.stdin.write(before)
            process.stdin.flush()
            assert os.read(main, 1000) == b"waiting for standard input to end (--no-stdin skips it)\r\n"
            assert json.loads(process.communicate(b"late", 30)[0])["input"] == before.decode() + "late"
    finally:
        os.close(terminal)
        os.close(main)


@pytest.mark.slow
def test_off_a_terminal_it_is_told_of_after_ten_seconds_and_by_the_error_of_a_signal(ask: Command) -> None:
    error = b"cometresp: error: terminated while waiting for standard input to end\n"
    waits = ask.popen("ask", "hi", stdin=subprocess.PIPE)
    named = ask.popen("ask", "-", stdin=subprocess.PIPE)
    with waits, named:
        assert waits.stderr is not None
        assert not select.select([waits.stderr], [], [], 5)[0]
        assert waits.stderr.readline() == (b"cometresp: waiting for standard input to end (--no-stdin skips it)\n")
        for process, hint in ((waits, b"hint: --no-stdin doesn't read it\n"), (named, b"")):
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            assert (process.wait(60), process.stderr.read().partition(error)[1:]) == (143, (error, hint))


@pytest.mark.parametrize(
    ("value", "piped", "instructions"),
    [
        ("be brief", b"", "be brief"),
        ("@rules.txt", b"", "from a file\n"),
        ("@@rules.txt", b"", "@rules.txt"),
        ("", b"", ""),
    ],
)
def test_instructions_take_a_text_or_a_file(ask: Command, value: str, piped: bytes, instructions: str) -> None:
    (ask.home / "rules.txt").write_text("from a file\n")
    result = ask("ask", "--dry-run", "--no-stdin", "-s", value, "hi", stdin=piped)
    assert json.loads(result.out) == {"model": "m", "instructions": instructions, "input": "hi", "stream": True}


@pytest.mark.parametrize("named", [True, False])
def test_a_pipe_that_a_later_flag_names_is_not_part_of_the_prompt(tmp_path: Path, named: bool) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"be brief")
    os.close(writer)
    with closing(os.fdopen(reader, "rb", 0)) as stdin, (tmp_path / "out").open("wb") as out:
        inputs = Inputs(Terminal(stdin, out, out), named=named)
        prompt = inputs.prompt(["hi"], [], None, None)
        if named:
            assert (prompt, inputs.text_of("-s", "@-")) == (Prompt("hi"), "be brief")
            return
        assert prompt == Prompt("hi\n\nbe brief")
        with pytest.raises(UsageError, match="already read by the prompt"):
            inputs.text_of("-s", "@-")


# files ------------------------------------------------------------------------------------------------------------

FILES = {
    "picture": PNG,
    "photo.txt": b"\xff\xd8\xff\xe0",
    "old": b"GIF87a",
    "new": b"GIF89a",
    "web": b"RIFF\0\0\0\0WEBP",
    "paper": PDF,
    "letter.DOCX": b"PK\0",
    "notes.md": b"see ```` here\n",
    "utf16.txt": codecs.BOM_UTF16_LE + "ü".encode("utf-16-le"),
    "a b'\"`\n.txt": b"odd",
    "table.csv": b"1,2",
    "unknown": b"\0\1",
    "file-abcdef": b"a file after all",
}


def image(mime: str, name: str, detail: str = "auto") -> dict[str, str]:
    return {"type": "input_image", "image_url": data_url(mime, name), "detail": detail}


def document(mime: str, name: str) -> dict[str, str]:
    return {"type": "input_file", "filename": name, "file_data": data_url(mime, name)}


def data_url(mime: str, name: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(FILES[name]).decode()}"


def fenced(text: str) -> dict[str, str]:
    return {"type": "input_text", "text": text}


OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["picture"], image("image/png", "picture")),
        (["photo.txt"], image("image/jpeg", "photo.txt")),
        (["old", "--image-detail", "low"], image("image/gif", "old", "low")),
        (["new"], image("image/gif", "new")),
        (["web"], image("image/webp", "web")),
        (["paper"], document("application/pdf", "paper") | {"filename": "paper.pdf"}),
        (["letter.DOCX"], document(OFFICE, "letter.DOCX")),
        (["notes.md"], fenced("notes.md:\n`````\nsee ```` here\n`````")),
        (["utf16.txt"], fenced("utf16.txt:\n```\nü\n```")),
        (["a b'\"`\n.txt"], fenced("a b'\"`\\n.txt:\n```\nodd\n```")),
        (["./file-abcdef"], fenced("file-abcdef:\n```\na file after all\n```")),
        (["file-abcdef"], fenced("file-abcdef:\n```\na file after all\n```")),
        (["file-abcdefg"], {"type": "input_file", "file_id": "file-abcdefg"}),
        (["file-abcdefg", "--file-as", "image"], {"type": "input_image", "file_id": "file-abcdefg", "detail": "auto"}),
        (["table.csv", "--file-as", "file"], document("text/csv", "table.csv")),
        (["unknown", "--file-as", "file"], document("application/octet-stream", "unknown")),
        (["picture", "--file-as", "file"], document("image/png", "picture")),
        (["unknown", "--file-as", "image"], image("image/png", "unknown")),
        (["unknown", "--file-as", "text"], fenced("unknown:\n```\n\0\1\n```")),
        (["https://x/A.PNG?y"], {"type": "input_image", "image_url": "https://x/A.PNG?y", "detail": "auto"}),
        (["http://x/a.pdf"], {"type": "input_file", "file_url": "http://x/a.pdf"}),
        (["https://x", "--file-as", "image"], {"type": "input_image", "image_url": "https://x", "detail": "auto"}),
        (["https://x/a.png", "--file-as", "file"], {"type": "input_file", "file_url": "https://x/a.png"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_file_is_attached_by_its_content_then_its_name(ask: Command, words: list[str], part: dict[str, str]) -> None:
    for name, data in FILES.items():
        (ask.home / name).write_bytes(data)
    assert sent(ask("ask", "--dry-run", "-f", *words)) == [{"role": "user", "content": [part]}]


def test_files_go_before_the_prompt_in_their_order(ask: Command) -> None:
    (ask.home / "a").write_text("1")
    (ask.home / "b").write_text("2")
    parts = [fenced(text) for text in ("b:\n```\n2\n```", "stdin:\n```\n3\n```", "a:\n```\n1\n```", "hi")]
    result = ask("ask", "--dry-run", "hi", "-f", "b", "-f", "-", "-f", "a", stdin=b"3")
    assert sent(result) == [{"role": "user", "content": parts}]


def test_invalid_bytes_in_a_file_name_are_replaced(ask: Command) -> None:
    name = os.fsdecode(b"x\xff.pdf")
    (ask.home / name).write_bytes(PDF)
    [item] = sent(ask("ask", "--dry-run", "-f", name))
    assert item["content"] == [document("application/pdf", "paper") | {"filename": "x\ufffd.pdf"}]


@given(data=st.binary(min_size=1), name=st.sampled_from(["x", "x.txt", "x.png", "x.docx"]))
def test_any_bytes_survive_as_a_file(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        [part] = Inputs(Terminal(None, io.BytesIO(), io.BytesIO())).prompt([], [str(path)], "file", None).parts
    assert (part["type"], part["filename"]) == ("input_file", name)
    assert base64.b64decode(json.loads(b"".join(Payload(part)))["file_data"].partition(",")[2]) == data
