"""Secrets of MCP tools in a body: found, masked, looked up. Pure."""

import copy
from collections.abc import Iterator, Mapping

from cometresp.errors import UsageError
from cometresp.wire.headers import MASK
from cometresp.wire.json import Json, listed
from cometresp.wire.masking import tool_secrets

ENV_PREFIX = "env:"


def masked_body(body: Json) -> Json:
    """The body with the secrets of MCP tools masked; `env:NAME` is no secret and is kept."""
    shown = with_copied_tools(body)
    for place, key in secrets(shown.get("tools")):
        if not place[key].startswith(ENV_PREFIX):
            place[key] = MASK
    return shown


def resolved_body(body: Json, environ: Mapping[str, str]) -> Json:
    """The body as it is sent: `env:NAME` in an MCP tool is looked up. Raises UsageError if NAME isn't set."""
    if not any(place[key].startswith(ENV_PREFIX) for place, key in secrets(body.get("tools"))):
        return body
    sent = with_copied_tools(body)
    for place, key in secrets(sent["tools"]):
        if place[key].startswith(ENV_PREFIX):
            name = place[key].removeprefix(ENV_PREFIX)
            if not environ.get(name):
                raise UsageError(f"--tool: {key} of an MCP tool names {name}, which is not set in the environment")
            place[key] = environ[name]
    return sent


def with_copied_tools(body: Json) -> Json:
    """A copy of the body whose tools can be changed; its input, which may contain large files, is shared."""
    return body | {"tools": copy.deepcopy(body["tools"])} if "tools" in body else dict(body)


def check_unmasked(tools: object) -> None:
    """Raises UsageError for a secret that was given as text: it was recorded masked, so it can't be sent again."""
    for place, key in secrets(tools):
        if place[key] == MASK:
            raise UsageError(
                f"the chain's MCP tool has a secret ({key}) that was not recorded",
                hint="give --tool again, or name it as env:NAME",
            )


def secrets(tools: object) -> Iterator[tuple[Json, str]]:
    """The secrets in MCP tools: (object, key), for `authorization` and of each entry of `headers` (API 4.1)."""
    for tool in listed(tools):
        yield from tool_secrets(tool)
