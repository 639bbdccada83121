"""What is wrong in a config file, all of it. A command that uses the file stops at the first fault that concerns it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cometresp.config import Value, normal_url, record_of, resolved_model
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
from cometresp.errors import ConfigError, UsageError
from cometresp.mcp.tables import faults_of
from cometresp.options.asked import Asked
from cometresp.options.batch import SETTABLE, BatchOptions, check_batch
from cometresp.options.tables import (
    ChainOptions,
    ConnectionOptions,
    LoopOptions,
    OutputOptions,
    RequestOptions,
    wire_paths,
)
from cometresp.options.values import check
from cometresp.paths import Reading
from cometresp.request import rules
from cometresp.settings.editing import read
from cometresp.settings.fill import of_layer
from cometresp.settings.flags import Setting, settings
from cometresp.text import escape_line

_SHOWN = 80  # characters of a name in a message
_CHECKED_FIELDS = ("temperature", "top_p", "top_logprobs", "max_output_tokens", "max_tool_calls", "safety_identifier")


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
    return list({fault.message: fault for fault in found}.values())


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
    layer = file.layers[0]
    wrong: dict[str, ConfigError] = {}
    values = of_layer(layer, wrong.setdefault)
    for name, value in layer.values.items():
        if name in AT_TOP or name in IN_PROFILE:
            yield from _of_own(name, value, file)
        elif name in wrong:
            yield wrong[name]
        elif (setting := settings()[name]).field in values:
            yield from _raised(partial(_check_flag, name, setting, values[setting.field].value, file))


def _of_own(name: str, value: Any, file: ConfigFile) -> Iterator[ConfigError]:
    """The faults of a setting that is no flag, or of each entry of a table."""
    source, in_profile = file.layers[0].source, len(file.layers) > 1
    pieces = [{key: inner} for key, inner in value.items()] if isinstance(value, dict) and value else [value]
    if name == "profile":  # what is in them comes later
        pieces = [
            piece
            for piece in pieces
            if not (isinstance(piece, dict) and all(isinstance(inner, dict) for inner in piece.values()))
        ]
    for piece in pieces:
        faults = list(_raised(partial(_check_own, {name: piece}, source, in_profile=in_profile)))
        yield from faults or _of_piece(name, piece, file)


def _check_own(table: Mapping[str, Any], source: str, *, in_profile: bool) -> None:
    if in_profile and (outside := [name for name in table if name not in IN_PROFILE]):
        raise ConfigError(f"{source}: {outside[0]} stands at the top of the file only")
    check_own(table, source, IN_PROFILE if in_profile else AT_TOP)


def _of_piece(name: str, piece: Any, file: ConfigFile) -> Iterator[ConfigError]:
    """What is wrong with a setting of the right type, or with one entry of a table."""
    source = file.layers[0].source
    if name == "record" and clean(piece):
        yield from _raised(partial(record_of, Value(clean(piece), source)))
    elif name == "keys":
        for url in piece:
            yield from _raised(partial(normal_url, Value(url, source, in_file=True)))
    elif name == "aliases":
        for alias in piece:
            yield from _raised(partial(resolved_model, alias, file))
    elif name == "mcp":
        for key, table in piece.items():
            yield from faults_of(f"{source}: mcp.{escape_line(key, _SHOWN)}", table)


def _check_flag(name: str, setting: Setting, value: Any, file: ConfigFile) -> None:
    """Raises ConfigError for a value that no command takes: by the checks of its flag, as if it were typed alone."""
    source, field = file.layers[0].source, setting.field
    if field == "base_url":
        normal_url(Value(value, source, in_file=True))
        return
    try:
        if field in ConnectionOptions._fields:
            check(ConnectionOptions(offline=True)._replace(**{field: value}), OutputOptions())
        elif field in OutputOptions._fields:
            check(ConnectionOptions(), OutputOptions()._replace(**{field: value}))
        elif field in SETTABLE:
            check_batch(BatchOptions()._replace(**{field: value}))
        elif field in LoopOptions._fields or field == "fallback_model":
            request, loop = RequestOptions(), LoopOptions()
            given = (loop if field in LoopOptions._fields else request)._replace(**{field: value})
            request, loop = (request, given) if isinstance(given, LoopOptions) else (given, loop)
            asked = Asked([], request, ChainOptions(), loop, OutputOptions(), ConnectionOptions(), False, False)
            asked.check()
        elif (path := wire_paths(RequestOptions).get(field)) in _CHECKED_FIELDS:
            rules.check({path: value}, lambda _: None)
    except UsageError as error:
        message = error.message.removeprefix(f"{setting.flag}: ")
        raise ConfigError(f"{source}: {name}: {message}", hint=error.hint) from error


def _raised(run: Callable[[], object]) -> Iterator[ConfigError]:
    """The error of a check, if it raises one."""
    try:
        run()
    except ConfigError as error:
        yield error
