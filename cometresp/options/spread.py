"""A Typer command that takes named tuples of options: Typer sees their fields, the command gets the tuples."""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter whose annotation is a named tuple by the fields of that tuple.

    The signature is built from the annotations as evaluated objects: evaluating them again for some eighty options
    would cost more than parsing the command line.
    """
    shown: list[Parameter] = []
    groups: dict[str, tuple[Any, tuple[str, ...]]] = {}
    for name, annotation in command.__annotations__.items():
        if name == "return":
            continue
        if defaults := getattr(annotation, "_field_defaults", None):
            groups[name] = annotation, annotation._fields
            shown += [
                Parameter(member, Parameter.KEYWORD_ONLY, default=defaults[member], annotation=kind)
                for member, kind in annotation.__annotations__.items()
            ]
        else:
            default = (command.__kwdefaults__ or {}).get(name, Parameter.empty)
            shown.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation))

    def run(**given: Any) -> None:
        for name, (group, members) in groups.items():
            given[name] = group(**{member: given.pop(member) for member in members})
        command(**given)

    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    run.__annotations__ = {}
    run.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    return run
