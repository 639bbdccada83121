"""Secrets of the tools in a body: masked, looked up, refused where they weren't recorded. Pure."""

import re
from collections.abc import Mapping

from cometresp.errors import UsageError
from cometresp.text import escape_line
from cometresp.wire.headers import MASK
from cometresp.wire.json import Json, listed
from cometresp.wire.masking import Secrets
from cometresp.wire.tool_secrets import ENV_PREFIX, Change, Secret, changed

_KEY = "COMETAPI_KEY"  # a tool is run by others, whoever described it


def masked_body(body: Json) -> Json:
    """The body with the secrets of its tools masked; `env:NAME` is no secret and is kept."""
    return with_changed_tools(body, masked)


def masked(secret: Secret) -> str:
    return secret.masked


def resolved_body(body: Json, environ: Mapping[str, str]) -> Json:
    """The body as it is sent: `env:NAME` is looked up. Raises UsageError if NAME isn't set, or is that of the key."""

    def found(secret: Secret) -> str:
        if not secret.is_looked_up:
            return secret.value
        _check_name(secret)
        name = secret.value.removeprefix(ENV_PREFIX)
        if not environ.get(name):
            shown = name if re.fullmatch(r"[A-Za-z_]\w{,60}", name, re.ASCII) else "a variable"
            what = f"{escape_line(secret.name)} of a tool names {shown}, which is not set in the environment"
            raise UsageError(f"--tool: {what}")
        return environ[name]

    return with_changed_tools(body, found)


def add_secrets(body: Json, secrets: Secrets) -> None:
    """Add the secrets of the tools in a body that is sent to those of the run."""
    with_changed_tools(body, secrets.add_tool_secret)


def _check_name(secret: Secret) -> None:
    name = secret.value.removeprefix(ENV_PREFIX)
    if name.upper() == _KEY:  # Windows takes a name in any case
        raise UsageError(f"--tool: {escape_line(secret.name)} of a tool names {name}, which is never given to a tool")


def names_variables(body: Json) -> bool:
    """Whether a tool in the body names a variable, which would be looked up."""
    found: list[Secret] = []

    def note(secret: Secret) -> str:
        found.append(secret)
        return secret.value

    with_changed_tools(body, note)
    return any(secret.is_looked_up for secret in found)


def check_secrets(body: Json) -> None:
    """Raises UsageError for a secret that can't be sent: the key of the API, looked up for a tool.

    And one that was given as text: it was recorded masked.
    """

    def check(secret: Secret) -> str:
        if secret.is_looked_up:
            _check_name(secret)
        if secret.value == MASK:
            raise UsageError(
                f"the chain has a tool with a secret ({escape_line(secret.name)}) that was not recorded",
                hint="give --tool again, or name it as env:NAME" if not secret.in_url else "give --tool again",
            )
        return secret.value

    with_changed_tools(body, check)


def with_changed_tools(body: Json, change: Change) -> Json:
    """A copy of the body with the secrets of its tools changed; its input, which may contain large files, is shared.

    Tools stand in `tools` and `tool_choice`, and in items of the input that bring some.
    """
    copy = dict(body)
    for name in ("tools", "tool_choice"):
        if name in body:
            copy[name] = changed(body[name], change)
    items = body.get("input")
    if isinstance(items, list) and any("tools" in item for item in listed(items)):
        copy["input"] = [
            {**item, "tools": changed(item["tools"], change)} if isinstance(item, dict) and "tools" in item else item
            for item in items
        ]
    return copy
