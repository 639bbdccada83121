"""The most memory of `ask` against servers that send without end.

`ask` runs with the default of --max-reply-size (256M) but for the line of 200 MB that is refused; the bodies are made
while they are sent, so that only the client's memory is large.
"""

import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from benchmarks.ground import Ground
from benchmarks.measure import MIB, run_for_peak
from benchmarks.servers import STREAM_HEAD, Answer, Request, delta_data, events
from benchmarks.table import Row, alone

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\n\r\n"


class Case(NamedTuple):
    name: str
    head: str
    pieces: Iterator[bytes]
    words: tuple[str, ...] = ()


def rows(ground: Ground) -> Iterator[Row]:
    for case in _cases(1 if ground.plan.quick else 100, str(ground.home / "out")):
        ground.server.script = _sending(case)
        memory, sample = run_for_peak(ground.ours("ask", "--no-save", *case.words, "hi"), check=False)
        error = (sample.errors.splitlines() or [""])[0].removeprefix("cometresp: error: ").replace("|", "/")
        beside = f"{sample.wall:.1f} s, exit {sample.code}{': ' if error else ''}{error}"
        yield alone(f"memory: {case.name}", [memory], "MiB", beside=beside)
    ground.server.script = None


def _sending(case: Case) -> Callable[[Request, socket.socket], None]:
    def send(_: Request, connection: socket.socket) -> None:
        connection.sendall(case.head.encode())
        with suppress(OSError):  # the client has seen enough
            for piece in case.pieces:
                connection.sendall(piece)

    return send


def _cases(full: int, out: str) -> Iterator[Case]:
    """Each case, with so many hundredths of the sizes of a full run; `out` is a file that may be written."""
    whole, page = map(HEAD.format, ("application/json", "text/html"))
    stream = STREAM_HEAD.decode()
    packed = whole.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n")
    endless, size = 1 << 50, full * MIB
    line, long = 2_000_000 * full, f"{2 * full} MB"
    brief = ("--max-time", "10" if full > 1 else "1")
    before, deltas, after = events(Answer(), "1", {})
    yield Case("nothing unusual", stream, iter([before, *deltas, after]))
    yield Case(f"gzip of {20 * full} MiB of JSON", packed, _zipped(20 * size))
    yield Case(f"{20 * full} MiB of JSON, one string", whole + '{"output": "', _repeated(20 * size, b"x"))
    yield Case(f"{20 * full} MiB of JSON, small values", whole + '{"output": [', _repeated(20 * size, b"[],"))
    yield Case(f"{10 * full} MiB of HTML", page, _repeated(10 * size, b"<p>no</p>"))
    yield Case(f"{10 * full} MiB of bytes", page.replace("text/html", "x/y"), _repeated(10 * size, b"\xff\0"))
    yield Case(f"a line of {long}", stream, _line(line), ("-o", out))
    yield Case(
        f"a line of {long}, limit {full // 10 or 1}M", stream, _line(line), ("--max-reply-size", f"{full // 10 or 1}M")
    )
    yield Case(f"{20 * full} MiB of data lines, no blank one", stream, _repeated(20 * size, b"data: x\n"))
    yield Case(f"endless comments, {brief[1]} s", stream, _repeated(endless, b": ping\n\n"), brief)
    yield Case(f"endless ids, {brief[1]} s", stream, _repeated(endless, b"id: 1\n\n"), brief)
    yield Case(f"endless blanks, {brief[1]} s", whole, _repeated(endless, b" "), brief)


def _repeated(size: int, piece: bytes) -> Iterator[bytes]:
    """About so many bytes, in pieces of about a MiB."""
    block = piece * (MIB // len(piece))
    yield from (block for _ in range(size // len(block)))


def _zipped(size: int) -> Iterator[bytes]:
    """The start of a JSON string of so many bytes, compressed with gzip: a thousandth of it."""
    packer = zlib.compressobj(9, wbits=31)
    yield packer.compress(b'{"output": "')
    block = b"x" * MIB
    yield from (packer.compress(block) for _ in range(size // MIB))
    yield packer.flush()


def _line(size: int) -> Iterator[bytes]:
    """A stream with one event of so many bytes."""
    before, _, after = events(Answer(1), "1", {})
    start, end = delta_data(4, "@").encode().split(b"@")
    yield before + b"data: " + start
    yield from _repeated(size, b"x")
    yield end + b"\n\n" + after
