"""Named tuples as `typing.NamedTuple` makes them, at a tenth of the cost of a class, which every start pays."""

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

if TYPE_CHECKING or sys.version_info >= (3, 14):  # where annotations are kept in another way
    from typing import NamedTuple
else:
    from collections import _tuplegetter as field_at  # the descriptor with which `namedtuple` reads a field

    _make = tuple.__new__

    class _Meta(type):
        """Makes the annotated names of a class its fields. The annotations are kept as they are, unchecked."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            fields = tuple(namespace.get("__annotations__", ()))
            if bases != (tuple,) and not hasattr(bases[0], "_fields"):
                namespace["_field_defaults"] = {each: namespace.pop(each) for each in fields if each in namespace}
                namespace |= {each: field_at(place, None) for place, each in enumerate(fields)}
                namespace["_fields"] = namespace["__match_args__"] = fields
                namespace["_size"] = len(fields)
            return super().__new__(cls, name, bases, {"__slots__": (), **namespace})

    class NamedTuple(tuple, metaclass=_Meta):
        """The base of a named tuple, whose fields are its annotated names. Those with defaults come last."""

        __slots__ = ()
        _fields: tuple[str, ...]
        _field_defaults: Mapping[str, Any]
        _size: int

        def __new__(cls, *values: Any, **named: Any) -> Any:
            """Raises TypeError where a field has no value or two, and for a name that is no field."""
            if named or len(values) != cls._size:
                values = _filled(cls, values, named)
            return _make(cls, values)

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            made = _make(cls, values)
            if len(made) != cls._size:
                raise TypeError(f"Expected {cls._size} arguments, got {len(made)}")
            return made

        def _replace(self, **changes: Any) -> Any:
            made = _make(self.__class__, map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {list(changes)!r}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{self.__class__.__name__}({fields})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    def _filled(cls: Any, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """The values of all fields, from those in order, those with a name, and the defaults."""
        rest, defaults = cls._fields[len(values) :], cls._field_defaults
        if missing := [name for name in rest if name not in named and name not in defaults]:
            raise TypeError(f"{cls.__name__} has no value for {', '.join(missing)}")
        filled = *values, *[named.pop(name) if name in named else defaults[name] for name in rest]
        if named:
            raise TypeError(f"{cls.__name__} has no field, or two values, for {', '.join(named)}")
        if len(filled) != cls._size:
            raise TypeError(f"{cls.__name__} has {cls._size} fields, not {len(filled)}")
        return filled
