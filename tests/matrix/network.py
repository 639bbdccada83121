"""Connections that don't come about, end early or stand still."""

import socket
import struct

from tests.matrix.fault import HALF, Fault
from tests.scripted import STREAM_HEAD, Request, Script, repeating

SOON = "--timeout"
HELD = 60.0  # seconds that a silent server keeps a connection, if the client doesn't end it


def silent(sent: bytes) -> Script:
    """Sends this, then nothing more until the client gives up."""

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(sent)
        connection.settimeout(HELD)
        while connection.recv(65536):
            pass

    return script


def closing(sent: bytes) -> Script:
    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(sent)

    return script


def resetting(sent: bytes) -> Script:
    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return script


OK = b"HTTP/1.1 200 OK\r\n"
PROXY = {"COMETAPI_BASE_URL": "http://gateway.invalid/v1", "NO_PROXY": ""}
INSECURE = "--insecure-http"


def proxy(status: int) -> Script:
    return closing(f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno".encode())


FAULTS = [
    Fault("nobody listens there", env={"COMETAPI_BASE_URL": "http://127.0.0.1:1/v1"}),
    Fault("the connection is closed without a byte", closing(b"")),
    Fault("the connection is closed without a byte, once", closing(b""), passes=True, retried=True),
    Fault("the connection is reset without a byte", resetting(b"")),
    Fault("the head is cut", closing(OK + b"Content-Ty")),
    Fault("the head isn't HTTP", closing(b"SSH-2.0-OpenSSH_9.2\r\n")),
    Fault("nothing comes", silent(b""), limit=SOON),
    Fault("the head stops in its middle", silent(OK + b"Content-Ty"), limit=SOON),
    Fault("endless interim replies (1xx)", repeating(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), limit=SOON),
    Fault("a head without end", repeating(OK, b"X: y\r\n"), limit=SOON),
    Fault("silence after the head", silent(STREAM_HEAD), limit=SOON),
    Fault("silence in the middle of the text", silent(STREAM_HEAD + HALF), limit=SOON),
    Fault("a reset in the middle of the text", resetting(STREAM_HEAD + HALF)),
    Fault(
        "only comments after half of the text, until --max-time",
        repeating(STREAM_HEAD + HALF, b": keep-alive\n\n"),
        limit="--max-time",
    ),
    Fault("the proxy isn't there", env={**PROXY, "HTTP_PROXY": "http://127.0.0.1:1"}, flags=INSECURE),
    Fault("the proxy wants a password", proxy(407), env={**PROXY, "HTTP_PROXY": "{server}"}, flags=INSECURE),
    Fault("the proxy doesn't reach the server", proxy(502), env={**PROXY, "HTTP_PROXY": "{server}"}, flags=INSECURE),
    Fault("the proxy's address can't be used", env={**PROXY, "HTTP_PROXY": "socks9://127.0.0.1:1"}, flags=INSECURE),
]
