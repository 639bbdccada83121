"""HTTP on loopback: sockets, threads, requests that are read and replies that are framed; not what is replied.

The servers of the emulator and of recordings are made of it.
"""

import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cometresp.emulator.errors import ApiError, traceback_text
from cometresp.emulator.framing import dump
from cometresp.emulator.incoming import check_head, read_body
from cometresp.emulator.rules import Json

_HOST = "127.0.0.1"
_READ_SECONDS = 60.0  # without a byte of a request that has begun
_LINGER_SECONDS = 2.0
_PIECE = 65_536
# Python runs a signal's handler between bytecodes: one that comes just before a wait for sockets is heard after it.
_SIGNAL_SECONDS = 0.5


class Listening:
    """A server on loopback: in a thread while its block lasts, or in this one by `serve_forever`.

    `port` 0 takes any free port. Raises OSError where the port is taken.
    """

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._stopped = server.stopped
        self._thread: threading.Thread | None = None
        self.base_url = f"http://{_HOST}:{server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="emulator", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._server.wake()
            self._thread.join()
        self._close()

    def serve_forever(self) -> None:
        """Serve in this thread until an exception such as KeyboardInterrupt, which is passed on."""
        if self._thread is not None:
            self._thread.join()
            return
        self._server.timeout = _SIGNAL_SECONDS
        try:
            self._serve()
        finally:
            self._stopped.set()
            self._close()

    def _serve(self) -> None:
        # serve_forever of the base class takes up to half a second to stop, since it polls.
        while not self._stopped.is_set():
            self._server.handle_request()

    def _close(self) -> None:
        self._server.server_close()
        self._server.hang_up()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # On Windows the option would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, handler: type["Handler"]) -> None:
        self.stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((_HOST, port), handler)

    def server_bind(self) -> None:
        # The method of HTTPServer asks the resolver for this machine's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

    def wait(self, seconds: float) -> bool:
        """Wait; False where the server is stopped in that time."""
        return not self.stopped.wait(seconds)

    def wake(self) -> None:
        """Make a waiting handle_request return."""
        try:
            socket.create_connection((_HOST, self.server_port), timeout=1).close()
        except OSError:
            return  # the loop has ended already

    def hang_up(self) -> None:
        """End the connections, so that no thread is left."""
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client has closed it already

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Report anything but clients that disconnect: it is a bug.

        In the main thread, which runs no handlers, it may be the exception of a signal's handler: that is passed on.
        """
        error = sys.exception()
        if threading.current_thread() is threading.main_thread() and not isinstance(error, OSError | RuntimeError):
            self.shutdown_request(request)
            raise  # noqa: PLE0704 - socketserver calls this in its except clause
        if error is not None and not isinstance(error, OSError):
            self.report(error)

    def report(self, error: BaseException) -> None:
        """Print a bug on stderr. What fails while the emulator stops, such as its store, is none."""
        if sys.stderr is not None and not self.stopped.is_set():
            sys.stderr.write(f"emulator: a request failed\n{traceback_text(error)}")


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "cometresp-emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    request_id = ""
    _unread = False  # whether a part of the request hasn't been read
    _begun = False  # whether a part of the reply has been sent
    _expected = False  # whether the client waits for `100 Continue`

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: standard error is for the messages of the command."""

    def parse_request(self) -> bool:
        """Read the head of a request. A client that stops inside it is given up; it may pause between requests."""
        self._begin()
        self.connection.settimeout(_READ_SECONDS)
        if not super().parse_request():
            return False
        if self.request_version == self.default_request_version:
            self.send_error(400, "The request names no version of HTTP.")
            return False
        return True

    def _begin(self) -> None:
        self._unread = self._begun = self._expected = False
        # The form of the gateway's ids: the time to the second, then random digits.
        self.request_id = time.strftime("%Y%m%d%H%M%S") + os.urandom(9).hex()

    def handle_expect_100(self) -> bool:
        """Wait with the reply to `Expect: 100-continue` until the head has been checked."""
        self._expected = True
        return True

    def _continue(self) -> None:
        if self._expected:
            self.send_response_only(100)
            self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse a head that http.server can't read, in the form of all other errors."""
        self._begin()
        self.request_version = self.protocol_version  # of which it may know none yet, and would send no head then
        self._unread = True
        self._refuse(ApiError(code, message or HTTPStatus(code).phrase, code="bad_request_head"))

    def _serve(self) -> None:
        try:
            self._answer()
        except ApiError as error:
            self._refuse(error)
        except ConnectionError:
            self.close_connection = True
        except TimeoutError:
            self._refuse(ApiError(408, f"Nothing more of the body came for {_READ_SECONDS:g} s.", code="timeout"))
        except RecursionError:
            self._refuse(ApiError(400, "The request is nested too deeply.", code="too_deep"))
        except Exception as error:  # noqa: BLE001 - a bug here must reach the client as an error, not as silence
            self.server.report(error)
            text = f"The emulator has a bug: {type(error).__name__}: {error}"
            self._refuse(ApiError(500, text, code="emulator_bug"))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _answer(self) -> None:
        self.answer(self._body())  # always read, or the next request on this connection would start inside it

    def answer(self, body: bytes) -> None:
        """Send the reply to the request. Raises ApiError for one that is refused."""
        raise NotImplementedError

    def _body(self) -> bytes:
        self._unread = True
        check_head(self.headers, self.path, self.request_version)
        body = read_body(self.headers, self.request_version, self.rfile, self._continue)
        self._unread = False
        self.connection.settimeout(None)  # a client may read a stream as slowly as it likes
        return body

    def _refuse(self, error: ApiError) -> None:
        """Send an error, unless a reply has begun: that is cut."""
        self.close_connection |= self._unread or self._begun
        if self._begun:
            return
        self._send(error.status, error.body(self.request_id))
        if self._unread:
            self._linger()

    def _linger(self) -> None:
        """Discard what still comes: closing a socket with unread data takes the reply back before it is read."""
        self.connection.shutdown(socket.SHUT_WR)
        end = time.monotonic() + _LINGER_SECONDS
        while (left := end - time.monotonic()) > 0:
            self.connection.settimeout(left)
            if not self.connection.recv(_PIECE):
                return

    def _send(self, status: int, reply: Json) -> None:
        allow = {"Allow": "GET, POST, DELETE"} if status == 405 else {}  # noqa: PLR2004 - RFC 9110 wants it there
        self.send_whole(status, self.own_headers("application/json", **allow), dump(reply))

    def own_headers(self, content_type: str | None, **more: str) -> dict[str, str]:
        """The headers of a reply that is made here: its type, if any, and the id of the request."""
        typed = {} if content_type is None else {"Content-Type": content_type}
        ids = {"x-request-id": self.request_id, "x-cometapi-request-id": self.request_id}
        return {**typed, **ids, **{name.replace("_", "-"): value for name, value in more.items()}}

    def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self._begun = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def send_whole(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.send_head(status, {**headers, **_length(len(data))})
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_pieces(
        self,
        status: int,
        headers: Mapping[str, str],
        pieces: Iterable[bytes],
        is_cut: Callable[[], bool],
        length: int | None = None,
    ) -> None:
        """Send a body, each piece at once; without its end where `is_cut` says so then."""
        chunked = length is None and self.request_version != "HTTP/1.0"
        self.close_connection |= length is None and not chunked
        framing = {"Transfer-Encoding": "chunked"} if chunked else {} if length is None else _length(length)
        self.send_head(status, {**headers, **framing})
        for data in pieces:
            if data:  # an empty chunk would be the end
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        if self.server.stopped.is_set() or is_cut():
            self.close_connection = True
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")


def _length(size: int) -> dict[str, str]:
    return {"Content-Length": str(size)}
