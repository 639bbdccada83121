"""Small checks from which the validation is put together: each raises the 400 that names the culprit."""

from collections.abc import Callable
from typing import Any

from cometresp.emulator.errors import invalid

Json = dict[str, Any]
Rule = Callable[[Any, str], None]

_NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", dict: "an object", list: "an array"}


def expect(value: Any, param: str, *kinds: type) -> None:
    """Accept only these JSON types: a boolean is no number, but an integer is."""
    for kind in kinds:
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            return
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return
    wanted = " or ".join(_NAMES[kind] for kind in kinds)
    got = "null" if value is None else _NAMES.get(type(value), type(value).__name__)
    raise invalid(param, f"Invalid type for '{param}': expected {wanted}, but got {got} instead.", "invalid_type")


def required(item: Json, key: str, param: str, *kinds: type) -> Any:
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
    """An object whose members named here, where present and not null, follow their rules; others are free."""

    def check(value: Any, param: str) -> None:
        expect(value, param, dict)
        for key, rule in rules.items():
            if value.get(key) is not None:
                rule(value[key], f"{param}.{key}")

    return check
