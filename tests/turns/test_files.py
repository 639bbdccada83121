"""The files that a command writes, whatever their names lead to: nothing of others is replaced, nothing is lost."""

import base64
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from cometresp.errors import OutputError
from cometresp.sinks import FileSink
from cometresp.terminal import Terminal
from cometresp.turns.files import IdFile
from cometresp.wire.images import decoded
from tests.called import program
from tests.conftest import Command
from tests.scripted import Wire, created, delta, json_reply, message, response, sse, text_stream
from tests.terminals import on_terminal

HALF = sse(created(), delta("half"))
CUT = (
    "cometresp: error: the stream ended before the answer was complete\n"
    "hint: cometresp get resp_1 shows what became of it\n"
)
PNG = b"\x89PNG\r\n\x1a\n\xff\xfb\xef and more"


def in_shell(ask: Command, script: str) -> subprocess.CompletedProcess[bytes]:
    """A script of `sh` in the test's folder, in which $C is the command."""
    return subprocess.run(
        ["sh", "-c", script],
        env={**ask.environ, "C": program()},
        cwd=ask.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


# descriptors ------------------------------------------------------------------------------------------------------

NAMES = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/thread-self/fd/1", "link", "-"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the names of descriptors are those of Linux")
@pytest.mark.parametrize("flag", ["-o", "--id-file"])
@pytest.mark.parametrize("name", NAMES)
def test_a_log_file_behind_standard_output_is_written_where_it_ends(
    ask: Command, wire: Wire, flag: str, name: str
) -> None:
    wire.answer(text_stream("new"))
    (ask.home / "link").symlink_to("/dev/stdout")
    before = (ask.home / "link").readlink()
    for opened in (">log", ">>log"):
        (ask.home / "log").write_text("old\n")
        done = in_shell(ask, f"{{ echo start; $C ask hi {flag} {name}; echo end; }} {opened}")
        old = "old\n" if opened == ">>log" else ""
        shown = "new\n" if flag == "-o" else "resp_1\nnew\n"
        assert (done.stderr, (ask.home / "log").read_text()) == (b"", f"{old}start\n{shown}end\n")
    assert ((ask.home / "link").readlink(), (ask.home / "link").is_symlink()) == (before, True)


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="there are no names of descriptors")
def test_other_descriptors_are_written_through_too(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("new"), HALF)
    done = in_shell(ask, "$C ask hi -o /dev/fd/5 --id-file /dev/stderr 5>five; $C ask hi -o /dev/fd/5 5>>five")
    assert (done.stdout, done.stderr.decode()) == (b"", f"resp_1\n{CUT}")
    assert (ask.home / "five").read_text() == "new\nhalf\n"
    assert [path.name for path in ask.home.iterdir() if "five" in path.name or path.name == "5.part"] == ["five"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/dev/fd/77", "Bad file descriptor"),
        ("/dev/fd/99999999999999999999", "Bad file descriptor"),
        (f"/dev/fd/{'9' * 5000}", "Bad file descriptor"),
        ("/dev/stdin", "it is open for reading only"),
        ("loop", "Too many levels of symbolic links"),
    ],
    ids=["none", "no integer of C", "longest", "reading", "loop"],
)
@pytest.mark.parametrize("flag", ["--output", "--id-file"])
def test_what_cant_be_written_is_told_before_anything_is_sent(
    ask: Command, wire: Wire, flag: str, name: str, why: str
) -> None:
    (ask.home / "loop").symlink_to("loop")
    done = in_shell(ask, f"exec $C ask hi --no-stdin {flag} {name} </dev/null")
    message_ = f"cometresp: error: {flag}: {name} can't be written: {why}\n"
    assert (done.returncode, done.stdout, done.stderr.decode(), wire.requests) == (73, b"", message_, [])


def test_the_id_comes_before_the_answer_where_both_go_to_standard_output(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("new"))
    assert list(ask("ask", "hi", "-o", "-", "--id-file", "-")) == [0, "resp_1\nnew\n", ""]
    code, shown = on_terminal(ask, "ask", "hi", "--plain", "-q", "--no-save", "--id-file", "-")
    assert (code, shown.splitlines()) == (0, ["resp_1", "new"])
    assert sorted(path.name for path in ask.home.iterdir() if "-" in path.name) == []


def test_a_named_pipe_is_written_through_when_it_is_read(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("new"))
    os.mkfifo(ask.home / "pipe")
    process = ask.popen("ask", "hi", "--verbose", "-o", "pipe")
    assert process.stderr is not None
    assert process.stderr.readline() == b"waiting for a reader of pipe\n"
    assert (ask.home / "pipe").read_bytes() == b"new\n"
    assert (process.communicate(timeout=60)[1].count(b"waiting"), process.returncode) == (0, 0)


@pytest.mark.parametrize("flag", ["-o", "--id-file"])
def test_a_named_pipe_that_nobody_reads_is_waited_for_until_max_time(ask: Command, wire: Wire, flag: str) -> None:
    os.mkfifo(ask.home / "pipe")
    error = "cometresp: error: not finished within the 0.5 s of --max-time: opening the output files\n"
    assert list(ask("ask", "hi", "--max-time", "0.5", flag, "pipe")) == [69, "", error]
    assert wire.requests == []


# regular files ----------------------------------------------------------------------------------------------------


def test_a_link_stays_and_its_target_is_written(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("new"))
    (ask.home / "there").mkdir()
    for name in ("there/old", "there/none"):
        (ask.home / "link").unlink(missing_ok=True)
        (ask.home / "link").symlink_to(name)
        assert ask("ask", "hi", "-o", "link").code == 0
        assert ((ask.home / "link").is_symlink(), (ask.home / name).read_text()) == (True, "new\n")


def test_the_other_name_of_a_file_keeps_the_old_content(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("new"))
    (ask.home / "one").write_text("old")
    (ask.home / "two").hardlink_to(ask.home / "one")
    assert ask("ask", "hi", "-o", "two").code == 0
    assert [(ask.home / name).read_text() for name in ("one", "two")] == ["old", "new\n"]


def test_what_was_kept_before_is_not_replaced(ask: Command, wire: Wire) -> None:
    wire.answer(HALF)
    (ask.home / "out.part.2").mkdir()
    (ask.home / "out").write_text("old")
    for name in ("out.part", "out.part.3", "out.part.4"):
        warning = f"cometresp: warning: out is untouched; what came is kept as {ask.home / name}\n"
        assert list(ask("ask", "hi", "-o", "out")) == [69, "", warning + CUT]
    kept = {path.name: path.read_text() for path in ask.home.iterdir() if path.is_file()}
    assert kept == {"out": "old", "out.part": "half\n", "out.part.3": "half\n", "out.part.4": "half\n"}


def test_the_name_is_told_where_no_other_can_be_given(ask: Command, wire: Wire) -> None:
    wire.answer(HALF)
    name = "n" * 253  # too long for .part
    result = ask("ask", "hi", "-o", name)
    [kept] = [path for path in ask.home.iterdir() if path.is_file()]
    warning = f"cometresp: warning: {name} is untouched; what came is kept as {kept}\n"
    assert (kept.name[:4], kept.read_text(), list(result)) == (".nnn", "half\n", [69, "", warning + CUT])


def test_an_answer_whose_file_cant_appear_is_kept_beside_it(tmp_path: Path) -> None:
    sink = FileSink(str(tmp_path / "out"))
    sink.write(b"whole")
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError) as caught:
        sink.commit()
    part = tmp_path / "out.part"
    assert caught.value.message == f"--output: {tmp_path / 'out'} can't be written: Is a directory"
    assert caught.value.hint == f"{tmp_path / 'out'} is untouched; what came is kept as {part}"
    assert (part.read_bytes(), sink.abandon()) == (b"whole", "")


# Runs the command line; the first file that gets its name by a rename gets it with an interrupt.
_INTERRUPTED = """
import os, signal
from cometresp.__main__ import main
replace = os.replace
def interrupted(*names):
    os.replace = replace
    os.kill(os.getpid(), signal.SIGINT)
    replace(*names)
os.replace = interrupted
main()
"""


@pytest.mark.parametrize("reply", [HALF, text_stream("whole")], ids=["half", "whole"])
def test_an_interrupt_leaves_no_file_without_its_name(ask: Command, wire: Wire, reply: bytes) -> None:
    wire.answer(reply)
    process = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, "ask", "--no-stdin", "--no-save", "hi", "-o", "out"],
        capture_output=True,
        env=ask.environ,
        cwd=ask.home,
        timeout=60,
        check=False,
    )
    kept = f"cometresp: warning: out is untouched; what came is kept as {ask.home / 'out.part'}\n"
    assert process.stderr.decode() == (kept if reply is HALF else "") + "cometresp: error: interrupted\n"
    assert process.returncode == 130
    files = {path.name: path.read_text() for path in ask.home.iterdir() if path.is_file()}
    assert files == ({"out.part": "half\n"} if reply is HALF else {"out": "whole\n"})


@pytest.mark.parametrize(
    ("name", "why"),
    [("there", "it is read-only"), ("nowhere/id", "its folder isn't there, or may not be written")],
)
def test_a_file_that_is_there_is_not_blamed_on_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    path = tmp_path / name
    (tmp_path / "there").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(OutputError) as caught:
        IdFile(str(path), Terminal(None, None, BytesIO()))
    assert caught.value.message == f"--id-file: {path} can't be written: {why}"


# images -----------------------------------------------------------------------------------------------------------

_STANDARD = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "given",
    [
        _STANDARD,
        _STANDARD.rstrip("="),
        base64.urlsafe_b64encode(PNG).decode(),
        base64.encodebytes(PNG).decode().replace("\n", "\r\n"),
        f"data:image/png;base64,{_STANDARD}",
        f"DATA:image/png;charset=x;BASE64,\n{_STANDARD}\n",
    ],
    ids=["standard", "unpadded", "alphabet of URLs", "lines", "data URL", "data URL in lines"],
)
def test_base64_is_decoded_as_servers_write_it(given: str) -> None:
    assert decoded(given) == PNG


@pytest.mark.parametrize("given", ["x", "!!!!", "iVBO!Rw0", "=", "", "iVBORw==x", "https://h/a.png", "é", "AA\0A"])
def test_each_image_that_can_be_saved_is_saved(ask: Command, wire: Wire, given: str) -> None:
    def image(name: str, result: str) -> dict[str, str]:
        return {"id": name, "type": "image_generation_call", "status": "completed", "result": result}

    wire.answer(json_reply(response(image("a", given), message("done"), image("b", _STANDARD))))
    what = "is empty" if given in ("", "=") else "is not valid Base64"
    warning = f"cometresp: warning: --save-images: the image of item 1 {what}\n"
    error = "cometresp: error: --save-images: 1 of 2 images could not be saved\n"
    assert list(ask("ask", "--save-images", "pictures", "hi")) == [73, "done\n", warning + error]
    assert {path.name: path.read_bytes() for path in (ask.home / "pictures").iterdir()} == {"b.png": PNG}


def test_images_are_saved_where_the_answer_cant_be_printed(ask: Command, wire: Wire) -> None:
    image = {"id": "a", "type": "image_generation_call", "status": "completed", "result": _STANDARD}
    wire.answer(json_reply(response(image, message("done"))))
    with Path("/dev/full").open("wb") as full:
        assert ask.popen("ask", "--save-images", "pictures", "hi", stdout=full, stderr=None).wait(60) == 73
    assert (ask.home / "pictures/a.png").read_bytes() == PNG
