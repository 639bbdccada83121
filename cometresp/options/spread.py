"""A Typer command that takes named tuples of options: Typer sees their fields, the command gets the tuples."""

from collections.abc import Callable, Collection
from copy import copy
from inspect import Parameter, Signature
from typing import Annotated, Any


def spread(
    command: Callable[..., None], *, hidden: Collection[str] = (), without: Collection[str] = ()
) -> Callable[..., None]:
    """Replace each parameter whose annotation is a named tuple by the fields of that tuple.

    Flags of `hidden` fields can be typed, but aren't shown: for this command they mean nothing, or an error. The fields
    in `without` are no flags of the command: they keep their defaults.

    The function has the names of these fields as `shared`: the config file has defaults for them.

    The signature is built from the annotations as evaluated objects: evaluating them again for some eighty options
    would cost more than parsing the command line.
    """
    shown: list[Parameter] = []
    positional = dict(zip(reversed(_positional(command)), reversed(command.__defaults__ or ()), strict=False))
    groups: dict[str, tuple[Any, tuple[str, ...]]] = {}
    for name, annotation in command.__annotations__.items():
        if name == "return":
            continue
        if defaults := getattr(annotation, "_field_defaults", None):
            groups[name] = annotation, tuple(member for member in annotation._fields if member not in without)
            shown += [
                Parameter(
                    member, Parameter.KEYWORD_ONLY, default=defaults[member], annotation=_shown(kind, member in hidden)
                )
                for member, kind in annotation.__annotations__.items()
                if member not in without
            ]
        else:
            default = {**positional, **(command.__kwdefaults__ or {})}.get(name, Parameter.empty)
            shown.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation))

    def run(**given: Any) -> None:
        for name, (group, members) in groups.items():
            given[name] = group(**{member: given.pop(member) for member in members})
        command(**given)

    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    run.__annotations__ = {}
    run.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    run.shared = frozenset(field for _, members in groups.values() for field in members)  # type: ignore[attr-defined]
    return run


def _positional(command: Callable[..., None]) -> tuple[str, ...]:
    return command.__code__.co_varnames[: command.__code__.co_argcount]


def _shown(annotation: Any, hidden: bool) -> Any:
    """The annotation of a field; its flag is not shown where it is `hidden`."""
    if not hidden:
        return annotation
    option = copy(annotation.__metadata__[0])
    option.hidden = True
    return Annotated[annotation.__origin__, option]
