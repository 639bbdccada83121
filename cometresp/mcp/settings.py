"""The words of `--mcp` and the tables `[mcp.NAME]` -> servers to start. Pure.

A word is the name of a table, else a URL, else a command, split as a shell does but run without one. `env:NAME` as a
value in `env` or `headers` is looked up in the environment. Nothing of a table but its name is shown.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from cometresp.config import is_loopback
from cometresp.errors import ConfigError, UsageError
from cometresp.functions import environment
from cometresp.mcp.names import name_of_command, name_of_url, server_name
from cometresp.mcp.tables import command_of, split
from cometresp.nearest import nearest
from cometresp.text import escape_line, quoted
from cometresp.tuples import NamedTuple
from cometresp.wire.headers import is_secret_header, names_key
from cometresp.wire.masking import Secrets
from cometresp.wire.tool_secrets import ENV_PREFIX
from cometresp.wire.urls import query_of, shown_url

_TIMEOUT = 60.0
_START_TIMEOUT = 30.0
_SHOWN = 80  # characters of a command in a message
_IS_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class McpServer(NamedTuple):
    """A server to start or to reach: it has a `command` or a `url`. `shown` names it in messages.

    `tools` are patterns of the tools that are offered, None for all. `timeout` is that of a call, in seconds.
    `hint` says what else was meant by a command that isn't found.
    """

    name: str
    shown: str
    command: tuple[str, ...] = ()
    url: str = ""
    environ: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    tools: tuple[str, ...] | None = None
    timeout: float = _TIMEOUT
    start_timeout: float = _START_TIMEOUT
    hint: str = ""


def servers(
    given: list[str],
    tables: Mapping[str, tuple[Mapping[str, Any], str]],
    environ: Mapping[str, str],
    secrets: Secrets,
    env_names: list[str],
) -> list[McpServer]:
    """The servers of `--mcp`, each once, with names that no other has; their secrets are added to those of the run.

    `tables` are those of the settings by name, each with its source; `env_names` are variables that all commands get.
    Raises UsageError and ConfigError.
    """
    words = list(dict.fromkeys(given))
    kept = {word: server_name(word, ()) for word in words if word in tables}
    taken = list(kept.values())
    if len(set(taken)) < len(taken):
        one, other, *_ = (word for word in kept if taken.count(kept[word]) > 1)
        raise UsageError(f"--mcp: the tools of {escape_line(one)} and {escape_line(other)} would have the same names")
    environment.checked("--tool-env", env_names)
    made = []
    for word in words:
        if word in tables:
            table, source = tables[word]
            server = _of_table(word, table, source, environ, secrets)._replace(name=kept[word])
        else:
            server = _of_word(word)._replace(hint=_hint(word, tables))
            server = server._replace(name=server_name(server.name, taken))
            taken.append(server.name)
        _check_address(server, secrets)
        allowed = environment.allowed(environ, env_names) if server.command else {}
        made.append(server._replace(environ={**allowed, **server.environ}))
    return made


def _of_word(word: str) -> McpServer:
    if _IS_URL.match(word.strip()):
        url = word.strip()
        shown = shown_url(url)
        return McpServer(name_of_url(url) if _is_address(url) else "", escape_line(shown, _SHOWN), url=url)
    words = _split(word)
    return McpServer(name_of_command(words), escape_line(word, _SHOWN), tuple(words))


def _split(command: str) -> list[str]:
    try:
        return split(command)
    except ValueError as error:
        if str(error).startswith("must"):
            raise UsageError(f"--mcp: {error}", hint="a command, a URL, or the name of a table [mcp.NAME]") from error
        raise UsageError(f"--mcp: {quoted(command)} {error}") from error


def _hint(word: str, tables: Collection[str]) -> str:
    """What may have been meant, where the word is no command that can be run."""
    if near := nearest(word, tables):
        return f"did you mean {near}?"
    what = f"of the settings ({escape_line(', '.join(tables), 400)})" if tables else "with a table [mcp.NAME]"
    return f"--mcp takes a command, a URL, or the name of a server {what}"


# a table ------------------------------------------------------------------------------------------------------------


def _of_table(
    name: str, table: Mapping[str, Any], source: str, environ: Mapping[str, str], secrets: Secrets
) -> McpServer:
    where = f"{source}: mcp.{escape_line(name, _SHOWN)}"
    words = command_of(where, table)
    env, headers = table.get("env", {}), table.get("headers", {})
    environment.checked(f"{where}: env", env)
    for header, value in headers.items():
        if not (_TOKEN.fullmatch(header) and _can_be_header(value)):
            raise ConfigError(f"{where}: headers.{escape_line(header)} has a character that headers don't allow")
    tools = table.get("tools")
    return McpServer(
        name,
        escape_line(name, _SHOWN),
        (*words, *table.get("args", ())),
        table.get("url", "").strip(),
        {
            key: _looked_up(f"{where}: env.{escape_line(key)}", key, value, environ, secrets)
            for key, value in env.items()
        },
        {
            key: _looked_up(f"{where}: headers.{escape_line(key)}", key, value, environ, secrets, is_header=True)
            for key, value in headers.items()
        },
        None if tools is None else tuple(tools),
        float(table.get("timeout", _TIMEOUT)),
        max(float(table.get("timeout", 0)), _START_TIMEOUT),
    )


def _looked_up(
    where: str, key: str, value: str, environ: Mapping[str, str], secrets: Secrets, *, is_header: bool = False
) -> str:
    """The value of a variable or a header; what is looked up, or whose name says so, is a secret of the run."""
    is_named = value.startswith(ENV_PREFIX)
    if is_named:
        name = value.removeprefix(ENV_PREFIX)
        environment.checked(where, [name])
        if not environ.get(name):
            raise UsageError(f"{where} names {escape_line(name)}, which is not set in the environment")
        value = environ[name]
        if is_header and not _can_be_header(value):
            shown = escape_line(name)
            raise UsageError(f"{where} names {shown}, whose value has a character that headers don't allow")
    value = value.strip() if is_header else value
    if is_header and (is_named or is_secret_header(key)):
        secrets.add_header(key, value)
    elif not is_header and (is_named or names_key(key)):
        secrets.add(value)
    return value


def _can_be_header(value: str) -> bool:
    return value.isascii() and value.isprintable()


# a URL --------------------------------------------------------------------------------------------------------------


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _check_address(server: McpServer, secrets: Secrets) -> None:
    """Raises UsageError for a URL that can't be used; the secrets in its query are added to those of the run."""
    if not (url := server.url):
        return
    query = query_of(url)
    for name, value in query:
        secrets.add(value, certain=names_key(name))
    start = f"--mcp: {server.shown}:"
    if not _is_address(url) or not url.isprintable() or " " in url:
        raise UsageError(f"{start} it is not an address")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise UsageError(f"{start} a server is reached by https:// or http://, not by {parts.scheme}://")
    if "@" in parts.netloc:
        raise UsageError(
            f"{start} a URL has no user and password here", hint="headers in a table [mcp.NAME] can have them"
        )
    has_secret = any(map(is_secret_header, server.headers)) or any(names_key(name) for name, _ in query)
    if has_secret and parts.scheme == "http" and not is_loopback(url):
        raise UsageError(f"{start} its secrets would go over plain http", hint="use https")


def offered(server: McpServer, names: Collection[str]) -> list[str]:
    """The tools that are offered, of those that a server has. Raises UsageError where a pattern fits none."""
    if server.tools is None:
        return list(names)
    from fnmatch import fnmatchcase

    for pattern in server.tools:
        if not any(fnmatchcase(name, pattern) for name in names):
            shown = escape_line(", ".join(names), 400)
            what = f"--mcp: {server.shown}: tools: {quoted(pattern)} fits none of its tools"
            raise UsageError(what, hint=f"they are {shown}" if names else "")
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in server.tools)]
