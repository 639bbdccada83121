"""Environment, profile and config file -> one frozen Config, each value with its source.

A flag takes precedence over the chain, the chain over the environment, the environment over the profile, the profile
over the file. A blank value is unset. Blanks and a BOM around a value are removed, since keys are often pasted.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from cometresp.config_file import ConfigFile, clean, expanded, load_file
from cometresp.errors import ConfigError, KeyProblemError, UsageError
from cometresp.paths import Reading
from cometresp.tuples import NamedTuple
from cometresp.wire.headers import MASK
from cometresp.wire.urls import query_of, shown_url, without_query

DEFAULT_BASE_URL = "https://api.cometapi.com/v1"
DEFAULT_MODEL = "gpt-5.4"
OFFLINE_MODEL = "emulator"
DEFAULT_CHAIN = "default"
DEFAULT_RECORD = "full"

_LONGEST_URL = 8000  # characters; httpx takes 65,536, most servers less than this
_LONGEST_NAME = 253

Record = Literal["full", "ids", "none"]


class Value(NamedTuple):
    """A setting and where it came from: the name of a flag or variable, a place in the file, or "default"."""

    value: str
    source: str
    in_file: bool = False


class KeyCommand(NamedTuple):
    """The command that prints the key, and where it is set."""

    words: tuple[str, ...]
    source: str


class Config(NamedTuple):
    base_url: Value
    model: Value | None
    key: Value | None
    key_command: KeyCommand | None  # where no key is set, and the base URL is the one that it was set for
    chain: Value
    record: Record
    state_dir: Path
    no_stdin: bool
    plain: bool
    offline: bool
    file: ConfigFile

    @property
    def mcp(self) -> dict[str, Mapping[str, Any]]:
        """The MCP servers of the file and its profile, by name, as they stand there."""
        return {name: table for name, (table, _) in self.file.entries("mcp").items()}

    def model_of(self, name: str) -> str:
        """The model that an alias stands for, or the name itself. Raises ConfigError for aliases in a circle."""
        return resolved_model(name, self.file)


def load(
    environ: Mapping[str, str],
    *,
    base_url: str | None = None,
    offline: bool = False,
    profile: str | None = None,
    reading: Reading | None = None,
) -> Config:
    """The settings. `base_url` and `profile` are the values of flags.

    Offline, keys and base URLs are ignored (docs/emulator.md). A config file that is a pipe is waited for in a block of
    `reading`; where that is None, it is an error.

    Raises ConfigError for what is invalid in the environment or the file, UsageError for an invalid flag.
    """
    file = load_file(environ, profile=profile, reading=reading)
    offline = offline or (base_url is None and is_offline(file))
    given = Value(base_url, "--base-url") if base_url is not None else setting(environ, file, "base_url")
    address = Value("", "--offline") if offline else _address(given)
    key = None if offline else key_for(environ, file, without_query(address.value))
    return Config(
        base_url=address,
        model=_model(setting(environ, file, "model"), file) or default_model(address, offline=offline),
        key=key,
        key_command=None if offline or key else _key_command(file, without_query(address.value)),
        chain=setting(environ, file, "chain") or Value(DEFAULT_CHAIN, "default"),
        record=record_of(setting(environ, file, "record") or Value(DEFAULT_RECORD, "default")),
        state_dir=state_dir(environ, offline=offline),
        no_stdin=switch(environ, file, "no_stdin")[0],
        plain=switch(environ, file, "plain")[0],
        offline=offline,
        file=file,
    )


VARIABLES = {
    "base_url": "COMETAPI_BASE_URL",
    "model": "COMETAPI_DEFAULT_MODEL",
    "chain": "COMETRESP_CHAIN",
    "record": "COMETRESP_RECORD",
    "no_stdin": "COMETRESP_NO_STDIN",
    "plain": "COMETRESP_PLAIN",
}


def _model(given: Value | None, file: ConfigFile) -> Value | None:
    return given._replace(value=resolved_model(given.value, file)) if given else None


def resolved_model(name: str, file: ConfigFile) -> str:
    """The model that an alias stands for, also one of another alias; or the name itself."""
    aliases = file.entries("aliases")
    names = [name]
    while names[-1] in aliases:
        target, source = aliases[names[-1]]
        if not clean(target):
            raise ConfigError(f"{source}: aliases.{names[-1]} must not be empty")
        if clean(target) in names:
            raise ConfigError(f"{source}: aliases in a circle: {' -> '.join([*names, clean(target)])}")
        names.append(clean(target))
    return names[-1]


def setting(environ: Mapping[str, str], file: ConfigFile, name: str) -> Value | None:
    """The value that counts of a setting that has a variable, None where it isn't set."""
    if value := clean(environ.get(VARIABLES[name])):
        return Value(value, VARIABLES[name])
    given, source = file.value(name)
    return Value(clean(given), source, in_file=True) if clean(given) else None


def switch(environ: Mapping[str, str], file: ConfigFile, name: str) -> tuple[bool, str]:
    """The same of a switch, and its source. Any variable but those words of no is a yes."""
    if value := clean(environ.get(VARIABLES[name])):
        return value.lower() not in ("0", "false", "no", "off"), VARIABLES[name]
    given, source = file.value(name)
    return given is True, source or "default"


def is_offline(file: ConfigFile) -> bool:
    """Whether the file is about the emulator; a profile with a base URL isn't, whatever stands at the top."""
    for layer in file.layers:
        if "offline" in layer.values:
            return layer.values["offline"] is True
        if clean(layer.values.get("base_url")):
            return False
    return False


def _address(given: Value | None) -> Value:
    return given._replace(value=normal_url(given)) if given else Value(DEFAULT_BASE_URL, "default")


def default_model(address: Value, *, offline: bool) -> Value | None:
    """The model where none is set: other servers than the default one have none."""
    if offline:
        return Value(OFFLINE_MODEL, "default")
    return Value(DEFAULT_MODEL, "default") if without_query(address.value) == DEFAULT_BASE_URL else None


def normal_url(given: Value) -> str:
    """The base URL: `/v1/` and `/v1/responses` are cut to `/v1`, which is added if there is no path (API 10.9).

    Its query is kept. Errors show neither user and password nor the values of the query.
    """
    url = clean(given.value)
    error_type = UsageError if given.source.startswith("--") else ConfigError
    if len(url) > _LONGEST_URL:
        raise error_type(f"{given.source}: a base URL has at most {_LONGEST_URL} characters, not {len(url)}")
    shown = shown_url(url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        # the error may quote a password
        what = f"{shown!r} is not an address: {error}" if "@" not in url else "not an address"
        raise error_type(f"{given.source}: {what}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise error_type(
            f"{given.source}: {shown!r} is not a web address; it must start with https:// or http://",
            hint=f"as in {DEFAULT_BASE_URL}",
        )
    if "@" in parts.netloc:
        hint = "-H 'Authorization: …' sends them, or a key"
        if given.source == "--upstream":  # of the emulator, which has no -H
            hint = "the clients of the recorder send them: by -H 'Authorization: …', or as a key"
        raise error_type(f"{given.source}: a base URL has no user and password: {shown!r}", hint=hint)
    if parts.fragment or not url.isprintable() or " " in url:
        raise error_type(f"{given.source}: a base URL has no fragment or blank: {without_query(shown)!r}")
    if fault := _fault_of(host):
        raise error_type(f"{given.source}: {shown!r} is not an address: {fault}")
    if any(value == MASK for _, value in query_of(url)):
        raise error_type(f"{given.source}: {MASK} stands for a value that is not shown; give the value: {shown!r}")
    path = parts.path.rstrip("/").removesuffix("/responses") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}" + (f"?{parts.query}" if parts.query else "")


def _fault_of(host: str) -> str:
    """What is wrong with the host of a URL, "" if nothing is."""
    if ":" in host:
        from ipaddress import IPv6Address

        try:
            IPv6Address(host)
        except ValueError:
            return f"{host} is no IPv6 address"
        return ""
    name = host.removesuffix(".")
    if name.rpartition(".")[2].isdecimal() and not _is_ipv4(name):
        return f"{name} is no IPv4 address"
    try:
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError as error:
        return f"{name[:60]!r} can't be a name: {error}"
    if len(name) > _LONGEST_NAME or not re.fullmatch(r"[\w-]{1,63}(\.[\w-]{1,63})*", name, re.ASCII):
        return f"{name[:60]!r} can't be a name"
    return ""


def _is_ipv4(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(re.fullmatch("0|[1-9][0-9]{0,2}", part) and int(part) < 256 for part in parts)  # noqa: PLR2004


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine. A name under .localhost is: no resolver is asked for it."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.endswith(".localhost") or (host.startswith("127.") and _is_ipv4(host))


def key_for(environ: Mapping[str, str], file: ConfigFile, base_url: str) -> Value | None:
    """The key from the environment, or the one that a profile or the file lists for this base URL."""
    if value := clean(environ.get("COMETAPI_KEY")):
        key = Value(value, "COMETAPI_KEY")
    else:
        found = _stored_key(file, base_url)
        if found is None:
            return None
        key = found
    if not (key.value.isascii() and key.value.isprintable()) or " " in key.value:
        raise KeyProblemError(f"{key.source}: the key contains a character that headers don't allow")
    return key


def _stored_key(file: ConfigFile, base_url: str) -> Value | None:
    """The key of the profile, where the base URL is that of the profile; else the one in the table `keys`."""
    for layer in file.layers:
        if (key := clean(layer.values.get("key"))) and _url_of(file, layer.source) == base_url:
            return Value(key, layer.source)
    listed = [(Value(url, source, in_file=True), clean(key)) for url, (key, source) in file.entries("keys").items()]
    for url, key in listed:
        if without_query(normal_url(url)) == base_url and key:
            return Value(key, url.source)
    return None


def _key_command(file: ConfigFile, base_url: str) -> KeyCommand | None:
    """The first command that was set for this base URL."""
    for layer in file.layers:
        command = layer.values.get("key_command")
        if command and _url_of(file, layer.source) == base_url:
            return KeyCommand(tuple(command), layer.source)
    return None


def _url_of(file: ConfigFile, source: str) -> str:
    """The base URL that a key in this place of the file belongs to, without its query."""
    start = next(n for n, layer in enumerate(file.layers) if layer.source == source)
    given, place = file._replace(layers=file.layers[start:]).value("base_url")
    return without_query(normal_url(Value(clean(given), place))) if clean(given) else DEFAULT_BASE_URL


def record_of(value: Value) -> Record:
    """How much of each turn is recorded. Raises ConfigError for another word."""
    if value.value not in get_args(Record):
        raise ConfigError(f"{value.source}: record must be full, ids or none, not {value.value!r}")
    return cast("Record", value.value)


def state_dir(environ: Mapping[str, str], *, offline: bool = False) -> Path:
    """The folder of the state file; offline, the one of the emulator's state within it."""
    if given := clean(environ.get("COMETRESP_STATE_DIR")):
        folder = Path(os.path.abspath(expanded(given)))  # noqa: PTH100 - resolve() would follow links
    else:
        from platformdirs import user_state_path

        folder = user_state_path("cometresp", appauthor=False)
    return folder / "offline" if offline else folder
