"""The way to a server: through a proxy or directly, and what stands for a name under .localhost.

The variables are those of httpx (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), which takes no networks and no
IPv6 addresses in brackets in NO_PROXY: with them every request would fail.
"""

import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

from cometresp.tuples import NamedTuple

_PORTS = {"http": 80, "https": 443}
_Address = IPv4Address | IPv6Address


class Proxy(NamedTuple):
    """A proxy and the variable that it came from."""

    url: str
    setting: str

    @property
    def shown(self) -> str:
        """`http://***@proxy.example:3128 (HTTPS_PROXY)`: without user and password."""
        return f"{without_user(self.url)} ({self.setting})"


def without_user(url: str) -> str:
    return re.sub(r"^([a-z0-9]+://)?.*@", r"\1***@", url, flags=re.IGNORECASE | re.DOTALL)


def proxy_for(url: str) -> Proxy | None:
    """The proxy for requests to this URL, by the variables; None where they go directly."""
    proxies = getproxies()  # the system's settings, too, where no variables are set
    scheme = urlsplit(url).scheme
    kind = next((kind for kind in (scheme, "all") if proxies.get(kind)), None)
    if kind is None or is_exempt(url, proxies.get("no", "")):
        return None
    value = proxies[kind]
    names = (f"{kind}_proxy", f"{kind}_proxy".upper())
    setting = next((name for name in names if os.environ.get(name) == value), "the system's proxy settings")
    return Proxy(value if "://" in value else f"http://{value}", setting)


def is_exempt(url: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host: as it is, as a domain above it, or by a network of addresses.

    `example.com` stands for the names under it too, `.example.com` for those alone, `*` for everything; `:PORT` may
    follow. What can't be understood stands for nothing.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
    address = _address(host)
    for entry in re.split(r"[,\s]+", no_proxy.lower()):
        scheme, mark, rest = entry.rpartition("://")
        if mark and scheme not in ("all", parts.scheme):
            continue
        if rest == "*":
            return True
        name, wanted = _split(rest)
        if wanted is not None and wanted != port:
            continue
        if name and (_is_within(address, name) if address else _is_under(host, name)):
            return True
    return False


def _split(entry: str) -> tuple[str, int | None]:
    """Host, address or network, and the port behind it."""
    if found := re.fullmatch(r"\[([^]]*)](/\d+)?(?::(\d{1,5}))?", entry):
        return found[1] + (found[2] or ""), int(found[3]) if found[3] else None
    if found := re.fullmatch(r"([^:]*):(\d{1,5})", entry):
        return found[1], int(found[2])
    return entry, None


def _is_under(host: str, name: str) -> bool:
    name = name.removeprefix("*").rstrip(".")
    bare = name.lstrip(".")
    return bool(bare) and (host.endswith(f".{bare}") or host == name)


def _is_within(address: _Address, name: str) -> bool:
    try:
        return address in ip_network(name, strict=False)
    except ValueError:
        return False


def _address(host: str) -> _Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def local_name(url: str) -> tuple[str, str]:
    """The URL to connect to, and the host that it names where that is another.

    A name under .localhost means this machine (RFC 6761), but a resolver may say otherwise: it isn't asked.
    """
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".localhost"):
        return url, ""
    port = f":{parts.port}" if parts.port is not None else ""
    return parts._replace(netloc=f"localhost{port}").geturl(), parts.netloc
