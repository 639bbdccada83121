"""The secrets in tools, however deep they stand: found by what their fields mean, and changed in a copy. Pure.

authorization, headers      of an MCP server (API 4.1)
domain_secrets[].value      in the network policy of a container or a shell
api_key, token, password …  any field whose name says that it holds a key
server_url, …_url           user and password, and parameters whose names say that they hold a key
"""

import re
from collections.abc import Callable
from typing import Any

from cometresp.tuples import NamedTuple
from cometresp.wire.headers import MASK, names_key
from cometresp.wire.json import Json

ENV_PREFIX = "env:"
_SCHEMAS = ("parameters", "input_schema", "output_schema", "schema")  # what is in them are names, not values
_USER = r"(\s*(?:[A-Za-z][\w+.-]*:)?//)([^/?#]+)@"
_KEY_PARAMETER = r"(?i)(signature|^code)$"  # besides those that `names_key` knows


class Secret(NamedTuple):
    """A secret and what it is called: its field, header or parameter. `in_url`: it is only a part of its string."""

    name: str
    value: str
    in_url: bool = False

    @property
    def is_looked_up(self) -> bool:
        """Whether it is `env:NAME`, the name of a variable and no secret itself."""
        return self.value.startswith(ENV_PREFIX) and not self.in_url

    @property
    def masked(self) -> str:
        return self.value if self.is_looked_up else MASK


Change = Callable[[Secret], str]  # what takes the place of a secret


def changed(value: Any, change: Change) -> Any:
    """A copy of tools, or of one tool, with `change(secret)` in the place of each secret."""
    if isinstance(value, list):
        return [changed(entry, change) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _field(name, inner, change) for name, inner in value.items()}


def with_changed_fields(node: Json, change: Change) -> Json:
    """A JSON object of a reply, itself changed where it is a tool, or has the secrets of domains."""
    if node.get("type") == "mcp":
        return changed(node, change)  # type: ignore[no-any-return]
    if "domain_secrets" in node:
        return {**node, "domain_secrets": _field("domain_secrets", node["domain_secrets"], change)}
    return node


def _field(name: str, value: Any, change: Change) -> Any:
    if name == "headers" or names_key(name):
        return _all(name, value, change)
    if isinstance(value, str):
        return _url(value, change) if name == "url" or name.endswith("_url") else value
    if name == "domain_secrets" and isinstance(value, list):
        return [_domain_secret(entry, change) for entry in value]
    return value if name in _SCHEMAS else changed(value, change)


def _all(name: str, value: Any, change: Change) -> Any:
    """A copy in which every text is changed but for names, whatever its shape: servers take more than the API has."""
    if isinstance(value, str):
        return change(Secret(name, value))
    if isinstance(value, list):
        return [_all(name, entry, change) for entry in value]
    if isinstance(value, dict):
        named = "value" in value  # {"name": …, "value": …}
        return {key: entry if named and key == "name" else _all(key, entry, change) for key, entry in value.items()}
    return value


def _domain_secret(entry: Any, change: Change) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
        return entry
    name = entry.get("name")
    return {**entry, "value": change(Secret(name if isinstance(name, str) and name else "value", entry["value"]))}


def _url(url: str, change: Change) -> str:
    if found := re.match(_USER, url):
        url = f"{found[1]}{change(Secret('user', found[2], in_url=True))}{url[found.end() - 1 :]}"
    url, hash_, fragment = url.partition("#")
    address, mark, query = url.partition("?")
    return f"{address}{mark}{_parameters(query, change)}{hash_}{_parameters(fragment, change)}"


def _parameters(text: str, change: Change) -> str:
    return "&".join(_parameter(parameter, change) for parameter in text.split("&"))


def _parameter(parameter: str, change: Change) -> str:
    name, equals, value = parameter.partition("=")
    if not value or not (names_key(name) or re.search(_KEY_PARAMETER, name)):
        return parameter
    return f"{name}{equals}{change(Secret(name, value, in_url=True))}"
