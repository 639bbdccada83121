"""Our named tuples behave as those of `typing` do."""

import copy
import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from cometresp import tuples


class Ours(tuples.NamedTuple):
    """What it is."""

    name: str
    size: int = 3
    parts: list[str] | None = None

    @property
    def longer(self) -> str:
        return f"{self.name}!"

    def doubled(self) -> "Ours":
        return self._replace(size=2 * self.size)


class Theirs(typing.NamedTuple):
    """What it is."""

    name: str
    size: int = 3
    parts: list[str] | None = None

    @property
    def longer(self) -> str:
        return f"{self.name}!"

    def doubled(self) -> "Theirs":
        return self._replace(size=2 * self.size)


class Child(Ours):
    """A class of which it is the base."""


USES: list[Callable[[Any], object]] = [
    lambda kind: tuple(kind("a")),
    lambda kind: tuple(kind("a", 4, ["b"])),
    lambda kind: tuple(kind("a", parts=["b"])),
    lambda kind: tuple(kind(parts=[], size=1, name="a")),
    lambda kind: tuple(kind._make(["a", 1, None])),
    lambda kind: tuple(kind("a")._replace(parts=["c"], name="b")),
    lambda kind: tuple(kind("a").doubled()),
    lambda kind: kind("a")._asdict(),
    lambda kind: repr(kind("a")).removeprefix(kind.__name__),
    lambda kind: (kind("a") == kind("a", 3), kind("a") == ("a", 3, None), hash(kind("a")) == hash(("a", 3, None))),
    lambda kind: (kind("a").name, kind("a").size, kind("a").longer),
    lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__, kind.__doc__),
    lambda kind: pickle.loads(pickle.dumps(kind("a"))) == kind("a"),
    lambda kind: copy.deepcopy(kind("a", parts=["b"])) == kind("a", parts=["b"]),
    lambda kind: hasattr(kind("a"), "__dict__"),
]
MISUSES: list[Callable[[Any], object]] = [
    lambda kind: kind(),
    lambda kind: kind(size=1),
    lambda kind: kind("a", 1, None, None),
    lambda kind: kind("a", name="b"),
    lambda kind: kind("a", other=1),
    lambda kind: kind._make(["a"]),
    lambda kind: kind("a")._replace(other=1),
    lambda kind: setattr(kind("a"), "name", "b"),
    lambda kind: setattr(kind("a"), "other", "b"),
]


@pytest.mark.parametrize("use", USES)
def test_a_named_tuple_gives_what_that_of_typing_gives(use: Callable[[Any], object]) -> None:
    assert use(Ours) == use(Theirs)


@pytest.mark.parametrize("misuse", MISUSES)
def test_it_refuses_what_that_of_typing_refuses(misuse: Callable[[Any], object]) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)) as theirs:
        misuse(Theirs)
    with pytest.raises((TypeError, ValueError, AttributeError)) as ours:
        misuse(Ours)
    assert ours.type is theirs.type


def test_a_class_can_be_derived_from_it() -> None:
    assert (Child("a"), Child("a").longer, Child._fields) == (Ours("a"), "a!", Ours._fields)
