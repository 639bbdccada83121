"""What is said of a field of a table: its type, its option, and its path in the request."""

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

__all__ = ["Annotated", "facts_of", "names_of", "option_of"]

if TYPE_CHECKING or sys.version_info >= (3, 14):  # where `typing.NamedTuple` is used, which takes no tuple for a type
    from typing import Annotated
else:

    class Annotated:
        """The type and its metadata as a plain tuple: `typing.Annotated` takes four times as long, at every start."""

        def __class_getitem__(cls, facts: tuple[Any, ...]) -> tuple[Any, ...]:
            return facts


def facts_of(annotation: Any) -> tuple[Any, ...]:
    """The type of a field, its option as it stands in the table, and its path if it has one.

    The type alone where nothing else is said.
    """
    if isinstance(annotation, tuple):
        return annotation
    if not hasattr(annotation, "__metadata__"):
        return (annotation,)
    return annotation.__origin__, *annotation.__metadata__


def option_of(annotation: Any) -> Any:
    """Typer's option of a field of a table, which holds it as a partial until it is asked for."""
    option = facts_of(annotation)[1]
    return option() if isinstance(option, partial) else option


def names_of(option: Any) -> tuple[str, ...]:
    """The flags of an option of a table, as they stand there: `--store/--no-store` is one of them."""
    if isinstance(option, partial):
        return option.args
    first = getattr(option, "default", None)  # Typer keeps the first one there until it is declared
    return tuple(name for name in (first, *(getattr(option, "param_decls", None) or ())) if isinstance(name, str))
