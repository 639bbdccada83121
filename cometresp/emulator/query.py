"""What a request asks for: the JSON of its body, and the flags, numbers and pages of its query."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.rules import Json

Query = Mapping[str, str]

_PAGE = 20
_LONGEST_PAGE = 100


def parse(body: bytes) -> Json:
    """The JSON object of a body. Raises ApiError for anything else."""

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is not a number of JSON, or too large")

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else refuse(digits)

    try:
        request: Any = json.loads(body, parse_constant=refuse, parse_float=finite)
    except (ValueError, RecursionError) as error:
        text = "We could not parse the JSON body of your request."
        raise ApiError(400, f"{text} ({error})", code="bad_request_body") from error
    if not isinstance(request, dict):
        raise ApiError(400, "Invalid body: expected an object.", code="invalid_type")
    return request


def flag(query: Query, name: str) -> bool | None:
    value = query.get(name)
    if value is None:
        return None
    if value.lower() not in ("true", "false", "1", "0"):
        raise invalid(
            name, f"Invalid type for '{name}': expected a boolean, but got '{value}' instead.", "invalid_type"
        )
    return value.lower() in ("true", "1")


def whole(query: Query, name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise invalid(
            name, f"Invalid type for '{name}': expected an integer, but got '{value}' instead.", "invalid_type"
        )
    return int(value)


def page(items: list[Json], query: Query) -> Json:
    """One page of items, given oldest first: `limit`, `order` and `after` of the query choose it (API 1, #5)."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid("order", f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.")
    limit = whole(query, "limit", _PAGE)
    if not 1 <= limit <= _LONGEST_PAGE:
        raise invalid("limit", f"Invalid 'limit': expected 1 to {_LONGEST_PAGE}, but got {limit}.")
    items = items if order == "asc" else items[::-1]
    if (after := query.get("after")) is not None:
        place = next((index for index, item in enumerate(items) if item["id"] == after), None)
        if place is None:
            raise invalid("after", f"Item with id '{after}' not found.")
        items = items[place + 1 :]
    return listed(items[:limit], more=len(items) > limit)


def listed(items: list[Json], *, more: bool = False) -> Json:
    """A list object of items."""
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": "", "last_id": ""}
    return {"object": "list", "data": items, **ends, "has_more": more}
