"""The server of `--record`: it passes requests on and records them with their replies.

What a client gets is what the server sent, as it comes. What is recorded has its secrets masked.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from urllib.parse import unquote

from cometresp.client.connection import ServerConfig
from cometresp.client.upstream import CutError, Passage, Passed, Upstream
from cometresp.emulator.errors import ApiError
from cometresp.emulator.listening import Handler, Listening, Server
from cometresp.errors import UnreachableError, UsageError
from cometresp.recording.bodies import is_over
from cometresp.recording.document import written
from cometresp.recording.exchange import (
    OF_CONNECTION,
    Ended,
    Exchange,
    Piece,
    Reply,
    Request,
    header,
    path_and_query,
    without,
)
from cometresp.recording.folder import Folder
from cometresp.recording.masks import Masks
from cometresp.recording.requests import json_of, recorded_request
from cometresp.recording.watch import watched
from cometresp.text import Say
from cometresp.tuples import NamedTuple
from cometresp.wire.masking import Secrets
from cometresp.wire.replies import retry_after

_MOST_KEPT = 256_000_000  # bytes of a reply; a longer one is passed on, but not recorded
_NO_BODY = (204, 304)
_FINISH_SECONDS = 5.0
_LAST = 20  # pieces at the end of a stream in which its last event is looked for


class Reports(NamedTuple):
    """Functions that print a line: `note` for a recording, `warn` for an exchange that wasn't recorded."""

    note: Say
    warn: Say


def upstream(base_url: str, *, loopback: bool) -> Upstream:
    """The server with this base URL. Raises the errors of `open_pool`."""
    return Upstream(ServerConfig(base_url, loopback=loopback, source="--upstream"))


class RecordingServer(Listening):
    """A server on loopback that passes requests on to another one, and adds what it sees to a folder.

    Raises OSError where the port is taken, OutputError for the folder, UsageError if it would talk to itself.
    """

    def __init__(self, folder: Path, upstream: Upstream, reports: Reports, *, port: int = 0) -> None:
        server = _Server(port, _Handler)
        super().__init__(server)
        try:
            _check_other(upstream, server.server_port)
            server.folder = Folder(folder)
        except BaseException:
            server.server_close()
            raise
        server.upstream, server.reports = upstream, reports
        for value in upstream.secrets:
            server.secrets.add(unquote(value))
        self._recording = server

    def _close(self) -> None:
        super()._close()
        self._recording.finish()
        self._recording.upstream.close()


def _check_other(upstream: Upstream, port: int) -> None:
    if upstream.is_at(port):
        raise UsageError("--upstream: is the address of the recorder itself")


class _Server(Server):
    folder: Folder
    upstream: Upstream
    reports: Reports

    def __init__(self, port: int, handler: type[Handler]) -> None:
        super().__init__(port, handler)
        self.secrets, self.masking = Secrets(), threading.Lock()  # what one request brings may stand in later replies
        self._under_way = 0
        self._ends = threading.Condition()

    @contextmanager
    def exchanging(self) -> Iterator[None]:
        """The block of one exchange, which `finish` waits for."""
        with self._ends:
            self._under_way += 1
        try:
            yield
        finally:
            with self._ends:
                self._under_way -= 1
                self._ends.notify_all()

    def finish(self) -> None:
        """Wait for recordings that are being written: a script may end the server as soon as it has its answer."""
        with self._ends:
            self._ends.wait_for(lambda: not self._under_way, _FINISH_SECONDS)


class _Handler(Handler):
    server: _Server

    def answer(self, body: bytes) -> None:
        with self.server.exchanging():
            self._pass_on(_request(self, body))

    def _pass_on(self, request: Request) -> None:
        server, passage = self.server, Passage()
        number, kept = server.folder.next_number(), _Kept(passage, server.stopped)
        target = f"{request.path}?{request.query}" if request.query else request.path
        try:
            with (
                watched(self.connection, kept.leave),
                server.upstream.reply(request.method, target, request.headers, request.body, passage) as reply,
            ):
                kept.begin(reply)
                self._hand_on(reply, kept)
        except UnreachableError as error:
            if not passage.ended:
                raise ApiError(
                    502, f"The recorder got no reply: {error.message}", code="upstream_unreachable"
                ) from error
        self.close_connection |= passage.ended
        if why := kept.why_not():
            server.reports.warn(f"not recorded: {request.method} {request.path}: {why}")
        else:
            self._record(number, request, kept)

    def _hand_on(self, reply: Passed, kept: "_Kept") -> None:
        """Send the reply to the client as it comes."""
        try:
            if self.command == "HEAD" or reply.status in _NO_BODY:
                self.send_head(reply.status, kept.headers)
                kept.is_whole = True
            else:
                self.send_pieces(reply.status, kept.headers, kept.pieces(reply), lambda: kept.is_cut, reply.length)
        except OSError:  # the client has closed the connection
            kept.leave()

    def _record(self, number: int, request: Request, kept: "_Kept") -> None:
        server = self.server
        exchange = Exchange(request, kept.reply(), kept.at, server.upstream.shown_url)
        with server.masking:
            masks = Masks(request.headers, json_of(request.body), request.query, known=server.secrets)
            recorded = recorded_request(request, masks)
            data = written(exchange, recorded, masks)
        try:
            name = server.folder.add(number, recorded, data)
        except OSError as error:
            server.reports.warn(f"not recorded: {request.method} {request.path}: {error.filename}: {error.strerror}")
            return
        server.reports.note(f"recorded {name} · {kept.status} · {kept.last:.1f} s")


def _request(handler: Handler, body: bytes) -> Request:
    named = {name.strip().lower() for name in handler.headers.get("Connection", "").split(",")}
    headers = without(handler.headers.items(), OF_CONNECTION | named)
    return Request(handler.command, *path_and_query(handler.path), headers, body)


class _Kept:
    """What is kept of a reply while it is passed on."""

    def __init__(self, passage: Passage, stopped: threading.Event) -> None:
        self.passage = passage
        self._stopped = stopped  # the recorder is; it closes the connections of its clients then
        self._was_stopped = False  # before the client's connection was closed
        self.at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.status, self.is_cut, self.is_whole = 0, False, False
        self.headers: dict[str, str] = {}
        self.last = self._seconds = 0.0
        self._started = time.monotonic()
        self._pieces: list[Piece] = []
        self._size = 0
        self._length: int | None = None

    def begin(self, reply: Passed) -> None:
        self._seconds = self.last = time.monotonic() - self._started
        self.status, self.headers, self._length = reply.status, without(reply.headers, OF_CONNECTION), reply.length

    def leave(self) -> None:
        """The client's connection is closed."""
        self._was_stopped |= self._stopped.is_set() and not self.passage.ended
        self.passage.end()

    def pieces(self, reply: Passed) -> Iterator[bytes]:
        """The body as it comes, kept up to a limit; what breaks it off ends it."""
        try:
            for data in reply.pieces():
                self._size += len(data)
                self.last = time.monotonic() - self._started
                if self._size <= _MOST_KEPT:
                    self._pieces.append(Piece(self.last, data))
                yield data
            self.is_whole = reply.says_its_end or not self.passage.ended
        except CutError:
            self.is_cut = True

    def why_not(self) -> str:
        """Why the exchange can't be recorded; "" where it can."""
        if not self.status:
            who = "the recorder was stopped" if self._was_stopped else "the client closed the connection"
            return f"{who} before there was a reply"
        if self._was_left and self._was_stopped:
            return "the recorder was stopped while the reply came"
        return f"its reply has more than {_MOST_KEPT / 1e6:.0f} MB" if self._size > _MOST_KEPT else ""

    def reply(self) -> Reply:
        """The reply as it is recorded. One that a client left after its last event was complete."""
        ended: Ended = "cut" if self.is_cut else ""
        if self.passage.ended:
            ended = "client" if self._was_left else ""
        length = self._length if ended == "cut" else None
        return Reply(self.status, _relative(self.headers), self._seconds, tuple(self._pieces), ended, length)

    @property
    def _was_left(self) -> bool:
        """Whether the client closed the connection before the last event, or the last byte."""
        if not self.passage.ended or self.is_whole or self._size == self._length:
            return False
        return not is_over(b"".join(piece.data for piece in self._pieces[-_LAST:]))


def _relative(headers: dict[str, str]) -> dict[str, str]:
    """The headers with the seconds of a Retry-After in place of a date, which has passed when they are replayed."""
    given = header(headers, "retry-after")
    seconds = None if not given or given.isdecimal() else retry_after({"retry-after": given}, time.time())
    if seconds is None:
        return headers
    return {name: str(ceil(seconds)) if name.lower() == "retry-after" else value for name, value in headers.items()}
