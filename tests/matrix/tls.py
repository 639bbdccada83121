"""Certificates and TLS."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.matrix.fault import HALF, Around, Fault
from tests.scripted import STREAM_HEAD, Wire, reply

CERTIFICATES = Path(__file__).parent / "certificates"  # ca.pem signed the others; they are valid for a hundred years
TRUSTED = f"--ca-file {CERTIFICATES / 'ca.pem'}"


def behind(certificate: str) -> Around:
    """The server behind TLS with this certificate; "" closes each connection before the handshake has ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")

    @contextmanager
    def around(_: Path, wire: Wire) -> Iterator[dict[str, str]]:
        def accept(listener: socket.socket) -> None:
            with suppress(OSError):
                while True:
                    args = (listener.accept()[0], context if certificate else None, wire.port)
                    threading.Thread(target=_serve, args=args, daemon=True).start()

        with listening(accept) as port:
            yield {"COMETAPI_BASE_URL": f"https://127.0.0.1:{port}/v1"}

    return around


@contextmanager
def listening(accept: Callable[[socket.socket], None]) -> Iterator[int]:
    """A thread that takes connections on the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept, args=(listener,))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _serve(connection: socket.socket, context: ssl.SSLContext | None, port: int) -> None:
    """Passes one request on, and the reply back. The end of the reply isn't announced: the connection just closes."""
    with connection, suppress(OSError):
        if context is None:
            connection.recv(5)
            return
        with (
            context.wrap_socket(connection, server_side=True) as secure,
            socket.create_connection(("127.0.0.1", port)) as plain,
        ):
            plain.sendall(_request(secure))
            while data := plain.recv(65536):
                secure.sendall(data)


def _request(secure: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += secure.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += secure.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def speaking_plain_http(_: Path, __: Wire) -> Iterator[dict[str, str]]:
    def refuse(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(reply(400, "no", "text/plain"))

    with listening(refuse) as port:
        yield {"COMETAPI_BASE_URL": f"https://127.0.0.1:{port}/v1"}


FAULTS = [
    Fault("a certificate that nobody knows", around=behind("good")),
    Fault("a certificate that has expired", around=behind("expired"), flags=TRUSTED),
    Fault("a certificate of another host", around=behind("other"), flags=TRUSTED),
    Fault("a server without TLS", around=speaking_plain_http),
    Fault("a connection that is closed in the handshake", around=behind("")),
    Fault("a connection that ends in the middle of the text", STREAM_HEAD + HALF, around=behind("good"), flags=TRUSTED),
    Fault("--ca-file names no file", around=behind("good"), flags="--ca-file none.pem"),
    Fault("--ca-file names no certificate", around=behind("good"), flags="--ca-file tools.toml"),
    Fault("SSL_CERT_FILE names no file", around=behind("good"), env={"SSL_CERT_FILE": "none.pem"}),
    Fault("SSL_CERT_FILE names no certificate", around=behind("good"), env={"SSL_CERT_FILE": "tools.toml"}),
]
