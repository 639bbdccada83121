"""Base URLs: joined to the path of a request, and as they may be shown. Pure."""

import re

from cometresp.wire.headers import MASK

# It stands for the emulator of --offline in records, caches and --dry-run, whatever its port.
EMULATOR_URL = "http://127.0.0.1:0/v1"

_USER = r"^((?:[A-Za-z][\w+.-]*:)?/+)?[^/?#]*@"  # also behind one slash too few


def shown_url(url: str) -> str:
    """The URL without user and password, the values of its query masked: `https://host/v1?api-version=***`."""
    address, mark, query = (re.sub(_USER, r"\1", url) if "@" in url else url).partition("?")
    return f"{address}{mark}{'&'.join(map(_shown_parameter, query.split('&')))}"


def _shown_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return f"{name}={MASK}" if equals and value else MASK if name and not equals else parameter


def joined(base_url: str, target: str) -> str:
    """The URL of a path and query below a base URL, whose own query comes first."""
    address, _, base_query = base_url.partition("?")
    path, _, query = target.partition("?")
    query = "&".join(filter(None, (base_query, query)))
    return f"{address}{path}?{query}" if query else f"{address}{path}"


def root_of(base_url: str) -> str:
    """The base URL without the `/v1` at the end of its path: there CometAPI has its catalogue (API 1, #12)."""
    address, mark, query = base_url.partition("?")
    return f"{address.rstrip('/').removesuffix('/v1')}{mark}{query}"


def without_query(url: str) -> str:
    return url.partition("?")[0]


def query_of(url: str) -> list[tuple[str, str]]:
    """The parameters of the query as they are written in the URL, each with its name and value."""
    pairs = (parameter.partition("=") for parameter in url.partition("?")[2].split("&") if parameter)
    return [(name, value) for name, _, value in pairs]
