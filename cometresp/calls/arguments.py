"""The arguments of a call as a question shows them: every key, and each value whole or with how much was left out.

A function of this program gets the values that are shown. A remote tool gets the text that the model wrote: of a key
that comes twice both values are shown, and numbers as they were written.
"""

import json
from collections import Counter
from typing import Any

from cometresp.errors import UsageError
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple
from cometresp.wire.json import parse_json

_MOST = 20_000  # characters that are shown without being asked for
_LONGEST = (
    2_000,
    400,
    80,
)  # characters of a value and items of a list, tried in turn until the whole has at most _MOST
_MOST_ITEMS = (100, 20, 4)
_NAMED = 5  # keys that come twice, in the sentence about them


class Shown(NamedTuple):
    """Lines for the terminal, escaped. `whole`: nothing was left out of them."""

    text: str
    whole: bool


class _Pairs(NamedTuple):
    """An object as it was written: a key may come twice."""

    items: list[tuple[str, Any]]


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def shown_arguments(arguments: str, *, remote: bool = False, whole: bool = False) -> Shown:
    """The arguments, shortened if they are long and not asked for `whole`."""
    try:
        value = _read(arguments, remote=remote)
        text = "" if value is None else _written(value, None, 0)[0]
    except (ValueError, RecursionError):
        value = None
    if value is None:
        return _shown_text(arguments, whole=whole)
    note = _about_duplicates(arguments, remote=remote)
    complete = True
    if not whole and len(text) > _MOST:
        for longest, most in zip(_LONGEST, _MOST_ITEMS, strict=True):
            text, complete = _written(value, longest, most)
            if len(text) <= _MOST:
                break
    return Shown(f"  {text}{note}", complete)


def _read(arguments: str, *, remote: bool) -> Any:
    """The object that the arguments are; None for anything else. Raises ValueError and RecursionError."""
    if remote:
        value = json.loads(arguments, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number)
        return value if isinstance(value, _Pairs) else None
    try:
        value = parse_json("arguments", arguments)
    except UsageError as error:  # the function won't be called
        raise ValueError from error
    return value if isinstance(value, dict) else None


def _shown_text(text: str, *, whole: bool) -> Shown:
    """Text that is no JSON object, as one value."""
    left_out = 0 if whole else max(len(text) - _MOST, 0)
    lines = text.replace("\r\n", "\n").split("\n") if text.strip() else ["nothing"]
    if left_out:
        middle = f"… {left_out} characters left out …"
        end = _MOST // 4
        lines = [*text[: _MOST - end].split("\n"), middle, *text[-end:].split("\n")]
    return Shown("\n".join(f"  {escape_line(line)}" for line in lines), not left_out)


def _written(value: Any, longest: int | None, most: int) -> tuple[str, bool]:
    """The value as indented JSON, and whether all of it is there. `longest` None: nothing is left out."""
    writer = _Writer(longest, most)
    return writer.write(value, "  "), writer.complete


class _Writer:
    def __init__(self, longest: int | None, most: int) -> None:
        self._longest = longest
        self._most = most
        self.complete = True

    def write(self, value: Any, indent: str) -> str:
        if isinstance(value, _Pairs | dict):
            pairs = value.items if isinstance(value, _Pairs) else list(value.items())
            inner = indent + "  "
            rows = [f"{inner}{self._scalar(key)}: {self.write(member, inner)}" for key, member in pairs]
            return _enclosed("{", rows, "}", indent)
        if isinstance(value, list):
            return _enclosed("[", self._items(value, indent + "  "), "]", indent)
        return self._scalar(value)

    def _items(self, items: list[Any], indent: str) -> list[str]:
        left_out = 0 if self._longest is None else max(len(items) - self._most, 0)
        if not left_out:
            return [indent + self.write(item, indent) for item in items]
        self.complete = False
        rows = [indent + self.write(item, indent) for item in (*items[: self._most - 1], items[-1])]
        return [*rows[:-1], f"{indent}… {left_out} items left out …", rows[-1]]

    def _scalar(self, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        left_out = 0 if self._longest is None else max(len(text) - self._longest, 0)
        if not left_out:
            return self._quoted(value, text)
        self.complete = False
        end = len(text) - (len(text) - left_out) // 4
        start = end - left_out
        first, last = self._quoted(value, text[:start]), self._quoted(value, text[end:])
        return f"{first} … {left_out} characters left out … {last}"

    def _quoted(self, value: Any, text: str) -> str:
        """A piece of a string in quotes, which it contains only as escapes; of a number as it is."""
        quotes = isinstance(value, str) and not isinstance(value, _Number)
        return escape_line(json.dumps(text, ensure_ascii=False) if quotes else text)


def _enclosed(opening: str, rows: list[str], closing: str, indent: str) -> str:
    return f"{opening}\n" + ",\n".join(rows) + f"\n{indent}{closing}" if rows else opening + closing


def _about_duplicates(arguments: str, *, remote: bool) -> str:
    """A line that tells of keys that come more than once, "" where there are none."""
    twice: dict[str, None] = {}

    def pairs(found: list[tuple[str, Any]]) -> None:
        counts = Counter(key for key, _ in found)
        twice.update(dict.fromkeys(key for key, count in counts.items() if count > 1))

    json.loads(arguments, object_pairs_hook=pairs, parse_int=_Number)
    if not twice:
        return ""
    named = ", ".join(escape_line(json.dumps(key, ensure_ascii=False), 60) for key in list(twice)[:_NAMED])
    more = f" and {len(twice) - _NAMED} others" if len(twice) > _NAMED else ""
    which = "the server decides which value counts" if remote else "the last value counts"
    return f"\n  more than once in one object: {named}{more}; {which}"
