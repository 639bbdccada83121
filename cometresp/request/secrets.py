"""Secrets: found, masked, and the request as a curl command (design, promise 6). Pure."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from cometresp.errors import UsageError
from cometresp.wire.headers import MASK

ENV_PREFIX = "env:"


def masked_body(body: dict[str, Any]) -> dict[str, Any]:
    """The body with the secrets of MCP tools masked; `env:NAME` is no secret and stays."""
    shown = with_own_tools(body)
    for place, key in secrets(shown.get("tools")):
        if not place[key].startswith(ENV_PREFIX):
            place[key] = MASK
    return shown


def resolved_body(body: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The body as it is sent: `env:NAME` in an MCP tool is looked up. Raises UsageError where it isn't set."""
    if not any(place[key].startswith(ENV_PREFIX) for place, key in secrets(body.get("tools"))):
        return body
    sent = with_own_tools(body)
    for place, key in secrets(sent["tools"]):
        if place[key].startswith(ENV_PREFIX):
            name = place[key].removeprefix(ENV_PREFIX)
            if not environ.get(name):
                raise UsageError(f"--tool: {key} of an MCP tool names {name}, which is not set in the environment")
            place[key] = environ[name]
    return sent


def with_own_tools(body: dict[str, Any]) -> dict[str, Any]:
    """A copy whose tools can be changed; the files in its input are shared, since they may be large."""
    return body | {"tools": copy.deepcopy(body["tools"])} if "tools" in body else dict(body)


def secrets(tools: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Where secrets stand in MCP tools: (object, key) of `authorization` and of each entry of `headers` (API 4.1)."""
    for entry in tools if isinstance(tools, list) else ():
        if isinstance(entry, dict) and entry.get("type") == "mcp":
            if isinstance(entry.get("authorization"), str):
                yield entry, "authorization"
            if isinstance(entry.get("headers"), dict):
                yield from (
                    (entry["headers"], name) for name, value in entry["headers"].items() if isinstance(value, str)
                )
