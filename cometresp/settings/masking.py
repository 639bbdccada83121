"""The value of a setting as it may be shown: secrets are masked. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cometresp.settings.document import Path
from cometresp.text import command_words
from cometresp.wire.headers import MASK, is_secret_header, names_key
from cometresp.wire.tool_secrets import ENV_PREFIX, changed
from cometresp.wire.urls import shown_url

_PAIRS = ("param", "var", "metadata", "prompt_var")  # NAME=VALUE each
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")


def masked(path: Path, value: Any) -> Any:
    """The value of a setting as it may be shown."""
    name, *inner = path[2:] if path[0] == "profile" and len(path) > 2 else path  # noqa: PLR2004 - profile.NAME.setting
    if name in ("key", "keys"):
        return _all_masked(value)
    if isinstance(value, Mapping):
        return {key: masked((*path, key), inner) for key, inner in value.items()}
    if name == "header":
        return [_header(line) for line in value] if isinstance(value, list) else _header(value)
    if name == "base_url":
        return shown_url(value) if isinstance(value, str) else value
    if name == "mcp" and inner:
        return _of_server(inner, value)
    if name in _PAIRS:
        return [_pair(entry) for entry in value] if isinstance(value, list) else _pair(value)
    if name == "mcp_server":
        return [_server(entry) for entry in value] if isinstance(value, list) else _server(value)
    return _command(value) if name == "key_command" else _shown(value)


def shown_path(path: Path) -> Path:
    """The name of a setting as it may be shown: that of a key is a base URL."""
    return ("keys", *map(shown_url, path[1:])) if path[0] == "keys" else path


def _shown(value: Any) -> Any:
    """A value that is no table, as JSON can have it: TOML also has dates."""
    if isinstance(value, list):
        return [_shown(entry) for entry in value]
    if isinstance(value, Mapping):
        return {key: _shown(inner) for key, inner in value.items()}
    return value if isinstance(value, bool | int | float) else _tool(str(value))


def _all_masked(value: Any) -> Any:
    return {shown_url(key): _all_masked(one) for key, one in value.items()} if isinstance(value, Mapping) else MASK


def _header(line: Any) -> Any:
    if not isinstance(line, str):
        return MASK
    name, colon, value = line.partition(":")
    return f"{name}: {MASK}" if is_secret_header(name) and (value.strip() or not colon) else line


def _of_server(path: Sequence[str], value: Any) -> Any:
    """A setting of an MCP server; all headers and variables are secrets but for `env:NAME`, which is looked up."""
    if any(part in ("headers", "env") for part in path[1:-1]):
        return _secret(value)
    if path[-1] in ("command", "args"):
        return _command(value)
    if path[-1] == "url" and isinstance(value, str):
        return shown_url(value)
    return _masked_in({path[-1]: value})[path[-1]]


def _secret(value: Any) -> Any:
    return value if isinstance(value, str) and value.startswith(ENV_PREFIX) else MASK


def _server(word: Any) -> Any:
    """A value of --mcp: a URL, the name of a server, or a command."""
    return shown_url(word) if isinstance(word, str) and _URL.match(word.strip()) else _command(word)


def _command(value: Any) -> Any:
    """A command, as text or in words; what its flags and variables say is a key is masked."""
    if isinstance(value, list):
        return _words(value)
    if not isinstance(value, str):
        return _shown(value)
    try:
        words = command_words(value)
    except ValueError:  # nobody can say where its words end
        return MASK
    shown = _words(words)
    if shown == words:
        return value
    import shlex

    return " ".join(word if re.fullmatch(r"[\w@%+=:,./*-]+", word) else shlex.quote(word) for word in shown)


def _words(words: Sequence[Any]) -> list[Any]:
    shown: list[Any] = []
    before = ""
    for word in words:
        if not isinstance(word, str):
            shown.append(_shown(word))
            continue
        name, equals, value = word.partition("=")
        if before in ("-H", "--header"):
            shown.append(_header(word))
        elif name == "--header" and equals:
            shown.append(f"{name}={_header(value)}")
        elif before.startswith("-") and names_key(before) and not word.startswith("--"):
            shown.append(_secret(word))
        elif equals and value and names_key(name.lstrip("-")):
            shown.append(f"{name}={_secret(value)}")
        else:
            shown.append(_tool(word))
        before = "" if equals else word
    return shown


def _pair(pair: Any) -> Any:
    """NAME=VALUE; a part of the name may say that the value is a key."""
    if not isinstance(pair, str):
        return _shown(pair)
    name, equals, value = pair.partition("=")
    if equals and value and (names_key(name) or "headers" in name.split(".")):
        return f"{name}={_secret(value)}"
    return _tool(pair)


def _tool(value: str) -> str:
    """A text; in one with JSON or URLs, as that of a tool, the secrets are masked."""
    start = re.search(r"[\[{]", value)
    try:
        data = json.loads(value[start.start() :]) if start else None
    except (ValueError, RecursionError):
        data = None
    if start is None or data is None:
        return _URL.sub(lambda url: str(_masked_in({"url": url[0]})["url"]), value)
    shown = _masked_in(data)
    return value if shown == data else value[: start.start()] + json.dumps(shown, ensure_ascii=False)


def _masked_in(data: Any) -> Any:
    return changed(data, lambda secret: secret.masked)
