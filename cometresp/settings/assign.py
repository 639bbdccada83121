"""NAME and VALUE of `config set` -> a place in the file and what is written there, checked. Pure."""

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path as FilePath
from typing import Any

from cometresp.config_file import AT_TOP, IN_PROFILE
from cometresp.errors import CometrespError, ConfigError, Next, UsageError
from cometresp.settings.checks import faults
from cometresp.settings.document import Path, Unchangeable, apply, dotted, split_name
from cometresp.settings.flags import OWN, setting_named, settings
from cometresp.text import quoted, shell_flag

_IN_TABLES = ("keys", "aliases", "mcp")
_QUOTES = "names are separated by dots; one with other signs needs quotes, as in 'aliases.\"my model\"'"


def path_of(name: str, profile: str | None = None) -> Path:
    """The place of a setting in the file; `profile` is that of a flag. Raises UsageError for a name that isn't known.

    A name may be written as its flag is: `reasoning-effort`.
    """
    path = split_name(name)
    if path is None:
        raise UsageError(f"NAME: {quoted(name)} can't be the name of a setting", hint=_QUOTES)
    if profile is not None:
        path = ("profile", profile, *path)
    place = 2 if path[0] == "profile" else 0
    if len(path) > place:
        path = (*path[:place], _known(path[place], in_profile=place > 0), *path[place + 1 :])
        if len(path) > place + 1 and path[place] not in _IN_TABLES:
            raise UsageError(f"NAME: {dotted(path[: place + 1])} is no table")
    return path


def _known(name: str, *, in_profile: bool) -> str:
    """The name of a setting as the file has it. Raises UsageError."""
    written = name.replace("-", "_")
    own = IN_PROFILE if in_profile else AT_TOP
    if written in settings() or written in own or written == "key":  # which stands in profiles
        return written
    if in_profile and written in AT_TOP:
        raise UsageError(f"NAME: {written} stands at the top of the file only")
    try:
        return setting_named(written, "NAME").name
    except ConfigError as error:
        raise UsageError(error.message, hint=error.hint) from error


def check_settable(path: Path) -> None:
    """Raises UsageError for a table, and for a key, which the list of processes would show."""
    inner = path[2:] if path[0] == "profile" else path
    if inner[:1] in (("key",), ("keys",)):
        profile = path[1] if path[0] == "profile" else None
        raise UsageError(
            f"NAME: a key is no argument, since the list of processes would show it: {dotted(path[:-1] or path)}",
            hint=(
                Next("config set-key", "" if profile is None else (shell_flag("--profile", profile),)),
                " asks for it",
            ),
        )
    least = {"aliases": 2, "mcp": 3}.get(inner[0], 1) if inner else 1
    if len(inner) < least:
        raise UsageError(f"NAME: {dotted(path)} is a table", hint=f"{dotted(path)}.NAME is a value in it")
    if inner[0] == "aliases" and len(inner) > least:
        known = dotted(("aliases", ".".join(inner[1:])))
        raise UsageError(f"NAME: {dotted(path)}: a name with dots needs quotes", hint=f"as in '{known}'")


def value_for(path: Path, text: str) -> Any:
    """What a VALUE means: TOML as far as the setting takes it, else a string."""
    inner = path[2:] if path[0] == "profile" else path
    name = inner[0]
    kind = OWN[name] if name in OWN else settings()[name].kind
    given = _toml(text)
    if kind is str or name == "aliases":
        return given if isinstance(given, str) else text
    if kind is list and name != "key_command":
        return given if isinstance(given, list) else [given if isinstance(given, str) else text]
    return text if given is None else given


def _toml(text: str) -> Any:
    """The value that a text is in TOML, None where it is none; dates are none, since no setting takes them."""
    try:
        table = tomllib.loads(f"value = {text}\n")
    except (ValueError, RecursionError):
        return None
    value = table["value"]
    return value if len(table) == 1 and isinstance(value, str | bool | int | float | list | dict) else None


def check_change(file: FilePath, table: Mapping[str, Any], path: Path, value: Any) -> None:
    """Raises UsageError where the file would have a fault with this value that it doesn't have now."""
    changed = deepcopy(dict(table))
    try:
        apply(changed, path, value)
    except Unchangeable as error:
        raise UsageError(f"NAME: {error}") from error
    before = {fault.message for fault in faults(file, table)}
    new = [fault for fault in faults(file, changed) if fault.message not in before]
    if new:
        raise _about_argument(new[0], file)


def _about_argument(fault: CometrespError, file: FilePath) -> UsageError:
    """The fault, named after the argument in place of the file."""
    message = fault.message.removeprefix(str(file)).lstrip(", :")
    return UsageError(f"VALUE: {message}", hint=fault.hint)
