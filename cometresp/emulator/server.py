"""The emulator's HTTP server: the replies of the API (api.py), changed by faults, as bytes on a connection."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cometresp.emulator.api import Api
from cometresp.emulator.batches import ENDED
from cometresp.emulator.faults import Faults, RequestFaults
from cometresp.emulator.lifecycle import Stream
from cometresp.emulator.listening import Handler, Listening, Server
from cometresp.emulator.replacements import EVENT_STREAM
from cometresp.emulator.rules import Json
from cometresp.emulator.store import Store

_PAUSE, _SLOW_PAUSE = 250, 1000  # milliseconds


class Emulator(Listening):
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
        server = _Server(port, _Handler)
        super().__init__(server)
        try:
            self._store = Store(memory)
        except BaseException:
            server.server_close()
            raise
        server.api = Api(self._store, delay=delay, wait=server.wait)
        server.faults = parsed

    def _close(self) -> None:
        super()._close()
        self._store.close()


class _Server(Server):
    api: Api
    faults: Faults


class _Handler(Handler):
    server: _Server

    def answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        faults = self.server.faults.next_request(self.command, unquote(url.path))
        if self._replaced(faults, body):
            return
        kind = self.headers.get("Content-Type", "")
        made = self.server.api.handle(self.command, unquote(url.path), query, body, faults.words, content_type=kind)
        reply = faults.gathered(made)
        if isinstance(reply, dict | bytes):
            self._whole(reply, faults)
        else:
            self._stream(reply, faults)

    def _replaced(self, faults: RequestFaults, body: bytes) -> bool:
        """Whether a fault replaced the API's reply."""
        reply = faults.replacement(body, self.request_id)
        if reply and not reply.status:
            self.close_connection = True
        elif reply:
            self.send_whole(reply.status, self.own_headers(reply.content_type, **reply.headers), reply.body)
        return reply is not None

    def _whole(self, reply: Json | bytes, faults: RequestFaults) -> None:
        data = faults.body(reply, self.server.api.wait)
        kind = faults.content_type("application/json" if isinstance(reply, dict) else "application/octet-stream")
        self.send_head(200, self.own_headers(kind, Content_Length=str(len(data)), **_asked_pause(reply)))
        self.close_connection |= faults.cuts  # after the head, which would send it as `Connection: close`
        self.wfile.write(faults.cut(data))

    def _stream(self, events: Stream, faults: RequestFaults) -> None:
        """Server-sent events (API 7.1), each in a chunk of its own that is sent at once."""
        headers = self.own_headers(faults.content_type(EVENT_STREAM), Cache_Control="no-store")
        frames = faults.frames(events, self.server.api.wait)
        self.send_pieces(200, headers, frames, is_cut=lambda: faults.cuts)


def _asked_pause(reply: Json | bytes) -> dict[str, str]:
    """The header that says when to ask again for a batch that hasn't ended (API 8.3)."""
    if isinstance(reply, bytes) or reply.get("object") != "batch" or reply["status"] in ENDED:
        return {}
    is_slow = (reply.get("metadata") or {}).get("emulate") == "slow"
    return {"retry_after_ms": str(_SLOW_PAUSE if is_slow else _PAUSE)}
