"""Requests and their 2xx replies: retries, time limits, and httpx's exceptions mapped to those of `errors`.

Statuses, retries and error shapes are those of API 8 and 12.6.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from cometresp.client.body import Opened
from cometresp.client.connection import ServerConfig, Trust, open_transport, reason_of, sent_headers, trust_of
from cometresp.client.encoding import BrokenError, compression, decoded, unreadable
from cometresp.client.route import local_name, proxy_for
from cometresp.deadline import Deadline, alarm, backoff, has_alarm
from cometresp.errors import CometrespError, RateLimitedError, SilenceError, UnreachableError
from cometresp.wire.endpoints import Request
from cometresp.wire.headers import names_key
from cometresp.wire.payload import Payload
from cometresp.wire.replies import Reply, error_of, request_id, retry_after

if TYPE_CHECKING:
    from cometresp.wire.form import FormPayload

_CONNECT_SECONDS = 15.0
_LONGEST_WAIT = 120.0  # a server that asks for a longer pause is not waited for
_MAX_ERROR_BODY = 1 << 20
_GRACE = 0.5  # seconds after which a head is too late, so that plain silence is told as such
_ERROR_SECONDS = 5.0  # for the body of an error: its status says what is most needed
_LONGEST_DEBUG = 20_000  # characters of a body that --debug prints
_UNWATCHED = nullcontext()
_NOT_THERE = r"(?i)refused|unreachable|\[Errno -\d+\]|No route"  # -N: the name isn't known


class Requests:
    """Makes requests one after the other; each is closed when its block ends.

    `request_ids` are those of all replies so far, `retried` is how often a request was sent again. `retry_after` is the
    pause in seconds that the last reply asked for, `request_id` its request id. `lost` is set where a try of the last
    request got no whole reply though it may have arrived.
    """

    def __init__(self, config: ServerConfig, beside: "Requests | None" = None) -> None:
        """`beside`: another thread's requests to the same server, whose certificates and time limit it shares.

        Each thread has a pool of its own: a pool looks at all of its connections for every request.
        """
        self.config = config
        self.deadline = Deadline(None if config.max_time is None else config.max_time - config.spent)
        self.retry_after: float | None = None
        self.request_id: str | None = None
        self.request_ids: list[str] = []
        self.retried = 0
        self.lost = False
        self._last_url = "", httpx.URL()
        self._base_url, self._host = local_name(config.base_url)
        self._proxy = None if config.loopback else proxy_for(config.base_url)
        self._extensions: dict[str, Any] = {"sni_hostname": urlsplit(config.base_url).hostname} if self._host else {}
        self._trust: Trust = trust_of(config) if beside is None else beside._trust  # noqa: SLF001
        self._transport = open_transport(config, self._proxy, trust=self._trust)
        self._headers: dict[tuple[object, ...], httpx.Headers] = {}
        if beside is not None:
            self.deadline = beside.deadline

    def close(self) -> None:
        self._transport.close()

    @contextmanager
    def reply(
        self,
        request: Request,
        *,
        retries: int | None = None,
        timeout: float | None = None,
        on_upload: Callable[[int, int], None] | None = None,
    ) -> Iterator[Opened]:
        """A 2xx reply whose body hasn't been read. What can be tried again is tried again, before the first byte."""
        silence = timeout if timeout is not None else self.config.timeout
        retries = retries if retries is not None else self.config.retries
        payload = _payload_of(request, on_upload)
        self.lost = False
        tries = 0
        while True:
            reply = self._try(request, payload, silence)
            if isinstance(reply, httpx.Response):
                break
            error, wait = reply, self.retry_after
            if wait is not None and wait > _LONGEST_WAIT and error.passing:
                raise RateLimitedError(
                    f"{error.message}; the server asks to come back in {wait:.0f} s",
                    details=error.details,
                )
            if not error.passing or tries >= retries:
                raise error
            self._pause(wait, tries, error)
            tries += 1
            self.retried += 1
        try:
            broken = partial(self._broken, silence=silence)
            limit = self.config.max_reply_size
            yield Opened(reply, self.watch, broken, self.config.secrets, limit, self._debug_body)
        finally:
            reply.close()

    def _try(
        self, request: Request, payload: "Payload | FormPayload | None", silence: float
    ) -> httpx.Response | CometrespError:
        """One attempt: a 2xx reply, or the error. Raises errors that no other attempt can help."""
        progress = _Progress(through_tunnel=self.config.base_url.startswith("https:"))
        progress.head = partial(alarm, silence + _GRACE, partial(self._without_head, progress, silence))
        try:
            reply = self._send(request, payload, silence, progress)
        except httpx.TransportError as fault:
            error = self._unreachable(fault, silence, at_proxy=not progress.passed_proxy)
            self.lost |= not isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout)
            if not _came_before_any_byte(fault):
                raise error from fault
            return error
        if reply.is_success:
            return reply
        creates = (request.method, request.path) == ("POST", "/responses")
        with closing(reply):
            return error_of(self._read_error(reply), creates=creates)

    def _send(
        self, request: Request, payload: "Payload | FormPayload | None", silence: float, progress: "_Progress"
    ) -> httpx.Response:
        if payload is not None:
            payload.check()
        sent = self._built(request, payload, silence, progress)
        if self.config.debug:  # what is printed is made only then: it is a fifth of the cost of a request
            self._debug(f"> {request.method} {request.url(self.config.shown_url)}")
            for name, value in sent.headers.items():
                self._debug(f"> {name}: {value}")
            self._debug(">" if payload is None else f"> {payload.length} bytes of body")
        self.retry_after = None
        with self.watch(), progress:
            reply = self._transport.handle_request(sent)
        reply.request = sent
        self.retry_after = retry_after(reply.headers, time.time())
        self.request_id = request_id(reply.headers)
        self.request_ids += [self.request_id] if self.request_id else []
        if self.config.debug:
            self._debug(f"< {reply.http_version} {reply.status_code}")
            for name, value in reply.headers.items():
                self._debug(f"< {name}: {value}")
        return reply

    def _url(self, url: str) -> httpx.URL:
        """The URL, which is parsed once where many requests go to the same one."""
        if self._last_url[0] != url:
            self._last_url = url, httpx.URL(url)
        return self._last_url[1]

    def _built(
        self, request: Request, payload: "Payload | FormPayload | None", silence: float, progress: "_Progress"
    ) -> httpx.Request:
        """The request as httpx sends it: a client of httpx would make its headers and URL again each time."""
        url = self._url(request.url(self._base_url))
        headers = httpx.Headers(self._headers_of(request, url))
        if payload is not None:
            headers["Content-Length"] = str(payload.length)
        elif request.method == "POST":
            headers["Content-Length"] = "0"
        extensions = self._extensions | {"timeout": self._timeout(silence)}
        if self._proxy or has_alarm():
            extensions["trace"] = progress
        return httpx.Request(request.method, url, headers=headers, stream=_Sent(payload or ()), extensions=extensions)

    def _headers_of(self, request: Request, url: httpx.URL) -> httpx.Headers:
        """All headers but the length, made once for each kind of request; those that the user gives take precedence."""
        key = (request.public, *request.headers.items())
        if key not in self._headers:
            given = {name.lower() for name in self.config.headers}
            own = {name: value for name, value in request.headers.items() if name.lower() not in given}
            headers = httpx.Headers({"Host": self._host or url.netloc.decode("ascii")})
            headers.update(sent_headers(self.config))
            headers.update(own)
            if request.public:
                for name in [name for name in headers if names_key(name)]:
                    del headers[name]
            self._headers[key] = headers
        return self._headers[key]

    def _read_error(self, reply: httpx.Response) -> Reply:
        """The reply, with at most a MiB of its body, and as much of it as came within a few seconds."""
        body, why = bytearray(), ""
        end = Deadline(_ERROR_SECONDS if self.deadline.left is None else min(_ERROR_SECONDS, self.deadline.left))
        with suppress(httpx.TransportError, _EnoughError), alarm(end.left or 0, _EnoughError):
            try:
                for chunk in decoded(reply):
                    body += chunk
                    if len(body) > _MAX_ERROR_BODY or end.passed:
                        break
            except BrokenError:
                why = "" if body else f"whose compression ({compression(reply)}) is broken"
        why = why or unreadable(reply, body)
        read = Reply(reply.status_code, reply.headers, b"" if why else self.config.secrets.body(bytes(body)), why)
        self._debug(f"< {len(body)} bytes of body")
        self._debug_body(read.text())
        return read

    def _pause(self, wait: float | None, tries: int, error: CometrespError) -> None:
        """Wait as the server asks, else longer each time (API 8.3). Raises the error where --max-time is too short."""
        seconds = wait if wait is not None else backoff(tries)
        left = self.deadline.left
        if left is not None and seconds >= left:
            raise error
        self.config.say(f"{error.message}; trying again in {seconds:.1f} s")
        time.sleep(seconds)

    # time and errors ------------------------------------------------------------------------------------------------

    def _timeout(self, silence: float) -> dict[str, float]:
        left = self.deadline.left
        silence = silence if left is None else max(min(silence, left), 0.001)
        return {"connect": min(_CONNECT_SECONDS, silence), "read": silence, "write": silence, "pool": silence}

    def watch(self) -> AbstractContextManager[None]:
        """Limit a wait for the network to --max-time; httpx's timeouts limit only the time without data."""
        left = self.deadline.left
        return _UNWATCHED if left is None else alarm(left, self._too_long)

    def _too_long(self) -> UnreachableError:
        return UnreachableError(f"not finished within the {self.config.max_time:g} s of --max-time")

    def _without_head(self, progress: "_Progress", silence: float) -> SilenceError:
        """The error where the head of a reply doesn't end, whatever comes before it or of it."""
        peer = self._peer(at_proxy=not progress.passed_proxy)
        return SilenceError(f"{peer}: no reply within {silence:g} s (--timeout)", passing=True)

    def _peer(self, *, at_proxy: bool) -> str:
        return f"the proxy {self._proxy.shown}" if self._proxy and at_proxy else self.config.shown_url

    def _unreachable(
        self, fault: httpx.TransportError, silence: float, *, at_proxy: bool = False, during_reply: bool = False
    ) -> UnreachableError:
        """The error for an exception of httpx; `passing` where another try may succeed."""
        if self.deadline.passed:
            return self._too_long()
        peer, hint = self._peer(at_proxy=at_proxy), ""
        without_tls = "WRONG_VERSION_NUMBER" in str(fault)
        passing = not without_tls and "CERTIFICATE_VERIFY_FAILED" not in str(fault)
        if isinstance(fault, httpx.ConnectTimeout):
            message = f"{peer}: no connection within {min(_CONNECT_SECONDS, silence):g} s"
        elif isinstance(fault, httpx.TimeoutException):
            return SilenceError(f"{peer}: no data for {silence:g} s (--timeout)", passing=passing)
        elif isinstance(fault, httpx.ProxyError):
            message = f"{peer} refused: {fault}"
        elif without_tls:
            message = f"{peer} doesn't speak TLS: is it an http: address?"
        elif during_reply:
            message = f"the connection broke before the answer was complete: {reason_of(fault)}"
        else:
            message = f"{peer} can't be reached: {reason_of(fault)}"
            hint = self._where_from(fault, at_proxy=at_proxy)
        return UnreachableError(message, hint=hint, passing=passing)

    def _broken(self, fault: httpx.TransportError, silence: float) -> UnreachableError:
        """The error for a reply that breaks before its end: what it says is lost."""
        self.lost = True
        return self._unreachable(fault, silence, during_reply=True)

    def _where_from(self, fault: httpx.TransportError, *, at_proxy: bool) -> str:
        """What to check where there is no connection: the setting that the address or the trust comes from."""
        if "CERTIFICATE_VERIFY_FAILED" in str(fault):
            unknown = "issuer" in str(fault) or "self-signed" in str(fault) or "self signed" in str(fault)
            return "--ca-file FILE trusts the certificates in a file, such as your own authority's" if unknown else ""
        told = self._proxy is not None and at_proxy  # the message names the proxy's setting
        if told or not isinstance(fault, httpx.ConnectError) or not re.search(_NOT_THERE, str(fault)):
            return ""
        source = self.config.source
        return (
            "is the network up? HTTPS_PROXY names a proxy" if source == "default" else f"the address is from {source}"
        )

    def _debug(self, line: str) -> None:
        if self.config.debug:
            self.config.debug(line)

    def _debug_body(self, body: str) -> None:
        for line in body[:_LONGEST_DEBUG].splitlines():
            self._debug(f"< {line}")
        if len(body) > _LONGEST_DEBUG:
            self._debug(f"< … and {len(body) - _LONGEST_DEBUG} characters more")


def _payload_of(request: Request, on_upload: Callable[[int, int], None] | None) -> "Payload | FormPayload | None":
    if request.form is not None:
        from cometresp.wire.form import FormPayload

        return FormPayload(request.form, on_upload)
    return None if request.body is None else Payload(request.body, on_upload=on_upload)


class _Sent(httpx.SyncByteStream):
    """The body of a request."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


class _EnoughError(Exception):
    """The time for the body of an error is up."""


class _Progress(ExitStack):
    """How far a request has come, as httpcore traces it. `head` limits the wait for the head of each reply.

    `passed_proxy` is set once the proxy, if there is one, has been reached and leads to the server.
    """

    def __init__(self, *, through_tunnel: bool) -> None:
        super().__init__()
        self.head: Callable[[], AbstractContextManager[None]] = nullcontext
        self._passed = "proxy.start_tls.started" if through_tunnel else "http11.send_request_headers.complete"
        self.passed_proxy = False

    def __call__(self, event: str, _: object) -> None:
        if event == "http11.receive_response_headers.started":
            self.enter_context(self.head())
        elif event.startswith("http11.receive_response_headers."):
            self.close()
        elif event in (self._passed, "socks.setup_socks5_connection.complete"):
            self.passed_proxy = True


def _came_before_any_byte(fault: httpx.TransportError) -> bool:
    """Whether the connection failed before any byte of the reply, so that the request can be repeated."""
    return isinstance(
        fault,
        httpx.ConnectError | httpx.ConnectTimeout | httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError,
    )
