"""Attached files that are too large to hold: sent piece by piece, recorded by digest, read again for a replay."""

import base64
import hashlib
import io
import json
import os
import random
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.request import source
from cometresp.request.attachments import part_of
from cometresp.request.content import DataUrl, FencedText, whole_text
from cometresp.request.files import open_file
from cometresp.request.limits import warn_beyond
from cometresp.request.source import Source
from cometresp.wire.payload import HELD_BYTES, Payload
from tests.conftest import Command
from tests.scripted import Request, Wire, error_reply, json_reply, message, response, text_stream
from tests.terminals import on_terminal

LARGE = HELD_BYTES + 100_001


def large(start: bytes = b"%PDF-1.7\n") -> bytes:
    return start + random.Random(1).randbytes(LARGE)


def sent_part(body: Any, item: int = 0) -> Any:
    return body["input"][item]["content"][0]


def decoded(data_url: str) -> bytes:
    return base64.b64decode(data_url.partition(",")[2])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def paper(ask: Command) -> Path:
    path = ask.home / "paper.pdf"
    path.write_bytes(large())
    return path


# sending ----------------------------------------------------------------------------------------------------------


def test_a_large_file_arrives_to_the_byte_also_at_the_second_attempt(ask: Command, wire: Wire, paper: Path) -> None:
    wire.answer(error_reply(503, Retry_After="0"), text_stream("read"))
    assert ask("ask", "-f", "paper.pdf", "what?").text == "read\n"
    first, second = wire.requests
    assert first.body == second.body
    assert int(second.headers["content-length"]) == len(second.body)
    assert "transfer-encoding" not in second.headers
    assert decoded(sent_part(second.json())["file_data"]) == paper.read_bytes()


def test_a_large_text_arrives_in_its_fence(ask: Command, wire: Wire) -> None:
    text = 'ü"\\\n````` 𝄞 ' * 100_000
    (ask.home / "notes.md").write_text(text)
    wire.answer(text_stream("read"))
    assert ask("ask", "-f", "notes.md", "what?").code == 0
    [request] = wire.requests
    assert int(request.headers["content-length"]) == len(request.body)
    part = {"type": "input_text", "text": f"notes.md:\n``````\n{text}\n``````"}
    assert request.json()["input"] == [{"role": "user", "content": [part, {"type": "input_text", "text": "what?"}]}]


def test_a_large_text_that_is_not_utf8_is_replaced_with_a_warning(ask: Command, wire: Wire) -> None:
    data = b"x" * HELD_BYTES + b"\xff\xc3"
    (ask.home / "notes").write_bytes(data)
    wire.answer(text_stream("read"))
    result = ask("ask", "-f", "notes")
    assert (result.code, result.err) == (
        0,
        "cometresp: warning: notes is not valid UTF-8; what isn't was replaced\n",
    )
    assert sent_part(wire.bodies()[0])["text"] == f"notes:\n```\n{data.decode(errors='replace')}\n```"


def test_a_file_that_changes_before_a_retry_is_not_sent_again(ask: Command, wire: Wire, paper: Path) -> None:
    def refuse(_: Request, connection: socket.socket) -> None:
        paper.write_bytes(large() + b"more")
        connection.sendall(error_reply(503, Retry_After="0"))

    wire.answer(refuse)
    assert tuple(ask("ask", "-f", "paper.pdf", "what?")) == (
        2,
        "",
        "cometresp: error: --file: paper.pdf changed after it was read\nhint: attach a copy that nothing writes to\n",
    )
    assert len(wire.requests) == 1


def test_a_file_that_vanishes_before_a_retry_is_named(ask: Command, wire: Wire, paper: Path) -> None:
    def refuse(_: Request, connection: socket.socket) -> None:
        paper.unlink()
        connection.sendall(error_reply(503, Retry_After="0"))

    wire.answer(refuse)
    assert tuple(ask("ask", "-f", "paper.pdf", "what?")) == (
        2,
        "",
        "cometresp: error: --file: can't read paper.pdf again: No such file or directory\n",
    )


@pytest.mark.parametrize("change", [b"", b"short", large(b"%PDF-1.8\n"), large() + b"more"])
def test_a_file_that_changes_while_it_is_sent_never_arrives_whole(paper: Path, change: bytes) -> None:
    payload = Payload({"input": DataUrl(Source("paper.pdf", str(paper)), "application/pdf")})
    paper.write_bytes(change)
    got: list[bytes] = []
    with pytest.raises(UsageError, match=r"paper\.pdf changed while it was sent"):
        got.extend(payload)
    assert sum(map(len, got)) < payload.length


def test_a_dry_run_has_files_whole_in_a_pipe_and_by_digest_on_a_terminal(ask: Command, paper: Path) -> None:
    whole = json.loads(ask("ask", "--dry-run", "-f", "paper.pdf").out)
    assert decoded(sent_part(whole)["file_data"]) == large()
    code, shown = on_terminal(ask, "ask", "--dry-run", "-f", "paper.pdf")
    stand_in = f"data:application/pdf;base64,… ({len(large())} bytes, sha256 {digest(large())}, {paper})"
    assert (code, sent_part(json.loads(shown))["file_data"]) == (0, stand_in)


def test_progress_is_shown_on_a_terminal_and_nowhere_else(ask: Command, wire: Wire, paper: Path) -> None:
    wire.answer(text_stream("read"))
    size = f"{(4 * -(-paper.stat().st_size // 3) + 300) / 1e6:.1f} MB"
    code, shown = on_terminal(ask, "ask", "--plain", "-f", "paper.pdf", "what?")
    assert (code, shown.count(f"sending {size}")) == (0, 1)
    assert tuple(ask("ask", "-f", "paper.pdf", "what?")) == (0, "read\n", "")


@given(st.lists(st.sampled_from(["ü", "`", "``", "\n", "𝄞", '"', "\\", "\0", "a" * 7, "\ufeff"])), st.integers(1, 9))
def test_a_text_in_pieces_equals_the_text_at_once(words: list[str], size: int) -> None:
    text = "".join(words)
    whole = part_of(Source("x", "", text.encode() or b"-"), "x", "text", None, pytest.fail)["text"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "_CHUNK", size)
        fenced = FencedText(Source("x", "", text.encode() or b"-"), "x", "utf-8-sig", "strict")
        assert (whole_text(fenced), len(b"".join(fenced.pieces()))) == (whole, fenced.length)


@given(st.binary(), st.text(), st.integers(1, 5))
def test_a_payload_is_the_json_of_its_value(data: bytes, text: str, count: int) -> None:
    parts = [DataUrl(Source("x", "", data), "a/b") for _ in range(count)]
    payload = Payload({"before": text, "parts": parts, "after": [text]})
    pieces = b"".join(payload)
    url = f"data:a/b;base64,{base64.b64encode(data).decode()}"
    assert json.loads(pieces) == {"before": text, "parts": [url] * count, "after": [text]}
    assert payload.length == len(pieces)


@pytest.mark.parametrize("change", [b"\1" * 500_000, b"\xff" * 500_000, b""])
def test_a_text_that_changes_while_it_is_sent_never_arrives_whole(ask: Command, change: bytes) -> None:
    path = ask.home / "big.txt"
    path.write_bytes(b"line\n" * 400_000)
    fenced = FencedText(Source("big.txt", str(path)), "big.txt", "utf-8-sig", "strict")
    payload = Payload({"input": fenced})
    path.write_bytes(b"line\n" * 200_000 + change)
    got: list[bytes] = []
    with pytest.raises(UsageError, match=r"big\.txt changed while it was sent"):
        got.extend(payload)
    assert sum(map(len, got)) < payload.length


def test_a_file_that_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    path.write_bytes(large())
    monkeypatch.setattr(source, "_stamp_of", lambda _: (1, 2, LARGE - 100, 3))
    with pytest.raises(UsageError, match="log changed while it was read"):
        Source("log", str(path))


@pytest.mark.parametrize("text", ["data:image/png;base64, is what?", "data:x;base64,\ud800", "data:,x"])
def test_a_dry_run_on_a_terminal_shows_text_that_only_looks_like_a_file(ask: Command, text: str) -> None:
    body = json.dumps({"input": [{"content": [{"image_url": text}]}], "instructions": "data:a/b;base64,AAAA"})
    code, shown = on_terminal(ask, "ask", "--dry-run", "--body", body)
    printed = json.loads(shown)
    assert (code, printed["input"][0]["content"][0]["image_url"]) == (0, text)
    assert printed["instructions"] == "data:a/b;base64,AAAA"


# recording and replay ---------------------------------------------------------------------------------------------


def test_a_large_file_is_recorded_by_path_size_and_digest(ask: Command, wire: Wire, paper: Path) -> None:
    (ask.home / "small.pdf").write_bytes(b"%PDF-")
    wire.answer(text_stream("read"))
    assert ask("ask", "-f", "paper.pdf", "-f", "small.pdf").code == 0
    state = next(ask.home.rglob("state.db"))
    assert state.stat().st_size < HELD_BYTES
    [first, second] = json.loads(ask("log", "resp_1", "--json").out)["input"][0]["content"]
    assert first == {
        "type": "input_file",
        "filename": "paper.pdf",
        "file_data": f"data:application/pdf;base64,… ({len(large())} bytes, sha256 {digest(large())}, {paper})",
        "cometresp_stand_in": {"path": str(paper), "size": len(large()), "sha256": digest(large())},
    }
    assert decoded(second["file_data"]) == b"%PDF-"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("paper.pdf", large()),
        ("image.png", large(b"\x89PNG\r\n\x1a\n")),
        ("notes: a.txt", b"line\n" * 300_000),
    ],
)
def test_a_replay_sends_a_large_file_as_it_was_sent(ask: Command, wire: Wire, name: str, data: bytes) -> None:
    (ask.home / name).write_bytes(data)
    wire.answer(json_reply(response(message("read"))), json_reply(response(message("more"), response_id="resp_2")))
    assert ask("ask", "-f", name, "what?").code == 0
    assert tuple(ask("continue", "--replay", "and?")) == (0, "more\n", "")
    first, second = wire.bodies()
    assert second["input"][0] == first["input"][0]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda path: path.write_bytes(large() + b"!"), "{path}, attached to resp_1, has changed since"),
        (lambda path: path.unlink(), "an attachment of resp_1: can't read {path}: No such file or directory"),
    ],
)
def test_a_replay_refuses_a_file_that_is_not_what_it_was(
    ask: Command, wire: Wire, paper: Path, change: Any, what: str
) -> None:
    wire.answer(text_stream("read"))
    assert ask("ask", "-f", "paper.pdf", "what?").code == 0
    change(paper)
    assert tuple(ask("continue", "--replay", "and?")) == (
        65,
        "",
        f"cometresp: error: the conversation can't be replayed: {what.format(path=paper)}\n"
        "hint: begin anew with: cometresp ask …\n",
    )
    assert len(wire.requests) == 1


def test_what_came_through_a_pipe_and_was_too_large_is_not_replayed(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("read"))
    for data, name in ((large(), "stdin.pdf"), (b"line\n" * 300_000, "input_text")):
        assert ask("ask", "what?", "-f", "/dev/stdin", stdin=data).code == 0
        assert next(ask.home.rglob("state.db")).stat().st_size < HELD_BYTES
        assert ask("continue", "--replay", "and?").err == (
            f"cometresp: error: the conversation can't be replayed: an attachment of resp_1 ({name}) was too large to"
            " record, and came from no file\nhint: begin anew with: cometresp ask …\n"
        )


def test_a_pipe_named_by_its_descriptor_is_no_file_to_read_again(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("read"))
    command = f"cat | {sys.executable} -m cometresp ask what? -f <(cat big)"
    (ask.home / "big").write_bytes(large())
    subprocess.run(["bash", "-c", command], env=ask.environ, cwd=ask.home, stdin=subprocess.DEVNULL, check=True)
    assert "came from no file" in ask("continue", "--replay", "and?").err


# what a file is ---------------------------------------------------------------------------------------------------


def archive(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return buffer.getvalue()


def kind(data: bytes, name: str) -> tuple[Any, ...]:
    part = part_of(Source(name, "", data), name, None, None, pytest.fail)
    value = part.get("file_data") or part.get("image_url") or part.get("text")
    return part["type"], part.get("filename"), value.head if isinstance(value, DataUrl) else value


OFFICE = "data:application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (
            archive(("word/document.xml", b"")),
            "letter",
            ("input_file", "letter.docx", f"{OFFICE}.wordprocessingml.document;base64,"),
        ),
        (
            archive(("xl/workbook.xml", b"")),
            "x.XLSX",
            ("input_file", "x.XLSX", f"{OFFICE}.spreadsheetml.sheet;base64,"),
        ),
        (
            archive(("mimetype", b"application/epub+zip")),
            "book",
            ("input_file", "book.epub", "data:application/epub+zip;base64,"),
        ),
        (
            archive(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"")),
            "a.odt",
            ("input_file", "a.odt", "data:application/vnd.oasis.opendocument.text;base64,"),
        ),
        (b"{\\rtf1 x}", "x", ("input_file", "x.rtf", "data:application/rtf;base64,")),
        (b"PK\x03\x04broken\0", "x.pptx", ("input_file", "x.pptx", f"{OFFICE}.presentationml.presentation;base64,")),
        (b"\0\0\0\x18ftypheic", "x.jpeg", ("input_image", None, "data:image/jpeg;base64,")),
        (b"not a picture", "x.png", ("input_text", None, "x.png:\n```\nnot a picture\n```")),
        (b"\n\xef\xbb\xbf%PDF-1.4", "x", ("input_file", "x.pdf", "data:application/pdf;base64,")),
        (b"\0\1", "x.pdf", ("input_file", "x.pdf", "data:application/pdf;base64,")),
        (b"one", "```py.txt", ("input_text", None, "./```py.txt:\n```\none\n```")),
        (b"%PDF-1.4", "x.txt", ("input_file", "x.txt", "data:application/pdf;base64,")),
    ],
)
def test_content_decides_before_the_name(data: bytes, name: str, expected: tuple[Any, ...]) -> None:
    assert kind(data, name) == expected


@pytest.mark.parametrize(("at", "byte"), [(-60, 99), (6, 1), (8, 77), (42, 66)])
def test_a_damaged_or_encrypted_archive_goes_by_its_name(at: int, byte: int) -> None:
    data = bytearray(archive(("mimetype", b"application/vnd.oasis.opendocument.text" * 9)))
    data[at] = byte
    assert kind(bytes(data), "a.odt")[:2] == ("input_file", "a.odt")


def test_utf32_is_no_text_that_is_understood() -> None:
    with pytest.raises(UsageError, match="binary data"):
        kind("hi".encode("utf-32"), "x")


def test_an_archive_of_no_known_kind_is_refused_with_the_way_to_send_it() -> None:
    with pytest.raises(UsageError, match="holds binary data of no known type") as refused:
        kind(archive(("a", b"\0" * 50)), "a.zip")
    assert refused.value.hint == "to send it: --file-as file"


@given(st.binary(), st.sampled_from(["x", "x.docx", "x.xlsx", "x.gif"]))
def test_any_archive_and_picture_is_looked_into_without_a_crash(data: bytes, name: str) -> None:
    sheets = archive(("xl/workbook.xml", b""), ("xl/worksheets/s.xml", b"<row >"))
    for start in (b"PK\x03\x04", sheets, sheets[:-30], b"GIF89a"):
        warned: list[str] = []
        part_of(Source(name, "", start + data), name, "file" if start[:2] == b"PK" else None, None, warned.append)


# bad files --------------------------------------------------------------------------------------------------------


def test_a_folder_and_a_pattern_are_answered_with_what_to_type(ask: Command) -> None:
    folder = ask.home / "my files"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", ".hidden"):
        (folder / name).write_text("x")
    hint = (
        "hint: -f takes one file, and is repeated for more: -f 'my files/a.txt' -f 'my files/b.txt' -f 'my files/c.txt'"
    )
    assert tuple(ask("ask", "-f", "my files")) == (
        2,
        "",
        f"cometresp: error: --file: my files is a directory\n{hint} … (4 files)\n",
    )
    assert ask("ask", "-f", "*/[abc].txt").err.splitlines()[1] == hint
    assert tuple(ask("ask", "-f", "my files/[ab]*")) == (
        2,
        "",
        "cometresp: error: --file: can't read my files/[ab]*: No such file or directory\n"
        "hint: -f takes one file, and is repeated for more: -f 'my files/a.txt' -f 'my files/b.txt'\n",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "can't read none: No such file or directory"),
        ("empty", "empty is empty"),
        ("fifo", "fifo is a named pipe\nhint: use - for it: … < fifo"),
        ("/dev/zero", "/dev/zero is a device"),
        ("ftp://host/x", "ftp://host/x: only http: and https: addresses can be attached"),
        ("file:///etc/passwd", "file:///etc/passwd: only http: and https: addresses can be attached"),
        ("x\0y", "x\\x00y"),
        ("loop", "can't read loop: Too many levels of symbolic links"),
        ("binary", "binary holds binary data of no known type\nhint: to send it: --file-as file"),
    ],
)
def test_a_bad_file_is_told_before_anything_is_sent(
    ask: Command, wire: Wire, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ask.home)
    (ask.home / "empty").write_bytes(b"")
    (ask.home / "binary").write_bytes(b"\0\1\2")
    (ask.home / "loop").symlink_to("loop")
    os.mkfifo(ask.home / "fifo")
    if "\0" in name:  # which no command line can hold
        with pytest.raises(UsageError, match="null"):
            open_file("--file", name)
        return
    assert tuple(ask("ask", "-f", name, "what?")) == (2, "", f"cometresp: error: --file: {message}\n")
    assert wire.requests == []


def test_documents_without_a_nul_are_attached_from_standard_input(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("read"))
    assert ask("ask", "what?", "-", stdin=b"%PDF-1.4 all text").code == 0
    assert sent_part(wire.bodies()[0])["filename"] == "stdin.pdf"
    assert ask("ask", "what?", "-", stdin=b"RIFF is a word").code == 0
    assert wire.bodies()[1]["input"] == "what?\n\nRIFF is a word"


def test_file_as_goes_with_file(ask: Command) -> None:
    assert ask("ask", "--file-as", "image", "hi").err == "cometresp: error: --file-as goes with --file\n"


def test_binary_standard_input_of_no_known_type_is_refused_with_the_way_to_send_it(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("read"))
    assert tuple(ask("ask", "what?", "-", stdin=b"\0\1")) == (
        2,
        "",
        "cometresp: error: standard input holds binary data of no known type\n"
        "hint: to send it as a file: --file-as file -f -\n",
    )
    assert ask("ask", "what?", "--file-as", "file", "-f", "-", stdin=b"\0\1").text == "read\n"
    assert decoded(sent_part(wire.bodies()[0])["file_data"]) == b"\0\1"


# limits -----------------------------------------------------------------------------------------------------------


def frame(number: int) -> bytes:
    return b"\x21\xf9\x04\x04" + number.to_bytes(2, "little") + b"\x00\x00\x2c" + b"\1" * 9


@pytest.mark.parametrize(
    ("data", "name", "warning"),
    [
        (b"GIF89a" + frame(1), "x.gif", []),
        (b"GIF89a" + frame(1) + frame(2), "x.gif", ["--file: x.gif is animated; the API takes GIF images of 1 frame"]),
        (archive(("xl/workbook.xml", b""), ("xl/worksheets/s.xml", b'<row r="1"/>' * 1000)), "x.xlsx", []),
        (
            archive(("xl/workbook.xml", b""), ("xl/worksheets/s.xml", b'<row r="1"/>' * 1001)),
            "x.xlsx",
            ["--file: x.xlsx: of each sheet the API reads the first 1000 rows"],
        ),
    ],
)
def test_limits_that_need_a_look_into_the_file_are_warned_about(data: bytes, name: str, warning: list[str]) -> None:
    warned: list[str] = []
    part_of(Source(name, "", data), name, None, None, warned.append)
    assert warned == warning


class Size(Source):
    """A file of which only the size matters."""

    def __init__(self, size: int) -> None:
        super().__init__("x", "", b"")
        self.size = size


def file_part(size: int) -> dict[str, Any]:
    return {"type": "input_file", "filename": "a.pdf", "file_data": DataUrl(Size(size), "application/pdf")}


def picture(size: int) -> dict[str, Any]:
    return {"type": "input_image", "image_url": DataUrl(Size(size), "image/png")}


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        ({"input": user(file_part(49_999_999))}, []),
        (
            {"input": user(file_part(50_000_000))},
            ["--file: a.pdf is 50.0 MB; the API page's limit is less than 50 MB each"],
        ),
        (
            {"input": user(file_part(30_000_000), file_part(30_000_000))},
            ["--file: the files are 60.0 MB together; the API page's limit is 50 MB a request"],
        ),
        ({"input": user(*[picture(1)] * 1501)}, ["--file has 1501 images a request; the API page's limit is 1500"]),
        (
            {"input": user(picture(300_000_000), picture(300_000_000))},
            ["--file: the images are 600.0 MB together; the API page's limit is 512 MB a request"],
        ),
        ({"input": "x" * 10_485_761}, ["the prompt has 10485761 characters; the API page's limit is 10485760"]),
        (
            {"input": user({"type": "input_text", "text": "x" * 10_485_761})},
            ["a text has 10485761 characters; the API page's limit is 10485760"],
        ),
        (
            {"input": [{"type": "function_call_output", "call_id": "c" * 65, "output": "x" * 10_485_761}]},
            [
                "call_id has 65 characters; the API page's limit is 1 to 64",
                "--tool-output: the output has 10485761 characters; the API page's limit is 10485760",
            ],
        ),
        (
            {"tools": [{"type": "function", "name": "n" * 129}]},
            [f"--tool: the name {'n' * 20}… has 129 characters; the API page's limit is 128"],
        ),
        (
            {"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"] * 51}}]},
            ["--tool: the container has 51 files; the API page's limit is 50"],
        ),
        (
            {"context_management": [{"type": "compaction", "compact_threshold": 999}]},
            ["--context-management: compact_threshold is 999; the API page's least is 1000"],
        ),
    ],
)
def test_a_limit_of_the_api_page_is_warned_about_with_its_number(body: dict[str, Any], warnings: list[str]) -> None:
    warned: list[str] = []
    warn_beyond(body, warned.append)
    assert warned == warnings


def test_a_limit_is_warned_about_on_stderr_and_the_request_is_sent(ask: Command, wire: Wire) -> None:
    with (ask.home / "big.pdf").open("wb") as file:
        file.write(b"%PDF-")
        file.truncate(50_000_000)
    wire.answer(text_stream("read"))
    assert tuple(ask("ask", "-f", "big.pdf")) == (
        0,
        "read\n",
        "cometresp: warning: --file: big.pdf is 50.0 MB; the API page's limit is less than 50 MB each\n",
    )
    assert len(decoded(sent_part(wire.bodies()[0])["file_data"])) == 50_000_000
