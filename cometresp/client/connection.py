"""What it takes to reach a server, and the pool of connections made of it."""

import errno
import os
import re
import ssl
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx

from cometresp import __version__
from cometresp.deadline import DEFAULT_RETRIES, DEFAULT_TIMEOUT
from cometresp.errors import ConfigError
from cometresp.paths import is_device
from cometresp.wire.masking import Secrets
from cometresp.wire.urls import shown_url


def _silent(_: str) -> None:
    return


class ServerConfig(NamedTuple):
    """Everything that it takes to reach a server.

    `base_url` may have a query, which is sent with every request. A header that is None isn't sent, even if the client
    would add it. `timeout` is in seconds without data, `max_time` in seconds for everything. `say` gets a sentence for
    each retry, `debug` a line for each line of a request or reply. `secrets` are masked in every reply.
    `spent` are the seconds of `max_time` that have passed already.
    """

    base_url: str
    headers: Mapping[str, str | None] = {}
    timeout: float = DEFAULT_TIMEOUT
    max_time: float | None = None
    retries: int = DEFAULT_RETRIES
    ca_file: str | None = None
    loopback: bool = False
    say: Callable[[str], None] = _silent
    debug: Callable[[str], None] | None = None
    secrets: Secrets = Secrets()
    spent: float = 0.0

    @property
    def shown_url(self) -> str:
        return shown_url(self.base_url)


def open_pool(config: ServerConfig) -> httpx.Client:
    """The pool. Loopback addresses never go through a proxy and need no certificates. Raises ConfigError."""
    verify: bool | ssl.SSLContext = True
    if config.base_url.startswith("http:") and config.loopback:
        verify = False
    elif config.ca_file:
        verify = _trust(config.ca_file, "--ca-file")
    elif path := os.environ.get("SSL_CERT_FILE"):
        verify = _trust(path, "SSL_CERT_FILE")
    headers = {"User-Agent": f"cometresp/{__version__}", **config.headers}
    try:
        pool = httpx.Client(
            headers={name: value for name, value in headers.items() if value is not None},
            verify=verify,
            trust_env=not config.loopback,
            follow_redirects=False,
            timeout=config.timeout,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        names = [name for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY") if _proxy(name)]
        settings = ", ".join(f"{name}={_proxy(name)}" for name in names) or "the proxy variables"
        reason = "" if isinstance(error, httpx.InvalidURL) and "@" in settings else f": {error}"  # part of a password
        raise ConfigError(f"{settings}: a proxy setting can't be used{reason}") from error
    for name in (name for name, value in headers.items() if value is None):
        pool.headers.pop(name, None)  # what httpx itself adds
    return pool


def _proxy(name: str) -> str:
    """A proxy variable, in either case, without the password that it may hold."""
    value = os.environ.get(name) or os.environ.get(name.lower()) or ""
    return re.sub(r"^([a-z0-9]+://)?.*@", r"\1***@", value, flags=re.IGNORECASE)


def _trust(path: str, setting: str) -> ssl.SSLContext:
    try:
        if is_device(os.stat(path)):  # noqa: PTH116 - OpenSSL would read it without end
            raise OSError(errno.EINVAL, "it is a device")  # noqa: TRY301
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{setting}: the certificate file {path} can't be used: {error}") from error
