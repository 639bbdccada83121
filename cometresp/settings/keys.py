"""Where the config file keeps a key, and which text can be one."""

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from cometresp.config import DEFAULT_BASE_URL, Value, normal_url, setting
from cometresp.config_file import ConfigFile, clean
from cometresp.errors import CometrespError, Hint, Next, UsageError
from cometresp.settings.document import Path, dotted
from cometresp.text import shell_arguments
from cometresp.wire.urls import without_query

MOST = 10_000  # characters of a key


def key_of(text: str, source: str) -> str:
    """The key in a line that was typed or piped in. Raises UsageError, which never shows it."""
    key = clean(text)
    if not key:
        raise UsageError(f"no key: {source} is empty")
    if len(key) > MOST:
        raise UsageError(f"a key has at most {MOST} characters")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError("the key contains a character that headers don't allow: nothing was stored")
    return key


def place_for(base_url: str, table: dict[str, Any], file: FilePath) -> Path:
    """The place of the key for a base URL: the entry of `keys` that is there for it already, or a new one."""
    url = without_query(base_url)
    for listed in table.get("keys", {}):
        try:
            if without_query(normal_url(Value(listed, str(file), in_file=True))) == url:
                return ("keys", listed)
        except CometrespError:
            continue
    return ("keys", url)


def another_name(name: str, table: dict[str, Any]) -> Hint:
    """How a key is removed that is stored for a server, where it was named `key`."""
    servers = table.get("keys") if name == "key" else None
    if not (isinstance(servers, dict) and servers):
        return ""
    stored = dotted(("keys", next(iter(servers))))
    return Next("config unset", (shell_arguments(stored),)), " removes the key of that server"


def base_url_of(given: str | None, file: ConfigFile, environ: Mapping[str, str]) -> str:
    """The base URL that a key is for: that of the flag, else the one that is set. Raises for an invalid one."""
    if given is not None:
        return normal_url(Value(given, "--base-url"))
    value = setting(environ, file, "base_url")
    return normal_url(value) if value else DEFAULT_BASE_URL
