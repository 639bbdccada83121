"""Small checks that validation.py combines. Each raises ApiError (400) that names the field at fault."""

from collections.abc import Callable
from typing import Any

from cometresp.emulator.errors import invalid

Json = dict[str, Any]
Rule = Callable[[Any, str], None]

_NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", dict: "an object", list: "an array"}


def expect(value: Any, param: str, *kinds: type) -> None:
    """Accept only these JSON types. An integer is a number, a boolean isn't."""
    for kind in kinds:
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            return
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return
    allowed = " or ".join(_NAMES[kind] for kind in kinds)
    got = "null" if value is None else _NAMES.get(type(value), type(value).__name__)
    raise invalid(param, f"Invalid type for '{param}': expected {allowed}, but got {got} instead.", "invalid_type")


def required(item: Json, key: str, param: str, *kinds: type) -> Any:
    """A member that has to be present, of one of these JSON types."""
    if key not in item:
        raise invalid(f"{param}.{key}", f"Missing required parameter: '{param}.{key}'.", "missing_required_parameter")
    expect(item[key], f"{param}.{key}", *kinds)
    return item[key]


def boolean(value: Any, param: str) -> None:
    expect(value, param, bool)


def string(longest: int | None = None) -> Rule:
    def check(value: Any, param: str) -> None:
        expect(value, param, str)
        if longest is not None and len(value) > longest:
            text = f"Invalid '{param}': string too long. Expected at most {longest} characters, but got {len(value)}."
            raise invalid(param, text, "string_above_max_length")

    return check


def number(lowest: float, highest: float | None = None, *, kind: type = float) -> Rule:
    name = "integer" if kind is int else "decimal"

    def check(value: Any, param: str) -> None:
        expect(value, param, kind)
        if value < lowest:
            text = f"Invalid '{param}': {name} below minimum value. Expected a value >= {lowest}, but got {value}."
            raise invalid(param, text, f"{name}_below_min_value")
        if highest is not None and value > highest:
            text = f"Invalid '{param}': {name} above maximum value. Expected a value <= {highest}, but got {value}."
            raise invalid(param, text, f"{name}_above_max_value")

    return check


def integer(lowest: int, highest: int | None = None) -> Rule:
    return number(lowest, highest, kind=int)


def array(of: Rule, shortest: int = 0) -> Rule:
    def check(value: Any, param: str) -> None:
        expect(value, param, list)
        if len(value) < shortest:
            raise invalid(param, f"Invalid '{param}': array too short. Expected at least {shortest}.")
        for index, element in enumerate(value):
            of(element, f"{param}[{index}]")

    return check


def members(**rules: Rule) -> Rule:
    """An object: each rule applies to the member of its name unless that is missing or null; others are not checked."""

    def check(value: Any, param: str) -> None:
        expect(value, param, dict)
        for key, rule in rules.items():
            if value.get(key) is not None:
                rule(value[key], f"{param}.{key}")

    return check
