"""Requests of others passed on to a server as they are, each on a connection of its own that can be closed at any time.

Nothing is tried again, no status is an error, and the body of a reply is handed on as it comes.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from cometresp.client.connection import ServerConfig, open_pool, reason_of
from cometresp.client.encoding import BrokenError, decoded, unreadable
from cometresp.client.route import local_name, proxy_for
from cometresp.errors import UnreachableError
from cometresp.wire.urls import joined, query_of

_CONNECT_SECONDS = 15.0
_NOT_REUSED = httpx.Limits(max_connections=None, max_keepalive_connections=0)


class CutError(Exception):
    """The body of a reply ended before it was complete; the message says why."""


class Passage:
    """The way of one request, which another thread may end. `ended` is whether it did."""

    def __init__(self) -> None:
        self.ended = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def end(self) -> None:
        """Close the connection: whoever waits for it gets an error."""
        with self._lock:
            self.ended = True
            self._shut()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Notes the connection; called by httpx. That of TLS takes the place of the one below it."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self.ended:
                    self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # that of TLS isn't safe beside a read


class Passed:
    """A reply whose head has come. `length` is that of its body where it is known and won't change.

    `says_its_end`: a body that is cut, on this side too, raises CutError; any other just ends with the connection.
    """

    def __init__(self, reply: httpx.Response) -> None:
        self._reply = reply
        self.status = reply.status_code
        self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers.raw]
        encoded = "content-encoding" in reply.headers
        if encoded and not unreadable(reply, b"\0"):
            self.headers = [(name, value) for name, value in self.headers if name.lower() != "content-encoding"]
        length = reply.headers.get("content-length", "")
        self.says_its_end = bool(length or "transfer-encoding" in reply.headers)
        self.length = int(length) if length.isdecimal() and not encoded else None

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes, without its compression. Raises CutError."""
        try:
            yield from decoded(self._reply)
        except BrokenError as error:
            raise CutError(f"its compression is broken: {error}") from error
        except httpx.TransportError as fault:
            raise CutError(reason_of(fault)) from fault


class Upstream:
    """The server that requests are passed on to. Safe for many threads. Raises errors as `open_pool` does."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._base_url, self._host = local_name(config.base_url)
        address, mark, query = self._base_url.partition("?")
        self._beside = f"{address.removesuffix('/v1')}{mark}{query}"
        self._proxy = None if config.loopback else proxy_for(config.base_url)
        self._http = open_pool(config, self._proxy, _NOT_REUSED)

    @property
    def shown_url(self) -> str:
        return self._config.shown_url

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of the base URL's query, which may be keys."""
        return tuple(value for _, value in query_of(self._config.base_url))

    def is_at(self, port: int) -> bool:
        """Whether it is the server on this port of this machine."""
        return self._config.loopback and httpx.URL(self._base_url).port == port

    def close(self) -> None:
        self._http.close()

    @contextmanager
    def reply(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, passage: Passage
    ) -> Iterator[Passed]:
        """The reply to a request whose `target` is a path below `/v1` or beside it. Raises UnreachableError."""
        host = {"Host": self._host} if self._host else {}
        length = {"Content-Length": str(len(body))} if body or method in ("POST", "PUT", "PATCH") else {}
        extensions: dict[str, Any] = {"trace": passage.trace}
        if self._host:
            extensions["sni_hostname"] = urlsplit(self._config.base_url).hostname
        given = {**headers, "Accept-Encoding": "identity", **length, **host}
        try:
            request = self._http.build_request(
                method,
                self._url(target),
                headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items()],
                content=body or None,
                timeout=httpx.Timeout(self._config.timeout, connect=min(_CONNECT_SECONDS, self._config.timeout)),
                extensions=extensions,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise UnreachableError(f"{self.shown_url}: the request can't be passed on: {error}") from error
        try:
            reply = self._http.send(request, stream=True)
        except httpx.TransportError as fault:
            raise UnreachableError(self._why(fault)) from fault
        with closing(reply):
            yield Passed(reply)

    def _url(self, target: str) -> str:
        """The URL for a target of ours: `/v1` stands for the base URL, other paths are beside the /v1 of that."""
        if target == "/v1" or target.startswith(("/v1/", "/v1?")):
            return joined(self._base_url, target.removeprefix("/v1"))
        return joined(self._beside, target)

    def _why(self, fault: httpx.TransportError) -> str:
        peer = self._config.shown_url
        if isinstance(fault, httpx.ConnectTimeout):
            return f"{peer}: no connection within {min(_CONNECT_SECONDS, self._config.timeout):g} s"
        if isinstance(fault, httpx.TimeoutException):
            return f"{peer}: no data for {self._config.timeout:g} s"
        if isinstance(fault, httpx.ProxyError) and self._proxy:
            return f"the proxy {self._proxy.shown} refused: {fault}"
        return f"{peer} can't be reached: {reason_of(fault)}"
