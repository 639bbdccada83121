"""The end of a reply whose answer has come: read, so that its connection can be used again, but not waited for long.

A server may leave a stream open after its last event. httpx can't be told to wait less once it reads, and only the main
thread has alarms: so another thread shuts the connections on which nothing ends in time.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

import httpx

from cometresp.wire.events import Event

_SECONDS = 1.0
_LOOK = 0.25


class Endings:
    """Those of one pool of connections."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[float, socket.socket]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._work = threading.Event()

    def read(self, events: Iterator[Event], reply: httpx.Response) -> None:
        """Read what is left of a reply; where that fails, its connection isn't used again."""
        stream = reply.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is None:
            return
        key = id(connection)
        with self._lock:
            self._open[key] = (monotonic() + _SECONDS, connection)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
        self._work.set()
        with suppress(Exception):
            for _ in events:
                pass
        with self._lock:
            self._open.pop(key, None)

    def _watch(self) -> None:
        while self._work.wait():
            threading.Event().wait(_LOOK)
            now = monotonic()
            with self._lock:
                if not self._open:
                    self._work.clear()
                for end, connection in self._open.values():
                    if now > end:
                        with suppress(OSError):
                            connection.shutdown(socket.SHUT_RDWR)
