"""A Typer command that takes named tuples of options: Typer sees their fields, the command gets the tuples.

Declaring some eighty options takes longer than all else that is done before a request is sent, so a command line is
parsed with the few that it names, and with all of them where anything about it is unclear (`Declaration.naming`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from inspect import Parameter, Signature
from types import MappingProxyType
from typing import Annotated, Any

from cometresp.options.fields import facts_of, names_of, option_of
from cometresp.text import DASHES


def spread(
    command: Callable[..., None], *, hidden: Collection[str] = (), without: Collection[str] = ()
) -> Callable[..., None]:
    """Replace each parameter whose annotation is a named tuple by the fields of that tuple.

    Flags of `hidden` fields can be typed, but aren't shown: for this command they mean nothing, or an error. The fields
    in `without` are no flags of the command: they keep their defaults.

    The function has the names of these fields as `shared`: the config file has defaults for them.
    """
    groups: dict[str, tuple[Any, tuple[str, ...]]] = {}
    for name, annotation in command.__annotations__.items():
        if name != "return" and hasattr(annotation, "_field_defaults"):
            groups[name] = annotation, tuple(member for member in annotation._fields if member not in without)

    def run(**given: Any) -> None:
        for name, (group, members) in groups.items():
            given[name] = group(**{member: given.pop(member) for member in members if member in given})
        command(**given)

    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    run.__annotations__ = {}
    run.__signature__ = Declaration(command, groups, hidden)  # type: ignore[attr-defined]
    run.shared = frozenset(field for _, members in groups.values() for field in members)  # type: ignore[attr-defined]
    return run


class Declaration(Signature):
    """The signature that Typer reads, with the fields of the `groups` in place of these; or only with those `named`.

    It is built from the annotations as evaluated objects, when it is asked for.
    """

    def __init__(
        self,
        command: Callable[..., None],
        groups: Mapping[str, tuple[Any, tuple[str, ...]]],
        hidden: Collection[str],
        named: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        self._command, self._groups, self._hidden, self._named = command, groups, hidden, named

    def naming(self, words: Sequence[str]) -> "Declaration | None":
        """The same with no more fields than these words of a command line may name.

        None where a word is no flag of a field, but begins like one, or is a long flag with one dash: all flags are
        needed for what is said of it.
        """
        fields = self._fields
        named = set()
        for word in words:
            if word in ("", "-", "--") or word[0] not in f"-{DASHES}":
                continue  # words behind `--` count, since that may be the value of a flag
            flags = {word.partition("=")[0]} if word.startswith("--") else {f"{word[0]}{letter}" for letter in word[1:]}
            if not flags <= fields.keys() or f"-{word}" in fields:
                return None
            named |= {fields[flag] for flag in flags}
        return Declaration(self._command, self._groups, self._hidden, named - {""})

    @cached_property
    def parameters(self) -> MappingProxyType[str, Parameter]:
        return MappingProxyType({parameter.name: parameter for parameter in self._parameters_of_command()})

    @cached_property
    def _fields(self) -> dict[str, str]:
        """The field of each flag; "" for a flag of the command's own."""
        found: dict[str, str] = {}
        for name, annotation in self._command.__annotations__.items():
            group, members = self._groups.get(name, (None, ()))
            kinds = group.__annotations__ if group is not None else {"": annotation}
            for member in members or kinds:
                for option in facts_of(kinds[member])[1:2]:
                    for flag in names_of(option):
                        found |= dict.fromkeys(flag.split("/"), member)
        return found

    def _parameters_of_command(self) -> Iterator[Parameter]:
        command = self._command
        positional = command.__code__.co_varnames[: command.__code__.co_argcount]
        defaults = dict(zip(reversed(positional), reversed(command.__defaults__ or ()), strict=False))
        defaults |= command.__kwdefaults__ or {}
        for name, annotation in command.__annotations__.items():
            if name in self._groups:
                group, members = self._groups[name]
                for member in members:
                    if self._named is None or member in self._named:
                        kind = _shown(group.__annotations__[member], member in self._hidden)
                        default = group._field_defaults[member]
                        yield Parameter(member, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            elif name != "return":
                default = defaults.get(name, Parameter.empty)
                yield Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _shown(annotation: Any, hidden: bool) -> Any:
    """The annotation of a field for Typer; its flag is not shown where it is `hidden`."""
    option = option_of(annotation)
    if hidden:
        option = copy(option)
        option.hidden = True
    return Annotated[facts_of(annotation)[0], option]
