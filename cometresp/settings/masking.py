"""The value of a setting as it may be shown: secrets are masked. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from cometresp.settings.document import Path
from cometresp.wire.headers import MASK, is_secret_header
from cometresp.wire.tool_secrets import changed
from cometresp.wire.urls import shown_url


def masked(path: Path, value: Any) -> Any:
    """The value of a setting as it may be shown."""
    name = path[2] if path[0] == "profile" and len(path) > 2 else path[0]  # noqa: PLR2004 - profile.NAME.setting
    if name in ("key", "keys"):
        return _all_masked(value)
    if isinstance(value, Mapping):
        return {key: masked((*path, key), inner) for key, inner in value.items()}
    if name == "header":
        return [_header(line) for line in value] if isinstance(value, list) else _header(value)
    if name == "base_url":
        return shown_url(value) if isinstance(value, str) else value
    if name == "mcp":
        return _of_server(path, value)
    return _shown(value)


def _shown(value: Any) -> Any:
    """A value that is no table, as JSON can have it: TOML also has dates."""
    if isinstance(value, list):
        return [_shown(entry) for entry in value]
    if isinstance(value, Mapping):
        return {key: _shown(inner) for key, inner in value.items()}
    return value if isinstance(value, bool | int | float) else _tool(str(value))


def _all_masked(value: Any) -> Any:
    return {key: _all_masked(inner) for key, inner in value.items()} if isinstance(value, Mapping) else MASK


def _header(line: Any) -> Any:
    if not isinstance(line, str):
        return MASK
    name, colon, value = line.partition(":")
    return f"{name}: {MASK}" if is_secret_header(name) and (value.strip() or not colon) else line


def _of_server(path: Path, value: Any) -> Any:
    """A setting of an MCP server; all headers and variables are secrets but for `env:NAME`, which is looked up."""
    if any(part in ("headers", "env") for part in path[2:-1]):
        return value if isinstance(value, str) and value.startswith("env:") else MASK
    return changed({path[-1]: value}, lambda secret: secret.masked)[path[-1]]


def _tool(value: str) -> str:
    """A text; in one with JSON, as that of a tool, the secrets are masked."""
    start = re.search(r"[\[{]", value)
    if start is None:
        return value
    try:
        data = json.loads(value[start.start() :])
    except (ValueError, RecursionError):
        return value
    shown = changed(data, lambda secret: secret.masked)
    return value if shown == data else value[: start.start()] + json.dumps(shown, ensure_ascii=False)
