"""What is wrong in a config file, all of it. A command that uses the file stops at the first fault that concerns it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from cometresp.config import Record, Value, normal_url, resolved_model
from cometresp.config_file import (
    AT_TOP,
    IN_PROFILE,
    ConfigFile,
    Layer,
    check_own,
    clean,
    config_path,
    load_file,
)
from cometresp.errors import ConfigError
from cometresp.paths import Reading
from cometresp.settings.editing import read
from cometresp.settings.flags import checked


def faults(path: Path, table: Mapping[str, Any]) -> list[ConfigError]:
    """The faults of a file with this content, in its order; those of profiles come last."""
    found: list[ConfigError] = []
    profiles = table.get("profile", {})
    top = Layer(str(path), table)
    layers = [top]
    if isinstance(profiles, dict):
        layers += [Layer(f"{path}, profile {name}", one) for name, one in profiles.items() if isinstance(one, dict)]
    for layer in layers:
        found += _of_layer(ConfigFile(path, table, "", (layer, top) if layer is not top else (top,)))
    chosen = table.get("default_profile")
    if clean(chosen) and isinstance(profiles, dict) and clean(chosen) not in profiles:
        found.append(ConfigError(f"default_profile: {path} has no profile {chosen!r}"))
    return found


def faults_of_file(path: Path) -> list[ConfigError]:
    """The faults of the file, none where it isn't there."""
    try:
        return faults(path, read(path))
    except ConfigError as error:
        return [error]


def loaded(environ: Mapping[str, str], profile: str | None, reading: Reading) -> tuple[ConfigFile, list[ConfigError]]:
    """The file with its profile, and what is wrong with it; of a faulty file what can be used.

    Raises UsageError where `profile`, the flag's value, isn't in it.
    """
    try:
        file = load_file(environ, profile=profile, reading=reading)
    except ConfigError as error:
        path = config_path(environ)[0]
        return _usable(path), faults_of_file(path) or [error]
    return file, faults(file.path, file.table)


def _usable(path: Path) -> ConfigFile:
    """The file without a profile, and without those of its tables that are none."""
    try:
        table = read(path)
    except ConfigError:
        table = {}
    tables = [name for name, kind in AT_TOP.items() if kind is dict]
    sound = {name: value for name, value in table.items() if name not in tables or isinstance(value, dict)}
    return ConfigFile(path, sound, "", (Layer(str(path), sound),))


def _of_layer(file: ConfigFile) -> Iterator[ConfigError]:
    source, values = file.layers[0]
    known = AT_TOP if len(file.layers) == 1 else IN_PROFILE
    for name, value in values.items():
        try:
            if name in AT_TOP or name in IN_PROFILE:
                check_own({name: value}, source, known)
            else:
                checked(name, value, source)
            _check_value(name, value, file)
        except ConfigError as error:
            yield error


def _check_value(name: str, value: Any, file: ConfigFile) -> None:
    """Raises ConfigError for a value of the right type that can't be used."""
    source = file.layers[0].source
    if name == "base_url" and clean(value):
        normal_url(Value(value, source, in_file=True))
    elif name == "record" and clean(value) and clean(value) not in get_args(Record):
        raise ConfigError(f"{source}: record must be full, ids or none, not {value!r}")
    elif name == "keys":
        for url in value:
            normal_url(Value(url, source, in_file=True))
    elif name == "aliases":
        for alias in value:
            resolved_model(alias, file)
