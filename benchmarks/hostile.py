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
from benchmarks.servers import STREAM_HEAD, Answer, Request, around, delta_data, deltas
from benchmarks.table import Row, alone

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\n\r\n"


class Case(NamedTuple):
    name: str
    head: str
    pieces: Iterator[bytes]
    words: tuple[str, ...] = ()


def rows(ground: Ground) -> Iterator[Row]:
    for case in _cases(ground.size(100 * MIB, MIB // 8), str(ground.home / "out")):
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


def _cases(size: int, out: str) -> Iterator[Case]:
    """Each case, with multiples of a size; `out` is a file that may be written."""
    whole, page = map(HEAD.format, ("application/json", "text/html"))
    stream = STREAM_HEAD.decode()
    packed = whole.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n")
    endless, least, most = 1 << 50, f"{size // 10}", f"{size / MIB * 20:.3g} MiB"
    long, half, brief = (
        f"{size / MIB * 2:.3g} MiB",
        f"{size / MIB * 10:.3g} MiB",
        ("--max-time", f"{size // MIB // 10 or 1}"),
    )
    before, after = around(Answer(), "1", {})
    yield Case("nothing unusual", stream, iter([before, *deltas(Answer()), after]))
    yield Case(f"gzip of {most} of JSON", packed, _zipped(20 * size))
    yield Case(f"{most} of JSON, one string", whole + '{"output": "', _repeated(20 * size, b"x"))
    yield Case(f"{most} of JSON, small values", whole + '{"output": [', _repeated(20 * size, b"[],"))
    yield Case(f"{half} of HTML", page, _repeated(10 * size, b"<p>no</p>"))
    yield Case(f"{half} of bytes", page.replace("text/html", "x/y"), _repeated(10 * size, b"\xff\0"))
    yield Case(f"a line of {long}", stream, _line(2 * size), ("-o", out))
    yield Case(f"a line of {long}, limit of a twentieth", stream, _line(2 * size), ("--max-reply-size", least))
    yield Case(f"{most} of data lines, no blank one", stream, _repeated(20 * size, b"data: x\n"))
    yield Case(f"endless comments, {brief[1]} s", stream, _repeated(endless, b": ping\n\n"), brief)
    yield Case(f"endless ids, {brief[1]} s", stream, _repeated(endless, b"id: 1\n\n"), brief)
    yield Case(f"endless blanks, {brief[1]} s", whole, _repeated(endless, b" "), brief)


def _repeated(size: int, piece: bytes) -> Iterator[bytes]:
    """About so many bytes, in pieces of at most a MiB."""
    block = piece * (min(MIB, size) // len(piece))
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
    before, after = around(Answer(1), "1", {})
    start, end = delta_data(4, "@").encode().split(b"@")
    yield before + b"data: " + start
    yield from _repeated(size, b"x")
    yield end + b"\n\n" + after
