"""The server of `--replay`: it answers with what was recorded, without a network."""

import threading
import time
from collections.abc import Iterator, Sequence

from cometresp.emulator.errors import ApiError
from cometresp.emulator.listening import Handler, Listening, Server
from cometresp.recording.exchange import OF_CONNECTION, Reply, Request, path_and_query, without
from cometresp.recording.folder import Recording
from cometresp.recording.masks import Masks
from cometresp.recording.nearest import nearest
from cometresp.recording.requests import RecordedRequest, json_of, recorded_request
from cometresp.text import Say
from cometresp.wire.headers import MASK
from cometresp.wire.masking import Secrets

_NO_BODY = (204, 304)


class Answers:
    """The recordings by their requests. The same request gets the replies in their order, then the last one again.

    Safe for many threads.
    """

    def __init__(self, recordings: Sequence[Recording], *, loose: bool = False) -> None:
        self._recordings = recordings
        self._loose = loose
        self._lock = threading.Lock()
        self._given: dict[str, int] = {}
        self._known: dict[str, list[Recording]] = {}
        for recording in recordings:
            for key in self._keys([recording.request]):
                self._known.setdefault(key, []).append(recording)

    def reply(self, requests: Sequence[RecordedRequest]) -> Reply | None:
        """The reply that is due to a request; None where it wasn't recorded. `requests` are forms of the same one."""
        for key in self._keys(requests):
            if found := self._known.get(key):
                with self._lock:
                    number = self._given.get(key, 0)
                    self._given[key] = number + 1
                return found[min(number, len(found) - 1)].reply
        return None

    def _keys(self, requests: Sequence[RecordedRequest]) -> list[str]:
        digests = [request.digest for request in requests]
        prompts = [request.prompt for request in requests] if self._loose else []
        return list(dict.fromkeys([*digests, *filter(None, prompts)]))

    def missing(self, request: RecordedRequest) -> str:
        """The message about a request that wasn't recorded: the nearest that was, and what is different."""
        what = f"{request.method} {request.path} was not recorded"
        found = nearest(request, [(recording.name, recording.request) for recording in self._recordings])
        if found is None:
            return what
        name, differences = found
        return f"{what}. The nearest recording, {name}, differs in {', '.join(differences) or 'nothing'}"


class ReplayingServer(Listening):
    """A server on loopback that answers with recordings. Raises OSError where the port is taken.

    `fast` sends replies at once, not with the pauses that were recorded. `warn` gets a message about each
    unknown request.
    """

    def __init__(self, answers: Answers, warn: Say, *, port: int = 0, fast: bool = False) -> None:
        server = _Server(port, _Handler)
        super().__init__(server)
        server.answers, server.warn, server.fast = answers, warn, fast


class _Server(Server):
    answers: Answers
    warn: Say
    fast: bool

    def __init__(self, port: int, handler: type[Handler]) -> None:
        super().__init__(port, handler)
        self.secrets, self.masking = Secrets(), threading.Lock()


class _Handler(Handler):
    server: _Server

    def answer(self, body: bytes) -> None:
        started = time.monotonic()
        headers = without(self.headers.items(), OF_CONNECTION)
        request = Request(self.command, *path_and_query(self.path), headers, body)
        value = json_of(body)
        # A body may hold a key that was masked, or one of its own that wasn't: all forms are looked for.
        with self.server.masking:
            masks = [
                Masks(headers, value),
                Masks({}, value),
                Masks(headers, value, request.query, known=self.server.secrets),
            ]
            forms = [recorded_request(request, each) for each in masks]
        reply = self.server.answers.reply(forms)
        if reply is None:
            message = self.server.answers.missing(forms[0])
            self.server.warn(message)
            raise ApiError(404, f"{message}.", param="recording", code="not_recorded")
        self._send_reply(reply, started)

    def _send_reply(self, reply: Reply, started: float) -> None:
        if not self._wait(started, reply.seconds):
            self.close_connection = True
            return
        headers = {name: value for name, value in reply.headers.items() if MASK not in value}
        headers = without(headers.items(), OF_CONNECTION)
        if self.command == "HEAD" or reply.status in _NO_BODY:
            self.send_head(reply.status, headers)
        elif reply.ended or len(reply.pieces) > 1:
            self.send_pieces(
                reply.status, headers, self._pieces(reply, started), lambda: bool(reply.ended), reply.length
            )
        else:
            self.send_whole(reply.status, headers, reply.body)

    def _pieces(self, reply: Reply, started: float) -> Iterator[bytes]:
        for piece in reply.pieces:
            if not self._wait(started, piece.at):
                return
            yield piece.data
        if reply.ended == "client":  # what the server would have sent isn't known: this client is waited for, too
            self.connection.recv(1)

    def _wait(self, started: float, at: float) -> bool:
        """Wait until so many seconds after the request; False where the server is stopped in that time."""
        left = 0.0 if self.server.fast else started + at - time.monotonic()
        return left <= 0 or self.server.wait(left)
