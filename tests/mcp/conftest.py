"""Servers written with the SDK (`server.py`), as programs and over HTTP on this machine."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = str(Path(__file__).with_name("server.py"))
STDIO = f"{sys.executable} {SERVER} stdio"


@contextmanager
def over_http(transport: str) -> Iterator[str]:
    """The URL of a server, over `sse` or streamable `http`."""
    process = subprocess.Popen([sys.executable, SERVER, transport], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"
    finally:
        process.kill()
        process.communicate()
