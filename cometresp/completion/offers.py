"""What can stand at a place of the command line: commands, flags, and the values of flags and arguments.

The line is walked word by word, not parsed: what is wrong elsewhere on it doesn't matter.
"""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cometresp.completion import values
from cometresp.completion.values import Offer
from cometresp.help.words import flags_of, looks_like_flag, takes_value
from cometresp.tuples import NamedTuple

WORDS, FILES, DIRECTORIES = "words", "files", "directories"


_PLACES = ("--base-url", "--profile", "--template")


class Offers(NamedTuple):
    """What is offered: words, or names of files that the shell completes itself."""

    kind: str = WORDS
    words: Sequence[Offer] = ()


class Place(NamedTuple):
    """Where on the line the cursor is.

    `flag` is the one whose value comes next, None for none; `arguments` are those before the cursor, and
    `only_arguments` is whether a `--` stands before it. Functions that suggest values get the place as their `ctx`.
    """

    root: Any
    command: Any
    flag: Any = None
    arguments: tuple[str, ...] = ()
    only_arguments: bool = False
    given: tuple[str, ...] = ()  # the names of the flags before the cursor
    values: Mapping[str, str] = MappingProxyType({})  # those of the flags before the cursor that say where to look

    @property
    def offline(self) -> bool:
        return "--offline" in self.given

    @property
    def base_url(self) -> str | None:
        return self.values.get("--base-url")

    def behind(self, flag: str, value: str) -> "Place":
        """The same place, with the value of a flag."""
        return self._replace(values={**self.values, flag: value}) if flag in _PLACES else self


def offers(root: Any, words: Sequence[str], typed: str) -> Offers:
    """What can replace the word that was `typed` behind these words; each offer is a whole word."""
    place = _walked(root, words)
    if place is None:
        return Offers()
    if place.flag is not None:
        return _values(place, place.flag, typed)
    if not place.only_arguments and (typed in ("-", "--") or looks_like_flag(typed)):
        return _flags(_at_default(place), typed)
    if _is_group(place.command):
        names = [name for name in place.command.list_commands(None) if name.startswith(typed)]
        found = [(name, place.command.get_command(None, name)) for name in names]
        more = values.files(typed) if _at_default(place) is not place else []
        return Offers(words=[*(Offer(name, _summary(one)) for name, one in found if one and not one.hidden), *more])
    arguments = [param for param in place.command.params if param.param_type_name == "argument"]
    if not arguments:
        return Offers()
    count = len(place.arguments)
    index = min(count, len(arguments) - 1)
    return _values(place, arguments[index], typed) if index == count or arguments[-1].nargs < 0 else Offers()


def _walked(root: Any, words: Sequence[str]) -> Place | None:
    """The place behind these words; None behind one that is no command."""
    place = Place(root, root)
    for word in words:
        if _is_group(place.command) and word not in place.command.commands:
            place = _at_default(place)
        if place.flag is not None:
            place = place.behind(place.flag.opts[0], word)._replace(flag=None)
        elif place.only_arguments or not (word == "--" or looks_like_flag(word)):
            if not _is_group(place.command):
                place = place._replace(arguments=(*place.arguments, word))
            elif (command := place.command.get_command(None, word)) is None:
                return None
            else:
                place = place._replace(command=command)
        elif word == "--":
            place = place._replace(only_arguments=True)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            param = _flag_named(place, name)
            takes_next = not equals and _takes_value(param)
            place = place.behind(name, value) if equals else place
            place = place._replace(flag=param if takes_next else None, given=(*place.given, name))
        else:
            place = _behind_letters(place, word)
    return place


def _at_default(place: Place) -> Place:
    """The same place, in the command that the name of a group stands for, if there is one."""
    default = getattr(place.command, "default", None)
    return place if default is None else place._replace(command=default)


def _behind_letters(place: Place, word: str) -> Place:
    """The place behind a word such as `-cm` or `-mgpt-5`: a letter that takes a value takes the rest of the word."""
    for at in range(1, len(word)):
        name = f"-{word[at]}"
        place = place._replace(given=(*place.given, name))
        param = _flag_named(place, name)
        if _takes_value(param):
            return place._replace(flag=param if at == len(word) - 1 else None)
    return place


def _flags(place: Place, typed: str) -> Offers:
    """The names of flags; or values, where the word has a flag and the start of its value: `--effort=h`, `-mgpt`."""
    if typed.startswith("--"):
        name, equals, value = typed.partition("=")
        if equals:
            param = _flag_named(place, name)
            return _values(place, param, value, f"{name}=") if _takes_value(param) else Offers()
    else:
        for at in range(1, len(typed) - 1):
            param = _flag_named(place, f"-{typed[at]}")
            if _takes_value(param):
                return _values(place, param, typed[at + 1 :], typed[: at + 1])
    found = []
    for param in place.command.get_params(None):
        names = [*param.opts, *param.secondary_opts]
        repeatable = getattr(param, "multiple", False) or not set(names) & set(place.given)
        if param.param_type_name == "option" and not param.hidden and repeatable:
            found += [Offer(name, _line(param.help)) for name in names if name.startswith(typed)]
    return Offers(words=found)


def _values(place: Place, param: Any, typed: str, before: str = "") -> Offers:
    """What can stand behind a flag or for an argument; with the part of the word `before` it in each offer."""
    kind, found = _found(place, param, typed)
    if kind != WORDS and before:  # a shell takes the whole word for a name of a file
        kind, found = WORDS, values.files(typed, before, only_directories=kind == DIRECTORIES)
    elif kind == WORDS:
        found = [offer._replace(value=before + offer.value) for offer in found]
    return Offers(kind, found if kind == WORDS else ())


def _found(place: Place, param: Any, typed: str) -> tuple[str, Sequence[Offer]]:
    """The kind of the values, and those that begin as typed."""
    names = set(param.opts)
    is_schema = names & values.SCHEMA_FLAGS or (param.param_type_name == "argument" and param.metavar == "SPEC")
    if names & values.AT_FLAGS or is_schema:
        if typed.startswith("@") and typed != "@@":
            return WORDS, values.files(typed[1:], "@")
        if is_schema:
            return FILES if not typed.startswith("{") else WORDS, ()
    if "--template" in names:
        return WORDS, values.templates(typed)
    if "--var" in names and "=" not in typed:
        return WORDS, values.variables(place.values.get("--template"), typed)
    for flag, mark in values.KEYED_FILES.items():
        if flag in names:
            key, equals, rest = typed.partition("=")
            behind = bool(equals) and rest.startswith(mark)
            return WORDS, values.files(rest[len(mark) :], f"{key}={mark}") if behind else ()
    if names & values.FILE_FLAGS or param.metavar in ("FILE", "PATH"):
        return FILES, ()
    if names & values.DIRECTORY_FLAGS or param.metavar == "DIR":
        return DIRECTORIES, ()
    listed = next((words for name in param.opts if (words := values.words_of(name)) is not None), None)
    if listed is None:
        listed = _declared(place, param, typed)
    return WORDS, [offer for offer in listed if offer.value.startswith(typed)]


def _declared(place: Place, param: Any, typed: str) -> list[Offer]:
    """What the parameter's own declaration says: its choices, or the function of `autocompletion`."""
    if choices := getattr(param.type, "choices", None):
        return [Offer(str(getattr(choice, "value", choice))) for choice in choices]
    if profile := place.values.get("--profile"):  # the settings are read as those of the environment
        os.environ["COMETRESP_PROFILE"] = profile
    items = param.shell_complete(place, typed)
    return [Offer(item.value, item.help or "") for item in items if item.type == "plain"]


def _flag_named(place: Place, name: str) -> Any:
    return flags_of(place.command.params).get(name)


def _takes_value(param: Any) -> bool:
    return param is not None and takes_value(param)


def _is_group(command: Any) -> bool:
    return hasattr(command, "list_commands")


def _summary(command: Any) -> str:
    return _line((command.help or "").partition("\n\n")[0])


def _line(text: str | None) -> str:
    """A help text on one line; in the source its brackets are escaped from Rich."""
    return " ".join((text or "").replace("\\[", "[").split())
