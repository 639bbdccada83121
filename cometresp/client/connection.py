"""What it takes to reach a server, and the pool of connections made of it."""

import os
import re
import ssl
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx

from cometresp import __version__
from cometresp.deadline import DEFAULT_RETRIES, DEFAULT_TIMEOUT
from cometresp.errors import ConfigError


def _silent(_: str) -> None:
    return


class ServerConfig(NamedTuple):
    """Everything that it takes to reach a server.

    `timeout` is in seconds without data, `max_time` in seconds for everything. `say` gets a sentence for each retry,
    `debug` a line for each line of a request or reply.
    """

    base_url: str
    headers: Mapping[str, str] = {}
    timeout: float = DEFAULT_TIMEOUT
    max_time: float | None = None
    retries: int = DEFAULT_RETRIES
    ca_file: str | None = None
    loopback: bool = False
    say: Callable[[str], None] = _silent
    debug: Callable[[str], None] | None = None


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
        return httpx.Client(
            headers=headers,
            verify=verify,
            trust_env=not config.loopback,
            follow_redirects=False,
            timeout=config.timeout,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        names = [name for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY") if _proxy(name)]
        settings = ", ".join(f"{name}={_proxy(name)}" for name in names) or "the proxy variables"
        raise ConfigError(f"{settings}: a proxy setting can't be used: {error}") from error


def _proxy(name: str) -> str:
    """A proxy variable, in either case, without the password that it may hold."""
    value = os.environ.get(name) or os.environ.get(name.lower()) or ""
    return re.sub(r"//[^/@]*@", "//***@", value)


def _trust(path: str, setting: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{setting}: the certificate file {path} can't be used: {error}") from error
