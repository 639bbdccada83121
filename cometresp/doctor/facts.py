"""A fact, a section of them, and what is wrong. Plain values."""

import json
from typing import Any

from cometresp.errors import CometrespError
from cometresp.text import valid_json
from cometresp.tuples import NamedTuple


class Fact(NamedTuple):
    """A name, its value as JSON has it, and the same in words, if they differ."""

    name: str
    value: Any
    words: str = ""

    @property
    def text(self) -> str:
        if self.words or isinstance(self.value, str):
            return self.words or self.value
        if self.value is None or isinstance(self.value, bool):
            return {None: "-", True: "yes", False: "no"}[self.value]
        return valid_json(json.dumps(self.value, ensure_ascii=False))


class Section(NamedTuple):
    """Facts under a heading, with what is wrong in them."""

    title: str
    facts: list[Fact]
    problems: tuple[CometrespError, ...] = ()
