"""Attached files that are too large to keep in memory: sent in pieces, recorded by digest, read again for a replay."""

import base64
import hashlib
import json
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.request.attachments import part_of
from cometresp.request.content import DataUrl, FencedText, whole_text
from cometresp.request.source import Source
from cometresp.wire.payload import HELD_BYTES, Payload
from tests.conftest import Command
from tests.request.attaching import decoded, sent_part
from tests.scripted import Request, Wire, error_reply, json_reply, message, response, text_stream
from tests.terminals import on_terminal

LARGE = HELD_BYTES + 100_001


def large(start: bytes = b"%PDF-1.7\n") -> bytes:
    return start + random.Random(1).randbytes(LARGE)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def paper(ask: Command) -> Path:
    path = ask.home / "paper.pdf"
    path.write_bytes(large())
    return path


# sending ----------------------------------------------------------------------------------------------------------


def test_a_large_file_is_sent_unchanged_also_in_a_retry(ask: Command, wire: Wire, paper: Path) -> None:
    wire.answer(error_reply(503, Retry_After="0"), text_stream("read"))
    assert ask("ask", "-f", "paper.pdf", "what?").text == "read\n"
    first, second = wire.requests
    assert first.body == second.body
    assert int(second.headers["content-length"]) == len(second.body)
    assert "transfer-encoding" not in second.headers
    assert decoded(sent_part(second.json())["file_data"]) == paper.read_bytes()


def test_a_large_text_is_sent_in_its_fence(ask: Command, wire: Wire) -> None:
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
        "cometresp: warning: notes is not valid UTF-8; invalid bytes were replaced\n",
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


def test_a_file_that_is_removed_before_a_retry_is_named(ask: Command, wire: Wire, paper: Path) -> None:
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
def test_a_file_that_changes_while_it_is_sent_is_never_sent_whole(paper: Path, change: bytes) -> None:
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
    fenced = FencedText(Source("x", "", text.encode() or b"-", chunk=size), "x", "utf-8-sig", "strict")
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
def test_a_text_that_changes_while_it_is_sent_is_never_sent_whole(ask: Command, change: bytes) -> None:
    path = ask.home / "big.txt"
    path.write_bytes(b"line\n" * 400_000)
    fenced = FencedText(Source("big.txt", str(path)), "big.txt", "utf-8-sig", "strict")
    payload = Payload({"input": fenced})
    path.write_bytes(b"line\n" * 200_000 + change)
    got: list[bytes] = []
    with pytest.raises(UsageError, match=r"big\.txt changed while it was sent"):
        got.extend(payload)
    assert sum(map(len, got)) < payload.length


def test_a_file_that_grows_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="log changed while it was read"):
        Source("log", "/dev/zero")  # whose size is 0, however much of it was read


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
def test_a_replay_refuses_a_file_that_has_changed(
    ask: Command, wire: Wire, paper: Path, change: Any, what: str
) -> None:
    wire.answer(text_stream("read"))
    assert ask("ask", "-f", "paper.pdf", "what?").code == 0
    change(paper)
    assert tuple(ask("continue", "--replay", "and?")) == (
        65,
        "",
        f"cometresp: error: the conversation can't be replayed: {what.format(path=paper)}\n"
        "hint: start a new chain with: cometresp ask …\n",
    )
    assert len(wire.requests) == 1


def test_a_large_attachment_from_a_pipe_is_not_replayed(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("read"))
    for data, name in ((large(), "stdin.pdf"), (b"line\n" * 300_000, "input_text")):
        assert ask("ask", "what?", "-f", "/dev/stdin", stdin=data).code == 0
        assert next(ask.home.rglob("state.db")).stat().st_size < HELD_BYTES
        assert ask("continue", "--replay", "and?").err == (
            f"cometresp: error: the conversation can't be replayed: an attachment of resp_1 ({name}) was too large to"
            " record, and came from no file\nhint: start a new chain with: cometresp ask …\n"
        )


def test_a_pipe_named_by_its_descriptor_is_not_read_again(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("read"))
    command = f"cat | {sys.executable} -m cometresp ask what? -f <(cat big)"
    (ask.home / "big").write_bytes(large())
    subprocess.run(["bash", "-c", command], env=ask.environ, cwd=ask.home, stdin=subprocess.DEVNULL, check=True)
    assert "came from no file" in ask("continue", "--replay", "and?").err
