"""What the first request takes, loaded by a thread while the input is read: the libraries, and the certificates.

OpenSSL reads the certificates while Python goes on. Behind a slow pipe all of it is done before the input ends.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

_begun: "list[_Loading]" = []  # the one that was begun, if any


class _Loading(threading.Thread):
    def __init__(self, load: Callable[[], object], *, secure: bool) -> None:
        super().__init__(daemon=True)
        self._load, self._secure = load, secure
        self.trust: ssl.SSLContext | None = None

    def run(self) -> None:
        with suppress(Exception):  # whatever it is, the request meets it again, and tells it
            import httpx

            if self._secure:
                self.trust = httpx.create_ssl_context()
            self._load()


def begin(load: Callable[[], object], *, secure: bool) -> None:
    """Load httpx, with `secure` the default certificates too, and what `load` imports."""
    if not _begun:
        _begun.append(_Loading(load, secure=secure))
        _begun[0].start()


def default_trust() -> "ssl.SSLContext":
    """The default certificates."""
    import httpx

    trust = None
    if _begun:
        _begun[0].join()
        trust, _begun[0].trust = _begun[0].trust, None
    return trust or httpx.create_ssl_context()
