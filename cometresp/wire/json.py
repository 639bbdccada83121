"""JSON as plain values: reading it, and asking what it holds."""

import json
from collections.abc import Iterable
from math import isinf
from typing import Any

from cometresp.errors import UsageError

_DEEPEST = 100  # levels of JSON; far below what copying and printing it can recurse into


def parse_json(flag: str, text: str) -> Any:
    """JSON of a flag; the error says where it goes wrong."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise UsageError(f"{flag}: not valid JSON: {where}: {error.msg}") from error
    except ValueError as error:
        raise UsageError(f"{flag}: not valid JSON: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{flag}: the JSON is nested too deeply") from error
    if _deeper_than(_DEEPEST, value):
        raise UsageError(f"{flag}: the JSON is nested too deeply")
    return value


def _deeper_than(levels: int, value: Any) -> bool:
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _finite(number: str) -> float:
    if isinf(value := float(number)):
        raise ValueError(f"{number} is too large a number")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list; nothing where the field is missing, null or of another kind (API 12.3)."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
