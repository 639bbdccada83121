"""The config file: where it is, what it says, and which of its values count.

    model = "gpt-5.4"          # the long name of a flag, or one of the settings below
    [profile.work]             # the same, for --profile work
    base_url = "https://…"

Values of flags are checked where they are used (`settings.flags`); here only what isn't a flag's is known.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from cometresp.errors import ConfigError, Hint, Next, UsageError
from cometresp.paths import Reading, read_file
from cometresp.tuples import NamedTuple

MOST_BYTES = 1_000_000

# The settings that aren't flags. A profile has `key`, and no profiles.
IN_PROFILE: dict[str, type] = {"record": str, "key_command": list, "aliases": dict, "mcp": dict, "key": str}
AT_TOP: dict[str, type] = {**IN_PROFILE, "default_profile": str, "keys": dict, "profile": dict}
del AT_TOP["key"]

_KINDS: dict[object, str] = {str: "a string", list: "a list", dict: "a table"}


class Layer(NamedTuple):
    """The values of one place in the file: of the chosen profile, or of its top. `source` is how the place is named."""

    source: str
    values: Mapping[str, Any]


class ConfigFile(NamedTuple):
    """What the config file says. `layers` are its places, the one that comes first counts."""

    path: Path
    table: Mapping[str, Any]
    profile: str = ""  # the chosen one
    layers: tuple[Layer, ...] = ()

    def value(self, name: str) -> tuple[Any, str]:
        """The value of a setting and its source; (None, "") where it isn't set. A blank one isn't."""
        return next(((layer.values[name], layer.source) for layer in self.layers if is_set(layer, name)), (None, ""))

    def entries(self, name: str) -> dict[str, tuple[Any, str]]:
        """The entries of a table, such as `aliases`, with their sources; a profile's count before those of the file."""
        return {
            key: (value, layer.source)
            for layer in reversed(self.layers)
            for key, value in layer.values.get(name, {}).items()
        }


def is_set(layer: Layer, name: str) -> bool:
    """Whether this place has the setting; one that is blank is unset."""
    value = layer.values.get(name)
    return value is not None and (not isinstance(value, str) or clean(value) != "")


def flag_settings(layer: Layer) -> Iterator[tuple[str, Any]]:
    """The settings of this place that aren't known here: those with a flag's name, and wrong names."""
    own = AT_TOP.keys() | IN_PROFILE.keys()
    return ((name, value) for name, value in layer.values.items() if name not in own)


def load_file(environ: Mapping[str, str], *, profile: str | None = None, reading: Reading | None = None) -> ConfigFile:
    """What the config file says. `profile` is the flag's value, and takes precedence over COMETRESP_PROFILE.

    Raises ConfigError for a file that can't be used, UsageError where the flag names no profile of it.
    """
    path, is_given = config_path(environ)
    return chosen(path, _read_once(path, reading, required=is_given), environ, profile)


def chosen(path: Path, table: Mapping[str, Any], environ: Mapping[str, str], profile: str | None) -> ConfigFile:
    """The file with its profile chosen, and what isn't a flag's checked. Raises ConfigError and UsageError."""
    check_own(table, str(path), AT_TOP)
    top = Layer(str(path), table)
    name, source = _chosen_name(table, environ, profile)
    if not name:
        return ConfigFile(path, table, "", (top,))
    profiles = table.get("profile", {})
    where = f"{path}, profile {name}"
    if name not in profiles:
        from cometresp.nearest import nearest

        error_type = UsageError if source.startswith("--") else ConfigError
        near = nearest(name, profiles)
        known = f"profiles: {', '.join(profiles)}" if profiles else "[profile.NAME] in it makes one"
        raise error_type(f"{source}: {path} has no profile {name!r}", hint=f"did you mean {near}?" if near else known)
    return ConfigFile(path, table, name, (Layer(where, profiles[name]), top))


def check_own(table: Mapping[str, Any], where: str, known: Mapping[str, type]) -> None:
    """Raises ConfigError for settings of the wrong type, among those that aren't flags."""
    for name, kind in known.items():
        if name in table and not isinstance(table[name], kind):
            as_in = f", as in [{name}]" if kind is dict else ""
            raise ConfigError(f"{where}: {name} must be {_KINDS[kind]}{as_in}")
    for name in ("keys", "aliases"):
        for key, value in table.get(name, {}).items():
            if not isinstance(value, str):
                raise ConfigError(f"{where}: {name}.{key} must be a string")
    for name in ("profile", "mcp"):
        for key, value in table.get(name, {}).items() if name in known else ():
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {name}.{key} must be a table, as in [{name}.{key}]")
    command = table.get("key_command", ["x"])
    if not command or not all(isinstance(word, str) and word for word in command):
        raise ConfigError(f'{where}: key_command must be a list of strings, as in ["pass", "show", "comet"]')
    for key, profile in table.get("profile", {}).items() if "profile" in known else ():
        for name in AT_TOP.keys() - IN_PROFILE.keys():
            if name in profile:
                raise ConfigError(f"{where}, profile {key}: {name} stands at the top of the file only")
        check_own(profile, f"{where}, profile {key}", IN_PROFILE)


def config_path(environ: Mapping[str, str]) -> tuple[Path, bool]:
    """The config file, and whether COMETRESP_CONFIG names it."""
    if given := clean(environ.get("COMETRESP_CONFIG")):
        return expanded(given), True
    from platformdirs import user_config_path

    return user_config_path("cometresp", appauthor=False) / "config.toml", False


def clean(value: object) -> str:
    """A setting without blanks and a BOM around it; "" if it is no string."""
    return value.strip("\ufeff \t\r\n") if isinstance(value, str) else ""


def expanded(path: str) -> Path:
    """The path with the home folder for a `~` at its start, which a shell leaves alone within quotes."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for an unknown user


def parse(text: str, path: Path) -> dict[str, Any]:
    """The table that a config file's text is. Raises ConfigError."""
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Others than its own are for what Python's parser can't take.
        is_own = isinstance(error, tomllib.TOMLDecodeError)
        reason = error if is_own else "a number is too long, or it is nested too deeply"
        hint: Hint = (Next("config edit"), " opens it in an editor") if path.is_file() else ""  # it may be a pipe
        raise ConfigError(f"{path}: not valid TOML: {reason}", hint=hint) from error


def read_text(path: Path, reading: Reading | None = None) -> str:
    """The file's text. A pipe is waited for in a block of `reading`; where that is None, it is an error.

    Raises FileNotFoundError and NotADirectoryError where there is none, ConfigError where it can't be read.
    """
    try:
        with reading(str(path)) if reading else nullcontext():
            return read_file(str(path), MOST_BYTES, only_regular=reading is None).decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise ConfigError(f"{path}: the config file can't be read: {error.strerror}") from error
    except ValueError as error:  # also a NUL in the name
        raise ConfigError(f"{path}: the config file can't be read: {error}") from error


_tables: dict[Path, dict[str, Any]] = {}  # what was read in this process


def _read_once(path: Path, reading: Reading | None, *, required: bool) -> dict[str, Any]:
    """The file's table; {} where there is none. A pipe can be read only once."""
    if path not in _tables:
        try:
            _tables[path] = parse(read_text(path, reading), path)
        except (FileNotFoundError, NotADirectoryError) as error:
            if required:
                raise ConfigError(f"COMETRESP_CONFIG: can't read {path}: {error.strerror}") from error
            return {}
    return _tables[path]


def _chosen_name(table: Mapping[str, Any], environ: Mapping[str, str], profile: str | None) -> tuple[str, str]:
    """The chosen profile, "" for none, and what chose it."""
    if profile is not None:
        if not clean(profile):
            raise UsageError("--profile: must not be empty")
        return clean(profile), "--profile"
    if name := clean(environ.get("COMETRESP_PROFILE")):
        return name, "COMETRESP_PROFILE"
    return clean(table.get("default_profile")), "default_profile"
