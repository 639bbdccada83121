"""The price of a model, and what a usage costs at it (API 6.1). Pure.

Costs are estimates: list prices, without tool calls. So a sum is written `~$0.0012`.
"""

import math
from collections.abc import Iterable

from cometresp.errors import UsageError
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, obj

_MILLION = 1_000_000
_HIGHEST = 1_000_000.0  # USD for a million tokens
_HIGHEST_COST = 1e12  # USD; a server may list any price
_LEAST = 1e-9  # USD that are written
_SHOWN = 40  # characters of a wrong value


class Price(NamedTuple):
    """USD for a million tokens; `per_request` in USD. `cached_input` is None where it costs as much as other input."""

    input: float
    output: float
    cached_input: float | None = None
    per_request: float = 0.0

    def of_tokens(self, *, input_tokens: int, cached_tokens: int, output_tokens: int, requests: int = 1) -> float:
        """USD for so many tokens. Cached tokens are among the input, reasoning tokens among the output."""
        cached_price = self.input if self.cached_input is None else self.cached_input
        tokens = (
            (input_tokens - cached_tokens) * self.input + cached_tokens * cached_price + output_tokens * self.output
        )
        return min(tokens / _MILLION + requests * self.per_request, _HIGHEST_COST)


def dearest(prices: Iterable[Price]) -> Price:
    """The price that none of these exceeds, in any of its parts."""
    found = list(prices)
    cached = [price.cached_input for price in found if price.cached_input is not None]
    return Price(
        max(price.input for price in found),
        max(price.output for price in found),
        max(cached) if len(cached) == len(found) else None,
        max(price.per_request for price in found),
    )


def cost_of(usage: Json, price: Price) -> float | None:
    """What the usage of one response costs, in USD; None where the server didn't report its tokens."""
    given, made = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    if given is None or made is None:
        return None
    cached = _count(obj(usage.get("input_tokens_details")).get("cached_tokens")) or 0
    return price.of_tokens(input_tokens=given, cached_tokens=min(cached, given), output_tokens=made)


def _count(value: object) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MILLION * _MILLION
    return int(value) if known else None  # type: ignore[call-overload]


def written(usd: float, *, sign: str = "~") -> str:
    """`~$1.25`, `~$0.0012`: at least cents and two digits; never $0.00 for what isn't zero."""
    if usd <= 0:
        return f"{sign}$0"
    if usd < _LEAST:
        return f"<${_LEAST:.9f}"
    exponent = int(f"{usd:.1e}".partition("e")[2])
    return f"{sign}${usd:.{max(2, 1 - exponent)}f}"


def exactly(usd: float) -> str:
    """`$0.5`: an amount that was given, as it was given."""
    return f"${f'{usd:.12f}'.rstrip('0').rstrip('.')}"


def given_price(text: str) -> Price:
    """The price that `--price` gives, as in `2.5,10` or `2.5,10,0.25`. Raises UsageError."""
    parts = [_number(part) for part in text.split(",")]
    numbers = [number for number in parts if number is not None]
    if len(parts) not in (2, 3) or len(numbers) < len(parts):
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        raise UsageError(
            f"--price: {shown!r} must be IN,OUT or IN,OUT,CACHED: USD for a million tokens, such as 2.5,10"
        )
    if wrong := next((number for number in numbers if not 0 <= number <= _HIGHEST), None):
        raise UsageError(f"--price: must be between 0 and {_HIGHEST:.0f} USD for a million tokens, not {wrong:g}")
    return Price(*numbers)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
