"""Prints the most memory of `ask` against servers that send without end: `python benchmarks/memory.py`.

The servers are threads of this process, on loopback. `ask` runs with the default of --max-reply-size (256M) but for the
line of 200 MB that is refused; the bodies are made while they are sent, so that only the client's memory is large.
"""

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scripted import Request, created, delta, ended, frames, message, response, serving, text_stream

MIB = 1 << 20
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\n\r\n"
LINE = 200_000_000


class Case(NamedTuple):
    name: str
    head: str
    pieces: Iterator[bytes]
    words: tuple[str, ...] = ()


def repeated(size: int, piece: bytes) -> Iterator[bytes]:
    """About so many bytes, in pieces of about a MiB."""
    block = piece * (MIB // len(piece))
    yield from (block for _ in range(size // len(block)))


def zipped(size: int) -> Iterator[bytes]:
    """The start of a JSON string of so many bytes, compressed with gzip: a thousandth of it."""
    packer = zlib.compressobj(9, wbits=31)
    yield packer.compress(b'{"output": "')
    block = b"x" * MIB
    yield from (packer.compress(block) for _ in range(size // MIB))
    yield packer.flush()


def line(size: int) -> Iterator[bytes]:
    """A stream with one event of so many bytes."""
    start, end = json.dumps(delta("@")).encode().split(b"@")
    yield frames([created()]) + b"data: " + start
    yield from repeated(size, b"x")
    yield end + b"\n\n" + frames([ended(response(message("done")))])


def cases() -> Iterator[Case]:
    whole, stream, page = map(HEAD.format, ("application/json", "text/event-stream", "text/html"))
    packed = whole.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n")
    endless = 1 << 50
    yield Case("nothing unusual", "", iter([text_stream("hi")]))
    yield Case("2 MB of gzip, 2 GB of JSON", packed, zipped(2000 * MIB))
    yield Case("2 GB of JSON, one string", whole + '{"output": "', repeated(2000 * MIB, b"x"))
    yield Case("2 GB of JSON, small values", whole + '{"output": [', repeated(2000 * MIB, b"[],"))
    yield Case("1 GB of HTML", page, repeated(1000 * MIB, b"<p>no</p>"))
    yield Case("1 GB of bytes", page.replace("text/html", "x/y"), repeated(1000 * MIB, b"\xff\0"))
    yield Case("a line of 200 MB", stream, line(LINE), ("-o", "out"))
    yield Case("a line of 200 MB, limit 10M", stream, line(LINE), ("--max-reply-size", "10M"))
    yield Case("2 GB of data lines, no blank one", stream, repeated(2000 * MIB, b"data: x\n"))
    yield Case("endless comments, 10 s", stream, repeated(endless, b": ping\n\n"), ("--max-time", "10"))
    yield Case("endless ids, 10 s", stream, repeated(endless, b"id: 1\n\n"), ("--max-time", "10"))
    yield Case("endless blanks, 10 s", whole, repeated(endless, b" "), ("--max-time", "10"))


def measured(case: Case) -> tuple[int, float, str, str]:
    """(exit code, seconds, the error, MiB) of `ask` against the server of the case."""

    def send(_: Request, connection: socket.socket) -> None:
        connection.sendall(case.head.encode())
        with suppress(OSError):  # the client has seen enough
            for piece in case.pieces:
                connection.sendall(piece)

    script = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); sys.exit(code)"
    )
    with tempfile.TemporaryDirectory() as home, serving() as wire:
        wire.answer(send)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "COMETAPI_KEY": "x",
            "COMETAPI_BASE_URL": wire.url,
            "COMETAPI_DEFAULT_MODEL": "m",
        }
        words = [sys.executable, "-c", script, sys.executable, "-m", "cometresp", "ask", "--no-save", *case.words, "hi"]
        began = time.perf_counter()
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environ, cwd=home, check=False
        )
        seconds = time.perf_counter() - began
    error = (done.stderr.splitlines() or [""])[0].removeprefix("cometresp: error: ")
    return done.returncode, seconds, error, done.stdout.strip()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for case in cases():
        code, seconds, error, peak = measured(case)
        sys.stdout.write(f"{case.name:34} {peak:>5} MiB {seconds:6.1f} s  exit {code:2}  {error}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
