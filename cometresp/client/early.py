"""What the first request takes, loaded by a thread while the input is read: the libraries, and the certificates.

OpenSSL reads the certificates while Python goes on. Behind a slow pipe all of it is done before the input ends.
"""

from _thread import allocate_lock, start_new_thread  # threading's `start` can't bear the error of a signal
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

_begun: "list[_Loading]" = []  # the one that was begun, if any


class _Loading:
    def __init__(self, load: Callable[[], object], *, secure: bool) -> None:
        self._load, self._secure = load, secure
        self._trust: ssl.SSLContext | None = None
        self._running = allocate_lock()

    def start(self) -> None:
        self._running.acquire()
        start_new_thread(self._run, ())

    def take_trust(self) -> "ssl.SSLContext | None":
        """The certificates, once; None where they weren't loaded."""
        with self._running:
            trust, self._trust = self._trust, None
        return trust

    def _run(self) -> None:
        try:
            with suppress(Exception):  # whatever it is, the request meets it again, and tells it
                import httpx

                if self._secure:
                    self._trust = httpx.create_ssl_context()
                self._load()
        finally:
            self._running.release()


def begin(load: Callable[[], object], *, secure: bool) -> None:
    """Load httpx, with `secure` the default certificates too, and what `load` imports."""
    if not _begun:
        loading = _Loading(load, secure=secure)
        loading.start()
        _begun.append(loading)


def default_trust() -> "ssl.SSLContext":
    """The default certificates."""
    import httpx

    return (_begun[0].take_trust() if _begun else None) or httpx.create_ssl_context()
