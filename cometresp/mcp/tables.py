"""What a table `[mcp.NAME]` of the settings may have. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from cometresp.errors import ConfigError
from cometresp.nearest import nearest
from cometresp.text import command_words, quoted

_KEYS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "command": ((str, list), "a string, or a list of strings"),
    "args": (list, "a list of strings"),
    "env": (dict, "a table of strings"),
    "url": (str, "a string"),
    "headers": (dict, "a table of strings"),
    "tools": (list, "a list of strings"),
    "timeout": ((int, float), "a number of seconds"),
}
_LONGEST_TIMEOUT = 86_400


def command_of(where: str, table: Mapping[str, Any]) -> list[str]:
    """The words of the table's command, none where it has a URL. Raises ConfigError for what a table can't have."""
    for fault in faults_of(where, table):
        raise fault
    command = table.get("command", [])
    return split(command) if isinstance(command, str) else list(command)


def split(command: str) -> list[str]:
    """The words of a command, as a shell splits them. Raises ValueError, which says what is wrong, without it."""
    try:
        words = command_words(command)
    except ValueError as error:
        raise ValueError(f"is no command: {str(error).lower()}") from None
    if not words or not words[0]:
        raise ValueError("must not be empty")
    if any("\0" in part for part in words):
        raise ValueError("has a NUL character")
    return words


def faults_of(where: str, table: Mapping[str, Any]) -> Iterator[ConfigError]:
    """What is wrong in a table. Of its values nothing is in the messages: they may be secrets."""
    sound = dict(table)
    for key, value in table.items():
        if fault := _fault(where, key, value):
            yield fault
            del sound[key]
    if ("command" in table) == ("url" in table):
        yield ConfigError(f"{where}: must have either command or url")
    for key, other in (("args", "command"), ("env", "command"), ("headers", "url")):
        if key in table and other not in table:
            yield ConfigError(f"{where}: {key} goes with {other}")
    command = sound.get("command", "x")
    if command in ([], [""], ""):
        yield ConfigError(f"{where}: command must not be empty")
    elif isinstance(command, str):
        try:
            split(command)
        except ValueError as error:
            yield ConfigError(f"{where}: command {error}")
    if not 0 < sound.get("timeout", 1) <= _LONGEST_TIMEOUT:
        yield ConfigError(f"{where}: timeout must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")


def _fault(where: str, key: str, value: Any) -> ConfigError | None:
    """What is wrong with a key, or the type of its value."""
    if key not in _KEYS:
        near = nearest(key, _KEYS)
        hint = f"did you mean {near}?" if near else f"the keys are {', '.join(_KEYS)}"
        return ConfigError(f"{where}: unknown key {quoted(key)}", hint=hint)
    types, what = _KEYS[key]
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    if not isinstance(value, types) or isinstance(value, bool) or not all(isinstance(one, str) for one in inner):
        return ConfigError(f"{where}: {key} must be {what}")
    return None
