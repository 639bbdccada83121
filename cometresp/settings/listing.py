"""Every setting with its value and where that comes from, as it may be shown. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Self, TypedDict

from cometresp.config import (
    DEFAULT_BASE_URL,
    DEFAULT_CHAIN,
    DEFAULT_RECORD,
    VARIABLES,
    Value,
    default_model,
    is_offline,
    key_for,
    normal_url,
    record_of,
    setting,
    switch,
)
from cometresp.config_file import ConfigFile, clean
from cometresp.deadline import DEFAULT_RETRIES, DEFAULT_TIMEOUT
from cometresp.errors import CometrespError, ConfigError
from cometresp.options.batch import BatchOptions
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.settings.document import Path, dotted
from cometresp.settings.fill import Filled, counting
from cometresp.settings.flags import OWN, Setting, settings
from cometresp.settings.masking import masked, shown_path
from cometresp.text import shown_size, valid_json
from cometresp.tuples import NamedTuple
from cometresp.wire.replies import DEFAULT_LIMIT
from cometresp.wire.urls import without_query

DEFAULT = "default"
_TABLES = ("aliases", "keys", "mcp")
_DEFAULTS: dict[str, Any] = {  # of flags whose default stands elsewhere
    "chain": DEFAULT_CHAIN,
    "timeout": round(DEFAULT_TIMEOUT),
    "retries": DEFAULT_RETRIES,
    "max_reply_size": shown_size(DEFAULT_LIMIT),
    "record": DEFAULT_RECORD,
}
_SWITCHES = ("no_stdin", "plain")


class Listed(NamedTuple):
    """A setting as it may be shown. `value` is as the file writes it, None where it isn't set."""

    path: Path
    value: Any
    source: str

    @property
    def name(self) -> str:
        return dotted(shown_path(self.path))

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


def listed(file: ConfigFile, environ: Mapping[str, str], *, unset: bool = False, offline: bool = False) -> list[Listed]:
    """What counts for a command line without flags; with `unset` also what isn't set, and has no default.

    `offline`: `--offline` is typed.
    """
    counts = _Counting.of(file, environ, offline=offline)
    found = [counts.of_name(name) for name in names()]
    if not unset:
        found = [one for one in found if one.value is not None and (one.value is not False or one.source != DEFAULT)]
    return [*found, *_entries(file)]


def value_of(path: Path, file: ConfigFile, environ: Mapping[str, str]) -> Listed | None:
    """One setting, or a whole table; None where it isn't set. Raises ConfigError where its value is wrong."""
    name = path[0]
    if name == "profile":
        one = Listed(path, _within(file.table, path), str(file.path))
    elif name in _TABLES:
        entries = file.entries(name)
        table = {name: {key: value for key, (value, _) in entries.items()}} if entries else {}
        source = entries[path[1]][1] if path[1:2] and path[1] in entries else str(file.path)
        one = Listed(path, _within(table, path), source)
    else:
        counts = _Counting.of(file, environ)
        counts.check(name)
        one = counts.of_name(name)
        return None if one.value is None else one
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


class _Counting(NamedTuple):
    """What counts for a command line without flags, as a run would take it."""

    file: ConfigFile
    environ: Mapping[str, str]
    values: dict[str, Filled]  # by the fields of flags
    faults: dict[str, ConfigError]  # by the names in the file
    offline: bool

    @classmethod
    def of(cls, file: ConfigFile, environ: Mapping[str, str], *, offline: bool = False) -> Self:
        faults: dict[str, ConfigError] = {}
        offline, in_file = offline and not is_offline(file), is_offline(file)
        values = counting(file, {"offline": True} if offline else {}, on_fault=faults.setdefault)
        if offline:
            values["offline"] = Filled(True, "--offline", "--offline")
        return cls(file, environ, values, faults, offline or in_file)

    def check(self, name: str) -> None:
        """Raises ConfigError where the file has a wrong value for this setting."""
        field = settings()[name].field if name in settings() and name not in OWN else name
        for other, fault in self.faults.items():
            if other in settings() and settings()[other].field == field:
                raise fault
        if name == "record" and (given := setting(self.environ, self.file, name)):
            record_of(given)

    def of_name(self, name: str) -> Listed:
        value, source = self._own(name) if name in OWN or name in VARIABLES else self._flag(settings()[name])
        shown = int(value) if isinstance(value, float) and value.is_integer() else value
        return Listed((name,), None if value is None else masked((name,), shown), source)

    def _own(self, name: str) -> tuple[Any, str]:
        """The value and source of what is no flag, or of a flag that has a variable."""
        if name == "key":
            return self._key()
        if name == "default_profile" and (given := clean(self.environ.get("COMETRESP_PROFILE"))):
            return given, "COMETRESP_PROFILE"
        if name in _SWITCHES:
            return switch(self.environ, self.file, name)
        if name == "base_url" and self.offline:
            return None, DEFAULT
        if name in VARIABLES:
            found = setting(self.environ, self.file, name) or self._default(name)
            return (found.value, found.source) if found else (None, DEFAULT)
        value, source = self.file.value(name)
        return value, source or DEFAULT

    def _default(self, name: str) -> Value | None:
        if name == "model":
            address = self._address()
            return default_model(address, offline=self.offline) if address else None
        return Value(DEFAULT_BASE_URL if name == "base_url" else _DEFAULTS[name], DEFAULT)

    def _address(self) -> Value | None:
        """The base URL, None where the one that is set is invalid."""
        given = setting(self.environ, self.file, "base_url") or Value(DEFAULT_BASE_URL, DEFAULT)
        try:
            return given._replace(value=normal_url(given))
        except CometrespError:
            return None

    def _key(self) -> tuple[Any, str]:
        address = self._address()
        try:
            key = key_for(self.environ, self.file, without_query(address.value)) if address else None
        except CometrespError:  # it is told with the faults
            key = None
        return (None, DEFAULT) if key is None or self.offline else (key.value, key.source)

    def _flag(self, one: Setting) -> tuple[Any, str]:
        if (found := self.values.get(one.field)) is not None:
            return found.value, found.source
        if one.name in _DEFAULTS:
            return _DEFAULTS[one.name], DEFAULT
        groups = (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions, BatchOptions)
        return next(group._field_defaults[one.field] for group in groups if one.field in group._fields), DEFAULT


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
