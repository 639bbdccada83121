"""Attached files: what a file is, which files can't be attached, and warnings about limits."""

import io
import os
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.request.attachments import part_of
from cometresp.request.content import DataUrl
from cometresp.request.files import open_file
from cometresp.request.limits import warn_over_limits
from cometresp.request.source import Source
from tests.conftest import Command
from tests.request.attaching import decoded, sent_part
from tests.scripted import Wire, text_stream

# what a file is ---------------------------------------------------------------------------------------------------


def archive(*members: tuple[str, bytes]) -> bytes:
    """A zip of these files. They have no time: the bytes name tests, and every worker must collect the same ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
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


def test_utf32_is_not_read_as_text() -> None:
    with pytest.raises(UsageError, match="binary data"):
        kind("hi".encode("utf-32"), "x")


def test_an_archive_of_unknown_type_is_refused_with_a_hint_how_to_send_it() -> None:
    with pytest.raises(UsageError, match="holds binary data of no known type") as refused:
        kind(archive(("a", b"\0" * 50)), "a.zip")
    assert refused.value.hint == "to send it: --file-as file"


@given(st.binary(), st.sampled_from(["x", "x.docx", "x.xlsx", "x.gif"]))
def test_any_archive_and_picture_is_read_without_a_crash(data: bytes, name: str) -> None:
    sheets = archive(("xl/workbook.xml", b""), ("xl/worksheets/s.xml", b"<row >"))
    for start in (b"PK\x03\x04", sheets, sheets[:-30], b"GIF89a"):
        warned: list[str] = []
        part_of(Source(name, "", start + data), name, "file" if start[:2] == b"PK" else None, None, warned.append)


# bad files --------------------------------------------------------------------------------------------------------


def test_the_hint_for_a_folder_or_a_pattern_names_its_files(ask: Command) -> None:
    folder = ask.home / "my files"
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", ".hidden"):
        (folder / name).write_text("x")
    hint = "hint: -f takes one file; repeat it for more: -f 'my files/a.txt' -f 'my files/b.txt' -f 'my files/c.txt'"
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
        "hint: -f takes one file; repeat it for more: -f 'my files/a.txt' -f 'my files/b.txt'\n",
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
def test_a_bad_file_is_reported_before_anything_is_sent(
    ask: Command, wire: Wire, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ask.home)
    (ask.home / "empty").write_bytes(b"")
    (ask.home / "binary").write_bytes(b"\0\1\2")
    (ask.home / "loop").symlink_to("loop")
    os.mkfifo(ask.home / "fifo")
    if "\0" in name:  # which no command line can contain
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


def test_binary_standard_input_of_unknown_type_is_refused_with_a_hint_how_to_send_it(ask: Command, wire: Wire) -> None:
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
def test_limits_on_the_content_of_a_file_are_warned_about(data: bytes, name: str, warning: list[str]) -> None:
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
            {"tools": [{"type": "shell", "environment": {"type": "local", "skills": [{}] * 201}}]},
            ["--tool: the environment has 201 skills; the API page's limit is 200"],
        ),
        (
            {"context_management": [{"type": "compaction", "compact_threshold": 999}]},
            ["--context-management: compact_threshold is 999; the API page's minimum is 1000"],
        ),
    ],
)
def test_a_limit_of_the_api_page_is_warned_about_with_its_number(body: dict[str, Any], warnings: list[str]) -> None:
    warned: list[str] = []
    warn_over_limits(body, warned.append)
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
