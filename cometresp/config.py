"""Environment and config file -> one frozen Config, each value with its source.

A flag takes precedence over the chain, the chain over the environment, the environment over the file. A blank value is
unset. Blanks and a BOM around a value are removed, since keys are often pasted.
"""

import os
import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import urlsplit

from cometresp.errors import ConfigError, KeyProblemError, UsageError
from cometresp.paths import Reading, read_file
from cometresp.wire.headers import MASK
from cometresp.wire.urls import query_of, shown_url, without_query

DEFAULT_BASE_URL = "https://api.cometapi.com/v1"
DEFAULT_MODEL = "gpt-5.4"
OFFLINE_MODEL = "emulator"

_LONGEST_URL = 8000  # characters; httpx takes 65,536, most servers less than this
_LONGEST_NAME = 253
_MOST_BYTES = 1_000_000  # of the config file

Record = Literal["full", "ids", "none"]

_FILE_KEYS: dict[str, type] = {
    "base_url": str,
    "model": str,
    "chain": str,
    "record": str,
    "no_stdin": bool,
    "plain": bool,
    "bell": bool,
    "insecure_http": bool,
    "keys": dict,
}


class Value(NamedTuple):
    """A setting and where it came from: the name of a flag or variable, a file's path, or "default"."""

    value: str
    source: str
    in_file: bool = False


class Config(NamedTuple):
    base_url: Value
    model: Value | None
    key: Value | None
    chain: Value
    record: Record
    state_dir: Path
    no_stdin: bool
    plain: bool
    bell: bool
    insecure_http: bool


def load(
    environ: Mapping[str, str],
    *,
    base_url: str | None = None,
    offline: bool = False,
    reading: Reading | None = None,
) -> Config:
    """The settings. `base_url` is the flag's value. Offline, keys and base URLs are ignored (docs/emulator.md).

    A config file that is a pipe is waited for in a block of `reading`; where that is None, it is an error.

    Raises ConfigError for what is invalid in the environment or the file, UsageError for an invalid flag.
    """
    path, is_given = _config_path(environ)
    file = _read(path, reading, required=is_given)

    def setting(variable: str, name: str) -> Value | None:
        if value := clean(environ.get(variable)):
            return Value(value, variable)
        return Value(value, str(path), in_file=True) if (value := clean(file.get(name))) else None

    def switch(variable: str, name: str) -> bool:
        if value := clean(environ.get(variable)):
            return value.lower() not in ("0", "false", "no", "off")
        return bool(file.get(name, False))

    given = Value(base_url, "--base-url") if base_url is not None else setting("COMETAPI_BASE_URL", "base_url")
    address = Value("", "--offline") if offline else _address(given)
    return Config(
        base_url=address,
        model=setting("COMETAPI_DEFAULT_MODEL", "model") or _default_model(address, offline=offline),
        key=None if offline else _key(environ, file, path, without_query(address.value)),
        chain=setting("COMETRESP_CHAIN", "chain") or Value("default", "default"),
        record=_record(setting("COMETRESP_RECORD", "record")),
        state_dir=state_dir(environ, offline=offline),
        no_stdin=switch("COMETRESP_NO_STDIN", "no_stdin"),
        plain=switch("COMETRESP_PLAIN", "plain"),
        bell=bool(file.get("bell", False)),
        insecure_http=bool(file.get("insecure_http", False)),
    )


def _address(given: Value | None) -> Value:
    return given._replace(value=normal_url(given)) if given else Value(DEFAULT_BASE_URL, "default")


def _default_model(address: Value, *, offline: bool) -> Value | None:
    """The model where none is set: other servers than the default one have none."""
    if offline:
        return Value(OFFLINE_MODEL, "default")
    return Value(DEFAULT_MODEL, "default") if without_query(address.value) == DEFAULT_BASE_URL else None


def clean(value: object) -> str:
    """A setting without blanks and a BOM around it; "" if it is no string."""
    return value.strip("\ufeff \t\r\n") if isinstance(value, str) else ""


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
        raise error_type(
            f"{given.source}: a base URL has no user and password: {shown!r}",
            hint="-H 'Authorization: …' sends them, or a key",
        )
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


def _key(environ: Mapping[str, str], file: dict[str, Any], path: Path, base_url: str) -> Value | None:
    """The key from the environment, or the one that the file lists for this base URL."""
    if value := clean(environ.get("COMETAPI_KEY")):
        key = Value(value, "COMETAPI_KEY")
    else:
        stored = file.get("keys", {})
        listed = [(Value(url, str(path), in_file=True), clean(value)) for url, value in stored.items()]
        urls = {without_query(normal_url(url)): value for url, value in listed}
        if not urls.get(base_url):
            return None
        key = Value(urls[base_url], str(path))
    if not (key.value.isascii() and key.value.isprintable()) or " " in key.value:
        raise KeyProblemError(f"{key.source}: the key contains a character that headers don't allow")
    return key


def _record(value: Value | None) -> Record:
    if value is None:
        return "full"
    if value.value not in ("full", "ids", "none"):
        raise ConfigError(f"{value.source}: record must be full, ids or none, not {value.value!r}")
    return cast("Record", value.value)


def _config_path(environ: Mapping[str, str]) -> tuple[Path, bool]:
    """The config file, and whether COMETRESP_CONFIG names it."""
    if given := clean(environ.get("COMETRESP_CONFIG")):
        return _expanded(given), True
    from platformdirs import user_config_path

    return user_config_path("cometresp", appauthor=False) / "config.toml", False


def state_dir(environ: Mapping[str, str], *, offline: bool = False) -> Path:
    """The folder of the state file; offline, the one of the emulator's state within it."""
    if given := clean(environ.get("COMETRESP_STATE_DIR")):
        folder = Path(os.path.abspath(_expanded(given)))  # noqa: PTH100 - resolve() would follow links
    else:
        from platformdirs import user_state_path

        folder = user_state_path("cometresp", appauthor=False)
    return folder / "offline" if offline else folder


def _expanded(path: str) -> Path:
    """The path with the home folder for a `~` at its start, which a shell leaves alone within quotes."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for an unknown user


def _read(path: Path, reading: Reading | None, *, required: bool) -> dict[str, Any]:
    try:
        with reading(str(path)) if reading else nullcontext():
            text = read_file(str(path), _MOST_BYTES, only_regular=reading is None).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        if required:
            raise ConfigError(f"COMETRESP_CONFIG: can't read {path}: {error.strerror}") from error
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: the config file can't be read: {error.strerror}") from error
    except ValueError as error:  # also a NUL in the name
        raise ConfigError(f"{path}: the config file can't be read: {error}") from error
    import tomllib

    try:
        file = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except (ValueError, RecursionError) as error:  # what Python's parser can't take
        raise ConfigError(f"{path}: not valid TOML: a number is too long, or it is nested too deeply") from error
    for name, value in file.items():
        if name not in _FILE_KEYS:
            raise ConfigError(f"{path}: unknown setting {name!r}", hint=f"settings: {', '.join(_FILE_KEYS)}")
        if not isinstance(value, _FILE_KEYS[name]):
            raise ConfigError(f"{path}: {name} must be a {_KINDS[_FILE_KEYS[name]]}")
    return file


_KINDS = {str: "string", bool: "true or false", dict: "table, as in [keys]"}
