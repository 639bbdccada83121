"""The only module that knows httpx: a body goes out, events come back, foreign exceptions become ours.

Statuses, retries and error shapes are those of API 8 and 12.6 and of the design's exit codes.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple, Self

import httpx
from httpx_sse import EventSource

from cometresp import __version__
from cometresp.content import Payload
from cometresp.errors import CometrespError, ConfigError, ProtocolError, RateLimitedError, UnreachableError
from cometresp.events import Event
from cometresp.replies import Reply, error_of, is_response, is_retried, retry_after

_CONNECT_SECONDS = 15.0
_LONGEST_WAIT = 120.0  # a server that asks for a longer pause is not waited for (design section 4)
_MAX_ERROR_BODY = 1 << 20
_decode = json.JSONDecoder().decode


def _silent(_: str) -> None:
    return


class Connection(NamedTuple):
    """Everything that it takes to reach a server. `say` hears of retries, `debug` of every request and reply."""

    base_url: str
    headers: Mapping[str, str] = {}
    timeout: float = 600.0
    max_time: float | None = None
    retries: int = 2
    ca_file: str | None = None
    loopback: bool = False
    say: Callable[[str], None] = _silent
    debug: Callable[[str], None] | None = None


class Client:
    """One server. Requests are made one after the other; every one is closed when its block ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._deadline = None if connection.max_time is None else time.monotonic() + connection.max_time
        self._http = _open(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @contextmanager
    def create(
        self, body: dict[str, Any], sending: Callable[[int, int], None] | None = None
    ) -> Iterator[Iterator[Event]]:
        """POST /responses: the events of the answer, one for a whole reply. Raises what `errors` has from 65 to 77.

        Files in the body are read while it is sent; `sending(sent, length)` hears how far that is, in bytes.
        """
        content = Payload(body, sending=sending)
        accept = "text/event-stream" if body.get("stream") else "application/json"
        headers = self._defaults({"Accept": accept, "Content-Type": "application/json", "Cache-Control": "no-store"})
        headers["Content-Length"] = str(content.length)
        with self._reply("POST", "/responses", headers=headers, content=content) as reply:
            yield self._events(reply)

    @contextmanager
    def get(self, response_id: str, *, include: tuple[str, ...] = ()) -> Iterator[Iterator[Event]]:
        """GET /responses/{id} (API section 1, #2)."""
        from urllib.parse import quote

        params = [("include[]", name) for name in include]
        path = f"/responses/{quote(response_id, safe='')}"
        with self._reply("GET", path, headers=self._defaults({"Accept": "application/json"}), params=params) as reply:
            yield self._events(reply)

    def _defaults(self, headers: dict[str, str]) -> dict[str, str]:
        """The headers of a request, but for those that the user gives another value."""
        given = {name.lower() for name in self._connection.headers}
        return {name: value for name, value in headers.items() if name.lower() not in given}

    # one reply -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reply(self, method: str, path: str, **parts: Any) -> Iterator[httpx.Response]:
        """A 2xx reply whose body hasn't been read; what can be tried again is (design section 4, "Retried")."""
        attempt = 0
        while True:
            try:
                reply = self._send(method, path, parts)
            except httpx.TransportError as error:
                fault: CometrespError = self._unreachable(error)
                wait = None
                again = _before_any_byte(error)
            else:
                if reply.is_success:
                    break
                with closing(reply):
                    seen = Reply(reply.status_code, reply.headers, self._read_error(reply))
                fault, wait, again = error_of(seen), retry_after(reply.headers, time.time()), is_retried(seen)
            if wait is not None and wait > _LONGEST_WAIT and again:
                raise RateLimitedError(
                    f"{fault.message}; the server asks to come back in {wait:.0f} s", hint=fault.hint, said=fault.said
                ) from None
            if not again or attempt >= self._connection.retries:
                raise fault from None
            self._pause(wait, attempt, fault)
            attempt += 1
        try:
            yield reply
        except httpx.TransportError as error:
            raise self._unreachable(error, during_reply=True) from error
        finally:
            reply.close()

    def _send(self, method: str, path: str, parts: dict[str, Any]) -> httpx.Response:
        content: Payload | None = parts.get("content")
        if content is not None:
            content.check()
        request = self._http.build_request(method, self._connection.base_url + path, timeout=self._timeout(), **parts)
        self._debug(f"> {method} {request.url}")
        for name, value in request.headers.items():
            self._debug(f"> {name}: {value}")
        self._debug(">" if content is None else f"> {content.length} bytes of body")
        with self._watch():
            reply = self._http.send(request, stream=True)
        self._debug(f"< {reply.http_version} {reply.status_code}")
        for name, value in reply.headers.items():
            self._debug(f"< {name}: {value}")
        return reply

    def _read_error(self, reply: httpx.Response) -> bytes:
        body = b""
        with suppress(httpx.TransportError, httpx.DecodingError), self._watch():
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
        left = self._left()
        if left is not None and seconds >= left:
            raise fault
        self._connection.say(f"{fault.message}; trying again in {seconds:.1f} s")
        time.sleep(seconds)

    # the events of a reply -----------------------------------------------------------------------------------------

    def _events(self, reply: httpx.Response) -> Iterator[Event]:
        """A reply is read by its content type, whichever was asked for (design section 3; API 7.1)."""
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            return self._stream(reply)
        return iter([self._whole(reply, kind)])

    def _whole(self, reply: httpx.Response, kind: str) -> Event:
        try:
            with self._watch():
                body = reply.read()
        except httpx.DecodingError as error:
            raise ProtocolError(f"the reply's compression is broken: {error}") from error
        seen = Reply(reply.status_code, reply.headers, body)
        data = seen.json()
        if is_response(data):
            kind = f"response.{data.get('status') or 'completed'}"
            whole = {"type": kind, "response": data}
            return Event(kind, whole, json.dumps(whole, ensure_ascii=False), whole=True)
        if isinstance(data, dict) and (data.get("error") or data.get("success") is False):
            return Event("error", data, seen.text(), whole=True)
        what = "an empty body" if not body else f"{kind or 'a body of no type'}"
        raise ProtocolError(
            f"not the Responses API: the reply to {reply.request.method} {reply.request.url.path} is {what}",
            hint="is the base URL right? it usually ends in /v1",
            said=seen.said(),
        )

    def _stream(self, reply: httpx.Response) -> Iterator[Event]:
        source = EventSource(_Text(reply, self._watch))  # type: ignore[arg-type]
        for frame in source.iter_sse():
            text = frame.data
            if not text or text == "[DONE]":  # an `id:` or `event:` line alone; API 7.1
                continue
            try:
                data = _decode(text)
            except (ValueError, RecursionError) as error:
                if source.response.cut:  # type: ignore[attr-defined]
                    return  # the end of the bytes fell into this frame
                raise ProtocolError(f"an event of the stream is not JSON: {text[:100]!r}") from error
            if isinstance(data, dict):
                yield Event(str(data.get("type") or frame.event), data, text)
            else:
                yield Event(frame.event, {}, text)

    # time and faults -----------------------------------------------------------------------------------------------

    def _left(self) -> float | None:
        return None if self._deadline is None else self._deadline - time.monotonic()

    def _timeout(self) -> httpx.Timeout:
        left = self._left()
        silence = self._connection.timeout if left is None else max(min(self._connection.timeout, left), 0.001)
        return httpx.Timeout(silence, connect=min(_CONNECT_SECONDS, silence))

    @contextmanager
    def _watch(self) -> Iterator[None]:
        """Bounds a wait for the network by --max-time, which httpx's timeouts (of silence) can't do."""
        left = self._left()
        if left is None:
            yield
            return
        with _alarm(left, self._too_long):
            yield

    def _too_long(self) -> UnreachableError:
        return UnreachableError(f"not finished within the {self._connection.max_time:g} s of --max-time")

    def _unreachable(self, error: httpx.TransportError, *, during_reply: bool = False) -> CometrespError:
        url = self._connection.base_url
        left = self._left()
        if left is not None and left <= 0:
            return self._too_long()
        if isinstance(error, httpx.TimeoutException):
            if isinstance(error, httpx.ConnectTimeout):
                limit = min(_CONNECT_SECONDS, self._connection.timeout)
                return UnreachableError(f"{url}: no connection within {limit:g} s")
            return UnreachableError(
                f"{url}: silence for {self._connection.timeout:g} s", hint="--timeout sets how long"
            )
        if isinstance(error, httpx.ProxyError):
            return UnreachableError(f"the proxy refused: {error}")
        if during_reply:
            return UnreachableError(f"the connection broke before the answer was complete: {_reason(error)}")
        return UnreachableError(f"{url} can't be reached: {_reason(error)}")

    def _debug(self, line: str) -> None:
        if self._connection.debug:
            self._connection.debug(line)


class _Text:
    """Stands in for the reply in httpx-sse, mending what that leaves out (API 7.1).

    UTF-8 whatever the content type says, no BOM, and a blank line at the end, so that a last event without one is not
    dropped. `cut` says that the bytes have ended.
    """

    def __init__(self, reply: httpx.Response, watch: Callable[[], Any]) -> None:
        self._reply = reply
        self._watch = watch
        self.headers = {"content-type": "text/event-stream"}
        self.cut = False

    def iter_text(self) -> Iterator[str]:
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder("utf-8")("replace")
        chunks = self._reply.iter_bytes()
        broken: httpx.TransportError | None = None
        first = True
        while True:
            try:
                with self._watch():
                    chunk = next(chunks, None)
            except httpx.TransportError as error:
                broken, chunk = error, None
            except httpx.DecodingError as error:
                raise ProtocolError(f"the stream's compression is broken: {error}") from error
            if chunk is None:
                break
            text = decoder.decode(chunk)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            if text:
                yield text
        self.cut = True
        yield decoder.decode(b"", final=True) + "\n\n"
        if broken:
            raise broken


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


def _open(connection: Connection) -> httpx.Client:
    """The pool. Loopback never goes through a proxy and needs no certificates (design section 3)."""
    import os

    verify: Any = True
    if connection.base_url.startswith("http:") and connection.loopback:
        verify = False
    elif connection.ca_file:
        verify = _trust(connection.ca_file, "--ca-file")
    elif path := os.environ.get("SSL_CERT_FILE"):
        verify = _trust(path, "SSL_CERT_FILE")
    headers = {"User-Agent": f"cometresp/{__version__}", **connection.headers}
    try:
        return httpx.Client(
            headers=headers,
            verify=verify,
            trust_env=not connection.loopback,
            follow_redirects=False,
            timeout=connection.timeout,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        names = [name for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY") if _proxy(name)]
        settings = ", ".join(f"{name}={_proxy(name)}" for name in names) or "the proxy variables"
        raise ConfigError(f"{settings}: a proxy setting can't be used: {error}") from error


def _proxy(name: str) -> str:
    """A proxy variable, in either case, without the password that it may hold."""
    import os
    import re

    value = os.environ.get(name) or os.environ.get(name.lower()) or ""
    return re.sub(r"//[^/@]*@", "//***@", value)


def _trust(path: str, setting: str) -> Any:
    import ssl

    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{setting}: the certificate file {path} can't be used: {error}") from error


def _before_any_byte(error: httpx.TransportError) -> bool:
    """A connection that failed before any byte of the reply; a bad certificate stays bad."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return False
    return isinstance(
        error,
        httpx.ConnectError | httpx.ConnectTimeout | httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError,
    )


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.removeprefix("[Errno ").partition("] ")[2] if text.startswith("[Errno ") else text
