"""What it takes to reach a server, and the pool of connections made of it."""

import errno
import os
import re
import ssl
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar
from urllib.parse import urlsplit

import httpx

from cometresp import __version__
from cometresp.client.early import default_trust
from cometresp.client.encoding import ACCEPTED
from cometresp.client.route import Proxy, without_user
from cometresp.deadline import DEFAULT_RETRIES, DEFAULT_TIMEOUT
from cometresp.errors import ConfigError, UsageError
from cometresp.paths import is_device
from cometresp.tuples import NamedTuple
from cometresp.wire.masking import Secrets
from cometresp.wire.replies import DEFAULT_LIMIT
from cometresp.wire.urls import shown_url

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)  # those of httpx


def _silent(_: str) -> None:
    return


class ServerConfig(NamedTuple):
    """Everything that it takes to reach a server.

    `base_url` may have a query, which is sent with every request. A header that is None isn't sent, even if the client
    would add it. `timeout` is in seconds without data, `max_time` in seconds for everything, `max_reply_size` in bytes.
    `say` gets a sentence for each retry, `debug` a line for each line of a request or reply. `secrets` are masked in
    every reply. `source` is the flag or setting that the base URL came from.
    `spent` are the seconds of `max_time` that have passed already. `is_shared`: several
    threads make requests, each with a client of its own.
    """

    base_url: str
    headers: Mapping[str, str | None] = {}
    timeout: float = DEFAULT_TIMEOUT
    max_time: float | None = None
    max_reply_size: int = DEFAULT_LIMIT
    retries: int = DEFAULT_RETRIES
    ca_file: str | None = None
    loopback: bool = False
    say: Callable[[str], None] = _silent
    debug: Callable[[str], None] | None = None
    secrets: Secrets = Secrets()
    source: str = "--base-url"
    spent: float = 0.0
    is_shared: bool = False

    @property
    def shown_url(self) -> str:
        return shown_url(self.base_url)


class _NoCookies(CookieJar):
    """None is kept, so none is sent back; replies aren't even searched for them."""

    def extract_cookies(self, response: object, request: object) -> None:  # noqa: ARG002 - the library's signature
        return


Trust = bool | ssl.SSLContext


def open_pool(config: ServerConfig, proxy: Proxy | None, limits: httpx.Limits = _LIMITS) -> httpx.Client:
    """A client of httpx with a pool of its own. Raises the errors of `open_transport`."""
    pool = httpx.Client(
        transport=open_transport(config, proxy, limits),
        trust_env=False,
        follow_redirects=False,
        timeout=config.timeout,
        cookies=_NoCookies(),
    )
    pool.headers = headers = sent_headers(config)
    for name in [name for name in pool.headers if name not in headers]:
        del pool.headers[name]  # what httpx itself adds
    return pool


def sent_headers(config: ServerConfig) -> httpx.Headers:
    """The headers of every request: those of httpx, and of the configuration."""
    own = {"Accept": "*/*", "Accept-Encoding": ACCEPTED, "Connection": "keep-alive"}
    headers = httpx.Headers({**own, "User-Agent": f"cometresp/{__version__}"})
    headers.update({name: value for name, value in config.headers.items() if value is not None})
    for name in (name for name, value in config.headers.items() if value is None):
        headers.pop(name, None)
    return headers


def open_transport(
    config: ServerConfig, proxy: Proxy | None, limits: httpx.Limits = _LIMITS, trust: Trust | None = None
) -> httpx.HTTPTransport:
    """A new pool of connections; to a loopback address they need no certificates.

    Raises ConfigError, and UsageError for a bad address. `trust` is what `trust_of` returns, if it is known already.
    """
    _check_address(config)
    verify = trust_of(config) if trust is None else trust
    try:
        _check_proxy(proxy)
        return httpx.HTTPTransport(
            verify=verify, proxy=httpx.Proxy(proxy.url) if proxy else None, trust_env=False, limits=limits
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        assert proxy is not None
        setting = f"{proxy.setting}={without_user(proxy.url)}"
        quotes = isinstance(error, httpx.InvalidURL) or "cast" in str(error)  # perhaps part of a password
        reason = "" if quotes and "@" in setting else f": {error}"
        raise ConfigError(f"{setting}: the proxy can't be used{reason}") from error


def _check_address(config: ServerConfig) -> None:
    """Raises an error for a base URL that httpx doesn't take."""
    try:
        _ = httpx.URL(config.base_url).host  # which is decoded here
    except (httpx.InvalidURL, UnicodeError) as error:
        kind = UsageError if config.source.startswith("--") else ConfigError
        raise kind(f"{config.source}: {config.shown_url!r} is not an address: {error}") from error


def _check_proxy(proxy: Proxy | None) -> None:
    """Raises ValueError for a proxy without a host, or with a port that would be taken for another one."""
    if proxy is not None:
        parts = urlsplit(proxy.url)
        if not parts.hostname or parts.port == 0:
            raise ValueError("it has no host, or no port that can be used")


def trust_of(config: ServerConfig) -> Trust:
    """The certificates that are trusted; loading them takes as long as many requests."""
    if config.base_url.startswith("http:") and config.loopback:
        return False
    if config.ca_file:
        return _trust(config.ca_file, "--ca-file")
    if path := os.environ.get("SSL_CERT_FILE"):
        return _trust(path, "SSL_CERT_FILE")
    return default_trust()


def _trust(path: str, setting: str) -> ssl.SSLContext:
    try:
        if is_device(os.stat(path)):  # noqa: PTH116 - OpenSSL would read it without end
            raise OSError(errno.EINVAL, "it is a device")  # noqa: TRY301
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{setting}: the certificate file {path} can't be used: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """The words of an exception, without numbers and places in the source of a library."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    words = re.sub(r" \(_ssl\.c:\d+\)$", "", str(error)).rstrip(".") or type(error).__name__
    return re.sub(r"^\[(Errno|SSL|X509)[^\]]*\] ", "", words)
