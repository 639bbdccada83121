"""The emulator's HTTP server on loopback: sockets, threads and framing. The API itself is in api.py."""

import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from cometresp.emulator.api import Api
from cometresp.emulator.errors import ApiError
from cometresp.emulator.faults import Faults, RequestFaults
from cometresp.emulator.framing import dump
from cometresp.emulator.lifecycle import Stream
from cometresp.emulator.rules import Json
from cometresp.emulator.store import Store

_HOST = "127.0.0.1"
_CHUNK_HEAD = 1024
# Python runs a signal's handler between bytecodes: one that comes just before a wait for sockets is heard after it.
_SIGNAL_SECONDS = 0.5


class Emulator:
    """An offline server of the Responses API on loopback.

    `port` 0 takes any free port. `memory` is a SQLite file that several processes may share; without it the responses
    are lost when the emulator ends. `delay` is the pause between streamed deltas, in seconds. `faults` are values of
    `--fault`, `fault_seed` makes their `%P` repeatable. Raises OSError where the port is taken or the file can't be
    used, and ValueError for an invalid fault.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        memory: Path | None = None,
        delay: float = 0.0,
        faults: Sequence[str] = (),
        fault_seed: int | None = None,
    ) -> None:
        parsed = Faults(faults, fault_seed)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._server = _Server(port, self._stopped)
        try:
            self._store = Store(memory)
        except BaseException:
            self._server.server_close()
            raise
        self._server.api = Api(self._store, delay=delay, wait=lambda seconds: not self._stopped.wait(seconds))
        self._server.faults = parsed
        self.base_url = f"http://{_HOST}:{self._server.server_port}/v1"

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
        self._store.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # On Windows the option would let two servers share a port.
    allow_reuse_address = os.name == "posix"
    api: Api
    faults: Faults

    def __init__(self, port: int, stopped: threading.Event) -> None:
        self.stopped = stopped
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((_HOST, port), _Handler)

    def server_bind(self) -> None:
        # The method of HTTPServer asks the resolver for this machine's name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report anything but clients that disconnect and what fails while the emulator stops: it is a bug.

        In the main thread, which runs no handlers, it may be the exception of a signal's handler: that is passed on.
        """
        error = sys.exception()
        if threading.current_thread() is threading.main_thread() and not isinstance(error, OSError | RuntimeError):
            self.shutdown_request(request)
            raise  # noqa: PLE0704 - socketserver calls this in its except clause
        if not isinstance(error, OSError) and not self.stopped.is_set():
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "cometresp-emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    _request_id = ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: standard error is for the messages of the command."""

    def _serve(self) -> None:
        # The form of the gateway's ids: the time to the second, then random digits.
        self._request_id = time.strftime("%Y%m%d%H%M%S") + os.urandom(9).hex()
        try:
            self._answer()
        except ConnectionError:
            self.close_connection = True

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _answer(self) -> None:
        try:
            body = self._body()  # always read, or the next request on this connection would start inside it
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query, keep_blank_values=True))
            faults = self.server.faults.next_request(unquote(url.path))
            if self._replaced(faults):
                return
            reply = self.server.api.handle(self.command, unquote(url.path), query, body, faults.words)
        except ApiError as error:
            self._send(error.status, error.body(self._request_id))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug here must reach the client as an error, not as silence
            bug = ApiError(500, f"The emulator has a bug: {type(error).__name__}: {error}", code="emulator_bug")
            self._send(bug.status, bug.body(self._request_id))
        else:
            if isinstance(reply, dict):
                self._whole(reply, faults)
            else:
                self._stream(reply, faults)

    def _replaced(self, faults: RequestFaults) -> bool:
        """Whether a fault replaced the API's reply."""
        if faults.drops:
            self.close_connection = True
            return True
        reply = faults.replacement(self._request_id)
        if reply:
            self._write(reply.status, reply.content_type, reply.body, **reply.headers)
        return reply is not None

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            raise ApiError(400, f"Invalid Content-Length: {length}", code="bad_request_body")
        return self._exactly(int(length))

    def _chunks(self) -> Iterator[bytes]:
        while size := self._chunk_size():
            yield self._exactly(size)
            self.rfile.readline(_CHUNK_HEAD)
        while self.rfile.readline(_CHUNK_HEAD).strip():
            pass  # trailers

    def _chunk_size(self) -> int:
        line = self.rfile.readline(_CHUNK_HEAD)
        try:
            return int(line.split(b";")[0], 16)
        except ValueError:
            self.close_connection = True
            raise ApiError(400, "Invalid chunk in the body", code="bad_request_body") from None

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the body was cut short")
        return data

    def _head(self, status: int, content_type: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("x-request-id", self._request_id)
        self.send_header("x-cometapi-request-id", self._request_id)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, status: int, reply: Json) -> None:
        allow = {"Allow": "GET, POST, DELETE"} if status == 405 else {}  # noqa: PLR2004 - RFC 9110 wants it there
        self._write(status, "application/json", dump(reply), **allow)

    def _write(self, status: int, content_type: str, data: bytes, **headers: str) -> None:
        self._head(status, content_type, Content_Length=str(len(data)), **headers)
        if self.command != "HEAD":
            self.wfile.write(data)

    def _whole(self, reply: Json, faults: RequestFaults) -> None:
        data = faults.body(reply, self.server.api.wait)
        self._head(200, "application/json", Content_Length=str(len(data)))
        self.close_connection |= faults.cuts  # after the head, which would send it as `Connection: close`
        self.wfile.write(faults.cut(data))

    def _stream(self, events: Stream, faults: RequestFaults) -> None:
        """Server-sent events (API 7.1), each in a chunk of its own that is sent at once."""
        chunked = self.request_version != "HTTP/1.0"
        self.close_connection |= not chunked
        framing = {"Transfer_Encoding": "chunked"} if chunked else {}
        self._head(200, "text/event-stream; charset=utf-8", Cache_Control="no-store", **framing)
        for data in faults.frames(events, self.server.api.wait):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        if self.server.stopped.is_set() or faults.cuts:
            self.close_connection = True
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")
