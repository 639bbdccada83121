"""Give the flags of a command line that weren't typed the values of the profile and the config file.

A flag takes precedence over the file; so does one that excludes another: with `--json` typed, a configured `extract`
doesn't count. What a turn takes over from its chain isn't filled where it continues one.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from cometresp.config_file import ConfigFile
from cometresp.settings.flags import checked, setting_named

# Flags of which one at most can be given, by their fields.
_EXCLUSIVE = (
    {"format", "json", "events", "extract", "extract_last"},
    {"format", "events", "extract", "extract_last", "select"},
    {"extract", "extract_last", "schema", "schema_multi", "json_object"},
    {"continue_", "from_", "previous_response_id", "conversation"},
    {"base_url", "offline"},
    {"dry_run", "curl"},
    {"no_stream", "include_obfuscation"},
    {"instructions", "no_instructions"},
    {"tool", "no_tools"},
)
_OF_THE_CHAIN = {"instructions", "tool", "store", "model"}
# These are in `Config`: variables come before the file.
_IN_CONFIG = {"base_url", "model", "chain", "no_stdin", "plain"}


class Filled(NamedTuple):
    """A value that a flag got, and the place that it stands in."""

    value: Any
    source: str
    flag: str


def filled(file: ConfigFile, fields: Collection[str], typed: Collection[str], *, continues: bool) -> dict[str, Filled]:
    """The values for the `fields` of a command that weren't `typed`. Raises ConfigError for any wrong one in the file.

    `continues`: the turn takes instructions, tools and `store` from its chain.
    """
    found: dict[str, Filled] = {}
    taken = set(typed)
    for layer in file.layers:  # a place takes precedence as a whole: what it excludes doesn't come from the next one
        values = _of_layer(file, layer.source)
        fitting = {field: value for field, value in values.items() if field in fields and not excluded(field, taken)}
        found |= fitting
        taken |= fitting.keys()
    left_out = _IN_CONFIG | (_OF_THE_CHAIN if continues else set())
    return {field: value for field, value in found.items() if field not in left_out}


def _of_layer(file: ConfigFile, source: str) -> dict[str, Filled]:
    values: dict[str, Filled] = {}
    for name, value, place in file.settings:
        if place == source:
            setting = setting_named(name, place)
            values[setting.field] = Filled(checked(name, value, place), place, setting.flag)
    return values


def excluded(field: str, taken: Collection[str]) -> bool:
    return field in taken or any(field in family and family & set(taken) for family in _EXCLUSIVE)


def merged_headers(values: Mapping[str, Filled], typed: list[str] | None) -> list[str] | None:
    """The headers of the file before those that were typed, which replace them name by name."""
    configured = values["header"].value if "header" in values else []
    return [*configured, *(typed or [])] or None
