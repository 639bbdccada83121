"""JSON as plain values: parsing it, and reading values that may have another type than expected."""

import json
import sys
from collections.abc import Iterable
from math import isinf
from typing import Any

from cometresp.errors import UsageError

Json = dict[str, Any]  # a JSON object; servers leave fields out, so each one is read with `obj`, `listed` or `text`

_DEEPEST = 100  # levels; copying and printing recurse, and Python stops at about 1,000


def obj(value: object) -> Json:
    """The value if it is a JSON object, else {}."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Json]:
    """The objects in a JSON list; [] if the field is missing, null or of another type (API 12.3)."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def parse_json(flag: str, document: str) -> Any:
    """The value of JSON text. Raises UsageError, which names the flag and the position of the mistake."""
    try:
        value = json.loads(document, parse_constant=no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise UsageError(f"{flag}: not valid JSON: {where}: {error.msg}") from error
    except _NotJsonError as error:
        raise UsageError(f"{flag}: not valid JSON: {error}") from error
    except ValueError as error:
        raise UsageError(f"{flag}: the JSON holds {unreadable(error)}") from error
    except RecursionError as error:
        raise UsageError(f"{flag}: the JSON is nested too deeply") from error
    if is_deeper_than(_DEEPEST, value):
        raise UsageError(f"{flag}: the JSON is nested too deeply")
    return value


class _NotJsonError(ValueError):
    """What Python takes for JSON, but is none."""


def unreadable(error: Exception) -> str:
    """What is in JSON that can't be read though it is valid, by the error of json.loads; "" where it isn't valid."""
    if isinstance(error, RecursionError):
        return "values that are nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return ""
    return f"an integer of more than {sys.get_int_max_str_digits()} digits"


def is_deeper_than(levels: int, value: object) -> bool:
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _finite(number: str) -> float:
    if isinf(value := float(number)):
        raise _NotJsonError(f"{number} is too large a number")
    return value


def null(_: str) -> None:
    """None for NaN and the infinities, which some servers send: `parse_constant` of json.loads (API 12.11)."""


def no_constant(name: str) -> float:
    """Raises ValueError for NaN and the infinities, which only Python accepts: `parse_constant` of json.loads."""
    raise _NotJsonError(f"{name} is not JSON")
