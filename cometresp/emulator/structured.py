"""JSON that fits a JSON Schema, filled with the words and numbers of a prompt.

Supports what strict mode allows (API 5.1) and other common keywords: references, enum, const, anyOf, oneOf, allOf,
nested objects, arrays, lists of types, limits of numbers, strings and arrays, well-known formats. A `pattern` is met
only if a word of the prompt matches it. A small schema can describe a value of any size, and a pattern can take for
ever: the work for each is limited.
"""

import math
import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from cometresp.emulator.errors import invalid
from cometresp.emulator.rules import Json
from cometresp.emulator.wording import without_commands

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w)")
_WORD = re.compile(r"[^\W\d](?:[\w.'@/-]*\w)?")
_FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "PT1H",
    "email": "emulator@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "uri": "https://example.org/",
}
_LONGEST_PATH = 60
_MOST_WORK = 200_000  # about a second
_CHARACTERS = 100  # that are as much work as a value
_MOST_TRIES = 1_000_000
_LONGEST_PATTERN = 1000
_CHOICE = re.compile(r"[*+?{|]")
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_DIGITS = re.compile(r"(?<=[{,])[0-9]+")


def instance(schema: Json, prompt: str, param: str = "text.format.schema") -> Any:
    """A value that fits the schema. Raises ApiError that names `param` where the schema is invalid."""
    try:
        return _Writer(schema, without_commands(prompt)).value(schema, frozenset("#"))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise invalid(param, f"Invalid schema: {error}", "invalid_json_schema") from error


class _Writer:
    """Uses the prompt's words and numbers in their order, again from the start when they run out."""

    def __init__(self, root: Json, prompt: str) -> None:
        self._root = root
        self._prompt_words: list[str] = _WORD.findall(prompt)
        self._words = cycle(self._prompt_words or ["text"])
        self._numbers: Iterator[str] = cycle(_NUMBER.findall(prompt) or ["1"])
        self._left = _MOST_WORK

    def _spend(self, work: int = 1) -> None:
        self._left -= work
        if self._left < 0:
            raise ValueError("it is too large to be filled")

    def value(self, schema: Any, active: frozenset[str]) -> Any:
        """A value for the schema; `active` are the references that are being followed, so that recursion ends."""
        self._spend()
        schema, active = self._resolve(schema, active)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return next((option for option in schema["enum"] if option in self._prompt_words), schema["enum"][0])
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                rest = {name: inner for name, inner in schema.items() if name != key}
                return self.value(_merge(rest, self._branch(schema[key], active)), active)
        return self._typed(schema, active)

    def _typed(self, schema: Json, active: frozenset[str]) -> Any:
        match _kind(schema):
            case "object":
                return self._object(schema, active)
            case "array":
                return self._array(schema, active)
            case "string":
                return self._string(schema)
            case "integer" | "number" as kind:
                return self._number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case _:
                return None

    def _resolve(self, schema: Any, active: frozenset[str]) -> tuple[Json, frozenset[str]]:
        """The schema with its references followed and `allOf` merged in, and the references that are active then."""
        self._spend()
        schema = dict(schema) if isinstance(schema, dict) else {}
        for _ in range(_LONGEST_PATH):  # a limit, since a reference may lead to itself
            if "$ref" not in schema:
                break
            reference = str(schema.pop("$ref"))
            active = active | {reference}
            schema = _merge(self._target(reference), schema)
        for part in schema.pop("allOf", []):
            resolved, active = self._resolve(part, active)
            schema = _merge(schema, resolved)
        return schema, active

    def _target(self, reference: str) -> Json:
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            return {}
        self._spend(1 + len(found) // _CHARACTERS)
        return {key: value for key, value in found.items() if key != "$defs"}

    def _loops(self, schema: Any, active: frozenset[str]) -> bool:
        """Whether every value of the schema contains a value of an active reference, and so would never end."""
        self._spend()
        if not isinstance(schema, dict):
            return False
        if "$ref" in schema:
            reference = schema["$ref"]
            return reference in active or self._loops(self._target(reference), active | {reference})
        if branches := schema.get("anyOf") or schema.get("oneOf"):
            return all(self._loops(branch, active) for branch in branches)
        if _kind(schema) == "array":
            return bool(schema.get("minItems")) and self._loops(schema.get("items"), active)
        properties = schema.get("properties") or {}
        parts = [properties.get(name) for name in schema.get("required") or []] + (schema.get("allOf") or [])
        return any(self._loops(part, active) for part in parts)

    def _branch(self, branches: list[Any], active: frozenset[str]) -> Json:
        ending = [branch for branch in branches if not self._loops(branch, active)] or branches
        not_null = [branch for branch in ending if isinstance(branch, dict) and branch.get("type") != "null"]
        chosen = (not_null or ending)[0]
        return chosen if isinstance(chosen, dict) else {}

    def _object(self, schema: Json, active: frozenset[str]) -> Json:
        properties = schema.get("properties") or {}
        # A property that would never end is left out: either it is optional, or no value fits the schema.
        return {name: self.value(inner, active) for name, inner in properties.items() if not self._loops(inner, active)}

    def _array(self, schema: Json, active: frozenset[str]) -> list[Any]:
        shortest: int = schema.get("minItems") or 0
        inner = schema.get("items", {})
        heads = [self.value(head, active) for head in schema.get("prefixItems") or []]
        usual = 0 if inner is False or self._loops(inner, active) else 1
        length = max(shortest, min(usual, schema.get("maxItems", usual)))
        items = heads + [self.value(inner, active) for _ in range(length - len(heads))]
        return self._unique(items) if schema.get("uniqueItems") else items

    def _unique(self, items: list[Any]) -> list[Any]:
        kept: list[Any] = []
        for item in items:
            fresh = item
            while fresh in kept and isinstance(fresh, int | float | str) and not isinstance(fresh, bool):
                self._spend(1 + len(kept) // _CHARACTERS)
                fresh = f"{fresh}{len(kept)}" if isinstance(fresh, str) else fresh + 1
            if fresh not in kept:
                kept.append(fresh)
        return kept

    def _string(self, schema: Json) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = next(self._words)
        if pattern := schema.get("pattern"):
            candidates = [text, *self._prompt_words, next(self._numbers)]
            text = next((candidate for candidate in candidates if _matches(pattern, candidate)), text)
        shortest: int = schema.get("minLength") or 0
        self._spend(shortest // _CHARACTERS)
        return text.ljust(shortest, "x")[: schema.get("maxLength")]

    def _number(self, schema: Json, *, whole: bool) -> float:
        number_text = next(self._numbers)
        low, high = _limits(schema, whole=whole)
        number = float(min(max(float(number_text), low), high))
        if step := schema.get("multipleOf"):
            number = float(math.ceil(number / step) * step)
            number = number - step if number > high else number
        return int(number) if whole or number.is_integer() else number


def _limits(schema: Json, *, whole: bool) -> tuple[float, float]:
    """The least and the greatest number allowed. An exclusive limit is moved by one, or by half of the range."""
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    step = 1.0 if whole else min(1.0, (min(high, below) - max(low, above)) / 2)
    low = max(low, (math.floor(above) if whole and math.isfinite(above) else above) + step)
    high = min(high, (math.ceil(below) if whole and math.isfinite(below) else below) - step)
    if whole:
        low, high = (math.ceil(low) if math.isfinite(low) else low), (math.floor(high) if math.isfinite(high) else high)
    return low, high


def _kind(schema: Json) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(next((name for name in kind if name != "null"), "null"))
    if kind is not None:
        return str(kind)
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _merge(base: Json, over: Any) -> Json:
    over = over if isinstance(over, dict) else {}
    merged = {**base, **over}
    if "properties" in base and "properties" in over:
        merged["properties"] = {**base["properties"], **over["properties"]}
    if "required" in base and "required" in over:
        merged["required"] = [*base["required"], *over["required"]]
    return merged


def _tries(pattern: str, length: int) -> int:
    """About how often a pattern may be tried on a text that doesn't match.

    A quantifier may try every length, or every number of repetitions that it names. In a group that is repeated, each
    character of the text may belong to any of the choices.
    """
    choices = len(_CHOICE.findall(pattern)) + 1
    longest = max([length + 1, *(int(digits[:9]) for digits in _DIGITS.findall(pattern))])
    in_groups = choices ** min(length, _LONGEST_PATTERN) if _REPEATED_GROUP.search(pattern) else 1
    return int(max(longest**choices, in_groups))


def _matches(pattern: str, text: str) -> bool:
    """Whether the text matches; False where it might take too many tries to find out."""
    if len(pattern) > _LONGEST_PATTERN or _tries(pattern, len(text)) > _MOST_TRIES:
        return False
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return False
