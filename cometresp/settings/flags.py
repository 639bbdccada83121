"""Every setting that has a flag's name: its field, its flag, and which values it takes, from the tables of options.

`reasoning_effort = "low"` is what `--reasoning-effort low` types. Any long name of a flag will do (`effort`).
"""

from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from cometresp.config_file import AT_TOP, IN_PROFILE
from cometresp.errors import ConfigError
from cometresp.options.batch import SETTABLE, BatchOptions
from cometresp.options.fields import facts_of, names_of
from cometresp.options.tables import ChainOptions, ConnectionOptions, LoopOptions, OutputOptions, RequestOptions
from cometresp.tuples import NamedTuple

_UNSETTABLE = {"profile"}  # which place of the file counts can't stand in the file; `default_profile` says it

OWN = AT_TOP | IN_PROFILE  # the settings that aren't flags; of a flag with the same name another one counts: mcp_server


class Setting(NamedTuple):
    """`field` of the options; `flag` as it is typed; `kind` of its value, with the `choices` if they are fixed."""

    name: str
    field: str
    flag: str
    kind: type
    choices: tuple[str, ...] = ()

    @property
    def values(self) -> str:
        """What it takes, in words."""
        words = {
            bool: "true or false",
            int: "a whole number",
            float: "a number",
            str: "a string",
            list: "a list of strings",
        }
        return " or ".join(filter(None, (", ".join(self.choices[:-1]), *self.choices[-1:]))) or words[self.kind]


@cache
def settings() -> dict[str, Setting]:
    """Every setting by each of its names."""
    found: dict[str, Setting] = {}
    for options in (RequestOptions, ChainOptions, LoopOptions, OutputOptions, ConnectionOptions, BatchOptions):
        for field, annotation in options.__annotations__.items():
            if field not in _UNSETTABLE and (options is not BatchOptions or field in SETTABLE):
                kind, option, *_ = facts_of(annotation)
                names = _names(option)
                setting = Setting(names[0], field, f"--{names[0].replace('_', '-')}", *_kind(kind))
                found |= dict.fromkeys(names, setting)
    return found


def _names(option: Any) -> list[str]:
    """The long names of an option of a table, as settings."""
    flags = [flag.partition("/")[0] for flag in names_of(option)]
    return [flag[2:].replace("-", "_") for flag in flags if flag.startswith("--")]


def _kind(annotation: Any) -> tuple[type, tuple[str, ...]]:
    """The type of a field's values, and the words that it takes if they are fixed."""
    if get_origin(annotation) is Literal:
        return str, get_args(annotation)
    if (origin := get_origin(annotation)) is not None and origin is not list:
        [annotation] = [member for member in get_args(annotation) if member is not NoneType]
        return _kind(annotation)
    return origin or annotation, ()


def setting_named(name: str, where: str) -> Setting:
    """The setting of this name. Raises ConfigError with the nearest one where there is none."""
    if found := settings().get(name):
        return found
    from cometresp.nearest import nearest

    near = nearest(name.replace("_", "-"), [known.replace("_", "-") for known in {*settings(), *IN_PROFILE, *AT_TOP}])
    hint = f"did you mean {near.replace('-', '_')}?" if near else "a flag's long name, without the dashes"
    raise ConfigError(f"{where}: unknown setting {name[:80]!r}", hint=hint)


def checked(name: str, value: Any, where: str) -> Any:
    """The value as its flag gives it to a command. Raises ConfigError, without the value, which may be a secret."""
    setting = setting_named(name, where)
    if setting.kind is list and isinstance(value, str):
        value = [value]
    if setting.kind is float and type(value) is int:
        value = float(value)
    if setting.choices and isinstance(value, str):
        value = value.lower()
    if (
        type(value) is not setting.kind
        or (setting.choices and value not in setting.choices)
        or (isinstance(value, list) and not all(isinstance(entry, str) for entry in value))
    ):
        raise ConfigError(f"{where}: {name} must be {setting.values}")
    return value
