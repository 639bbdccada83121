"""What a file with a `check` says of itself."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple


class Target(NamedTuple):
    """`check` raises where something doesn't hold for its input.

    `seeds` are inputs to start from, `words` are worth putting into them, `separator` stands between their parts.
    `is_guided`: most of the code runs in this process, so that it can be seen which inputs reach new code.
    """

    check: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes]
    separator: bytes
    is_guided: bool = True


def load(name: str) -> Target:
    target: Target = import_module(f"tests.fuzz.{name}").TARGET
    return target
