"""The price of a model in the JSON of a server. Pure.

Gateways write prices per million tokens or per token, as numbers or as text (API 1, #12). Of the two units the
plausible one is taken: no model costs a tenth of a cent for a million tokens, or more than that for one.
"""

import json
from collections.abc import Iterator
from typing import Any

from cometresp.catalogue.price import Price
from cometresp.wire.json import Json, null, obj

_PLACES = ("pricing", "price", "prices", "cost")  # of an object with the prices
_INPUT = ("input", "prompt", "input_tokens", "input_price", "input_cost_per_token")
_OUTPUT = ("output", "completion", "output_tokens", "output_price", "output_cost_per_token")
_CACHED = ("cached_input", "input_cache_read", "cache_read", "cached_input_price", "cache_read_input_token_cost")
_REQUEST = ("per_request", "request", "input_cost_per_request")
_OTHER_UNITS = ("per_second", "second", "per_minute", "hourly")
_DOLLARS = ("", "USD", "$", "US$")
_MILLION = 1_000_000
_PER_TOKEN = 0.001  # USD: what costs less is a price for one token
_LONGEST = 1e9  # USD: more than this is no price


class NotANumberError(ValueError):
    """A price that is text without being a number; the message quotes it."""


def price_of(entry: Json) -> Price | None:
    """The list price of a model, None where it has none in USD by tokens or requests. Raises NotANumberError."""
    for place in _places(entry):
        if str(place.get("currency") or "").upper() not in _DOLLARS:
            return None
        given, output, request = (_first(place, names) for names in (_INPUT, _OUTPUT, _REQUEST))
        if given is None and output is None and not request:
            continue
        if any(_number(place.get(name)) for name in _OTHER_UNITS) and not (given or output):
            return None
        if given is None and output is None:
            return Price(0.0, 0.0, None, request or 0.0)
        if given is None or output is None:
            return None  # half a price would make a run look cheaper than it is
        factor = _factor(place, given, output)
        cached = _first(place, _CACHED)
        cached = None if cached is None else _rounded(cached * factor)
        return Price(_rounded(given * factor), _rounded(output * factor), cached, request or 0.0)
    return None


def _places(entry: Json) -> Iterator[Json]:
    """Where prices may stand in an entry: objects of their own first. Raises NotANumberError for text there."""
    owners = [owner for owner in (entry, obj(entry.get("model_info")), obj(entry.get("metadata"))) if owner]
    for owner in owners:
        for name in _PLACES:
            if name in owner:
                value = parsed(owner[name])
                _ = _number(value)
                yield obj(value)
    for owner in owners:
        yield {name: value for name, value in owner.items() if "price" in name or "cost" in name}


def parsed(value: object) -> Any:
    """A value; what it is, if it is JSON in a string (API 1, #12)."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        try:
            return json.loads(value, parse_constant=null)
        except (ValueError, RecursionError):
            return value
    return value


def _first(place: Json, names: tuple[str, ...]) -> float | None:
    return next((number for name in names if (number := _number(place.get(name))) is not None), None)


def _number(value: object) -> float | None:
    """A price; None for one that isn't given or can't be (negative, as for a model that is chosen later)."""
    if isinstance(value, dict):
        value = value.get("usd")
    if value is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not value.strip():
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise NotANumberError(value) from error
    except OverflowError:
        return None
    return number if 0 <= number < _LONGEST else None


def _factor(place: Json, given: float, output: float) -> int:
    """What makes the prices of an object those of a million tokens."""
    if any(name.endswith("_per_token") for name in place):
        return _MILLION
    if place.get("currency"):  # only prices by the million are written with it
        return 1
    return _MILLION if 0 < max(given, output) < _PER_TOKEN else 1


def _rounded(price: float) -> float:
    """Without the noise of a multiplication: 0.15 for 0.15000000000000002."""
    return float(f"{price:.10g}")
