"""Requests and their 2xx replies: what is tried again, how long anything may take, foreign exceptions become ours.

Statuses, retries and error shapes are those of API 8 and 12.6 and of the design's exit codes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx

from cometresp.client.connection import Connection, open_pool
from cometresp.client.reading import Opened
from cometresp.errors import CometrespError, RateLimitedError, SilenceError, UnreachableError
from cometresp.wire.payload import Payload
from cometresp.wire.replies import Reply, error_of, is_retried, retry_after

_CONNECT_SECONDS = 15.0

_LONGEST_WAIT = 120.0  # a server that asks for a longer pause is not waited for (design section 4)

_MAX_ERROR_BODY = 1 << 20


class Requests:
    """Makes requests one after the other; each is closed when its block ends.

    `retry_after` is the pause in seconds that the last reply asked for; `lost` says that a try of the last request got
    no reply though it may have arrived.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.retry_after: float | None = None
        self.lost = False
        self._deadline = None if connection.max_time is None else time.monotonic() + connection.max_time
        self._http = open_pool(connection)

    def close(self) -> None:
        self._http.close()

    def left(self) -> float | None:
        """Seconds left of --max-time."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    @contextmanager
    def reply(
        self, method: str, path: str, *, retries: int | None = None, timeout: float | None = None, **parts: Any
    ) -> Iterator[Opened]:
        """A 2xx reply whose body hasn't been read; what can be tried again is (design section 4, "Retried")."""
        silence = timeout if timeout is not None else self.connection.timeout
        retries = retries if retries is not None else self.connection.retries
        self.lost = False
        attempt = 0
        while True:
            try:
                reply = self._send(method, path, silence, parts)
            except httpx.TransportError as error:
                fault: CometrespError = self._unreachable(error, silence)
                self.lost |= not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                wait = None
                again = fault.passing and _before_any_byte(error)
            else:
                if reply.is_success:
                    break
                with closing(reply):
                    seen = Reply(reply.status_code, reply.headers, self._read_error(reply))
                fault, wait, again = error_of(seen), self.retry_after, is_retried(seen)
                fault.passing = again
            if wait is not None and wait > _LONGEST_WAIT and again:
                raise RateLimitedError(
                    f"{fault.message}; the server asks to come back in {wait:.0f} s", hint=fault.hint, said=fault.said
                ) from None
            if not again or attempt >= retries:
                raise fault from None
            self._pause(wait, attempt, fault)
            attempt += 1
        try:
            yield Opened(reply, self.watch, lambda error: self._unreachable(error, silence, during_reply=True))
        finally:
            reply.close()

    def _send(self, method: str, path: str, silence: float, parts: dict[str, Any]) -> httpx.Response:
        content: Payload | None = parts.get("content")
        if content is not None:
            content.check()
        url = self.connection.base_url + path
        request = self._http.build_request(method, url, timeout=self._timeout(silence), **parts)
        self._debug(f"> {method} {request.url}")
        for name, value in request.headers.items():
            self._debug(f"> {name}: {value}")
        self._debug(">" if content is None else f"> {content.length} bytes of body")
        self.retry_after = None
        with self.watch():
            reply = self._http.send(request, stream=True)
        self.retry_after = retry_after(reply.headers, time.time())
        self._debug(f"< {reply.http_version} {reply.status_code}")
        for name, value in reply.headers.items():
            self._debug(f"< {name}: {value}")
        return reply

    def _read_error(self, reply: httpx.Response) -> bytes:
        body = b""
        with suppress(httpx.TransportError, httpx.DecodingError), self.watch():
            for chunk in reply.iter_bytes():
                body += chunk
                if len(body) > _MAX_ERROR_BODY:
                    break
        self._debug(f"< {len(body)} bytes of body")
        return body

    def _pause(self, wait: float | None, attempt: int, fault: CometrespError) -> None:
        """Wait as the server asks, else 0.5 s doubling to 8 s, less up to a quarter (API 8.3)."""
        import random

        seconds = wait if wait is not None else min(0.5 * 2**attempt, 8) * (1 - 0.25 * random.random())  # noqa: S311
        left = self.left()
        if left is not None and seconds >= left:
            raise fault
        self.connection.say(f"{fault.message}; trying again in {seconds:.1f} s")
        time.sleep(seconds)

    # time and faults -----------------------------------------------------------------------------------------------

    def _timeout(self, silence: float) -> httpx.Timeout:
        left = self.left()
        silence = silence if left is None else max(min(silence, left), 0.001)
        return httpx.Timeout(silence, connect=min(_CONNECT_SECONDS, silence))

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Bounds a wait for the network by --max-time, which httpx's timeouts (of silence) can't do."""
        left = self.left()
        if left is None:
            yield
            return
        with _alarm(left, self._too_long):
            yield

    def _too_long(self) -> UnreachableError:
        return UnreachableError(f"not finished within the {self.connection.max_time:g} s of --max-time")

    def _unreachable(
        self, error: httpx.TransportError, silence: float, *, during_reply: bool = False
    ) -> CometrespError:
        left = self.left()
        if left is not None and left <= 0:
            return self._too_long()
        fault = self._explained(error, silence, during_reply=during_reply)
        fault.passing = "CERTIFICATE_VERIFY_FAILED" not in str(error)
        return fault

    def _explained(self, error: httpx.TransportError, silence: float, *, during_reply: bool) -> CometrespError:
        url = self.connection.base_url
        if isinstance(error, httpx.ConnectTimeout):
            return UnreachableError(f"{url}: no connection within {min(_CONNECT_SECONDS, silence):g} s")
        if isinstance(error, httpx.TimeoutException):
            return SilenceError(f"{url}: silence for {silence:g} s", hint="--timeout sets how long")
        if isinstance(error, httpx.ProxyError):
            return UnreachableError(f"the proxy refused: {error}")
        if during_reply:
            return UnreachableError(f"the connection broke before the answer was complete: {_reason(error)}")
        return UnreachableError(f"{url} can't be reached: {_reason(error)}")

    def _debug(self, line: str) -> None:
        if self.connection.debug:
            self.connection.debug(line)


@contextmanager
def _alarm(seconds: float, fault: Callable[[], Exception]) -> Iterator[None]:
    """Raises in the main thread when the time is up; in others, and on Windows, httpx's timeouts have to do."""
    import signal
    import threading

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise fault()

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _before_any_byte(error: httpx.TransportError) -> bool:
    """A connection that failed before any byte of the reply."""
    return isinstance(
        error,
        httpx.ConnectError | httpx.ConnectTimeout | httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError,
    )


def _reason(error: Exception) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    return text.removeprefix("[Errno ").partition("] ")[2] if text.startswith("[Errno ") else text
