"""Every setting with its value and where that comes from, as it may be shown: secrets are masked. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypedDict

from cometresp.config import DEFAULT_BASE_URL, DEFAULT_MODEL, VARIABLES, Value, normal_url
from cometresp.config_file import ConfigFile, clean
from cometresp.deadline import DEFAULT_RETRIES, DEFAULT_TIMEOUT
from cometresp.errors import CometrespError
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.settings.document import Path, dotted
from cometresp.settings.flags import OWN, Setting, settings
from cometresp.text import valid_json
from cometresp.wire.headers import MASK, is_secret_header
from cometresp.wire.tool_secrets import changed
from cometresp.wire.urls import shown_url, without_query

DEFAULT = "default"
_TABLES = ("aliases", "keys", "mcp")
_DEFAULTS: dict[str, Any] = {  # of flags whose default stands elsewhere
    "base_url": DEFAULT_BASE_URL,
    "chain": "default",
    "timeout": round(DEFAULT_TIMEOUT),
    "retries": DEFAULT_RETRIES,
    "max_reply_size": "256M",
    "record": "full",
}
_VARIABLES = {**VARIABLES, "key": "COMETAPI_KEY", "default_profile": "COMETRESP_PROFILE"}
_OFF = ("0", "false", "no", "off")  # what else a variable of a switch says is yes


class Listed(NamedTuple):
    """A setting as it may be shown. `value` is as the file writes it, None where it isn't set."""

    path: Path
    value: Any
    source: str

    @property
    def name(self) -> str:
        return dotted(self.path)

    @property
    def text(self) -> str:
        """The value: a string as it is, anything else as JSON."""
        if self.value is None:
            return ""
        if isinstance(self.value, str):
            return self.value
        return valid_json(json.dumps(self.value, ensure_ascii=False))


class ListedSetting(TypedDict):
    """A setting as `--json` prints it."""

    name: str
    value: Any
    source: str


def as_dict(one: Listed) -> ListedSetting:
    return {"name": one.name, "value": one.value, "source": one.source}


def listed(file: ConfigFile, environ: Mapping[str, str], *, unset: bool = False) -> list[Listed]:
    """What counts for a command line without flags; with `unset` also what isn't set, and has no default."""
    found = [_effective(name, file, environ) for name in names()]
    if not unset:
        found = [one for one in found if one.value is not None and (one.value is not False or one.source != DEFAULT)]
    return [*found, *_entries(file)]


def value_of(path: Path, file: ConfigFile, environ: Mapping[str, str]) -> Listed | None:
    """One setting, or a whole table; None where it isn't set."""
    name = path[0]
    if name == "profile":
        one = Listed(path, _within(file.table, path), str(file.path))
    elif name in _TABLES:
        entries = file.entries(name)
        table = {name: {key: value for key, (value, _) in entries.items()}} if entries else {}
        source = entries[path[1]][1] if path[1:2] and path[1] in entries else str(file.path)
        one = Listed(path, _within(table, path), source)
    else:
        one = _effective(name, file, environ)
    return None if one.value is None else one._replace(value=masked(path, one.value))


def _within(table: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(table, Mapping) or part not in table:
            return None
        table = table[part]
    return table


def names() -> list[str]:
    """The names of all settings but for tables, each once."""
    flags = {setting.field: name for name, setting in reversed(settings().items()) if name not in OWN}
    own = [name for name, kind in OWN.items() if kind is not dict]
    return [*reversed(flags.values()), *own]


def _effective(name: str, file: ConfigFile, environ: Mapping[str, str]) -> Listed:
    setting = None if name in OWN else settings().get(name)
    variable = _VARIABLES.get(name, "")
    if given := clean(environ.get(variable)):
        switched = setting is not None and setting.kind is bool
        return Listed((name,), given.lower() not in _OFF if switched else masked((name,), given), variable)
    known = [one for one, other in settings().items() if other == setting and one not in OWN] if setting else [name]
    for layer in file.layers:
        for one in known:
            if one in layer.values and layer.values[one] != "":
                return Listed((name,), masked((name,), layer.values[one]), layer.source)
    return Listed((name,), _default(name, setting, file, environ), DEFAULT)


def _default(name: str, setting: Setting | None, file: ConfigFile, environ: Mapping[str, str]) -> Any:
    if name == "model":
        given = _effective("base_url", file, environ)
        return DEFAULT_MODEL if _is_default_url(given.value) else None
    if name in _DEFAULTS or setting is None:
        return _DEFAULTS.get(name)
    groups = (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions)
    return next((group._field_defaults[setting.field] for group in groups if setting.field in group._fields), None)


def _is_default_url(url: Any) -> bool:
    try:
        return without_query(normal_url(Value(clean(url), "base_url"))) == DEFAULT_BASE_URL
    except CometrespError:
        return False


def _entries(file: ConfigFile) -> Iterator[Listed]:
    """What is in the tables, and in the profiles."""
    for table in _TABLES:
        for key, (value, source) in file.entries(table).items():
            yield from (Listed(path, inner, source) for path, inner in _leaves((table, key), value))
    found = _leaves(("profile",), file.table.get("profile", {}))
    yield from (Listed(path, inner, str(file.path)) for path, inner in found)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """The values below a path, masked."""
    if not isinstance(value, Mapping):
        yield path, masked(path, value)
        return
    for key, inner in value.items():
        yield from _leaves((*path, key), inner)


# secrets ------------------------------------------------------------------------------------------------------------


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
