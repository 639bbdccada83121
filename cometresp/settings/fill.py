"""Give the flags of a command line that weren't typed the values of the profile and the config file.

A flag takes precedence over the file; so does one that excludes another: with `--json` typed, a configured `extract`
doesn't count. What a turn takes over from its chain isn't filled where it continues one.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from cometresp.config_file import ConfigFile, Layer, flag_settings, is_set
from cometresp.errors import ConfigError
from cometresp.settings.flags import checked, setting_named
from cometresp.settings.relations import continues, excluded, is_given, lacks
from cometresp.tuples import NamedTuple

_OF_THE_CHAIN = {"instructions", "tool", "store", "model"}
# These are in `Config`: variables come before the file.
_IN_CONFIG = {"base_url", "model", "chain", "no_stdin", "plain"}


class Filled(NamedTuple):
    """A value that a flag got, and the place that it stands in."""

    value: Any
    source: str
    flag: str


OnFault = Callable[[str, ConfigError], object]  # gets the name of the setting


def filled(
    file: ConfigFile, fields: Collection[str], typed: Mapping[str, Any], *, command: str = ""
) -> dict[str, Filled]:
    """The values for the `fields` of a command that weren't `typed`. Raises ConfigError for any wrong one in the file.

    What can't apply to this command line is left out.
    """
    found = counting(file, typed, command=command, fields=fields)
    given = {**typed, **_given(found)}
    while lacking := [field for field in found if lacks(field, given, command)]:
        for field in lacking:
            del found[field]
            given.pop(field, None)
    left_out = _IN_CONFIG | (_OF_THE_CHAIN if continues(given, command) else set())
    if "store" in found and found["store"].value is False:  # of `store`, a chain has only --no-store
        left_out = left_out - {"store"}
    return {field: value for field, value in found.items() if field not in left_out}


def counting(
    file: ConfigFile,
    typed: Mapping[str, Any],
    *,
    command: str = "",
    fields: Collection[str] | None = None,
    on_fault: OnFault | None = None,
) -> dict[str, Filled]:
    """The values that count of all places of the file, by their fields; of all flags where `fields` is None.

    A wrong value is left out where there is `on_fault`, which gets the error. Else it raises ConfigError.
    """
    found: dict[str, Filled] = {}
    given = dict(typed)
    for layer in file.layers:  # a place takes precedence as a whole: what it excludes doesn't come from the next one
        values = of_layer(layer, on_fault)
        values = {field: one for field, one in values.items() if field not in given and field not in found}
        values = {field: one for field, one in values.items() if fields is None or field in fields}
        before = {**given, **({"wait": True} if "wait" in _given(values) else {})}
        fitting = {field: one for field, one in values.items() if not _excluded(field, one.value, before, command)}
        found |= fitting
        given |= _given(fitting)
    return found


def of_layer(layer: Layer, on_fault: OnFault | None = None) -> dict[str, Filled]:
    """The values in one place of the file, by their fields."""
    values: dict[str, Filled] = {}
    names: dict[str, str] = {}
    for name, value in flag_settings(layer):
        try:
            setting = setting_named(name, layer.source)
            if not is_set(layer, name):
                continue
            _check_new(name, names.setdefault(setting.field, name), layer.source)
            values[setting.field] = Filled(checked(name, value, layer.source), layer.source, setting.flag)
        except ConfigError as error:
            if on_fault is None:
                raise
            on_fault(name, error)
    return values


def _check_new(name: str, first: str, where: str) -> None:
    """Raises ConfigError where a flag is set by two of its names in one place."""
    if name != first:
        raise ConfigError(f"{where}: {first} and {name} are the same flag")


def _given(values: Mapping[str, Filled]) -> dict[str, Any]:
    return {field: one.value for field, one in values.items() if is_given(field, one.value)}


def _excluded(field: str, value: Any, given: Mapping[str, Any], command: str) -> bool:
    return is_given(field, value) and excluded(field, value, given, command)


def merged_headers(values: Mapping[str, Filled], typed: list[str] | None) -> list[str] | None:
    """The headers of the file before those that were typed, which replace them name by name."""
    configured = values["header"].value if "header" in values else []
    return [*configured, *(typed or [])] or None
