"""What a usage costs at a price, how a sum is written, and which prices can be given."""

from typing import Any

import pytest

from cometresp.catalogue.price import Price, cost_of, given_price, written
from cometresp.errors import UsageError

PRICE = Price(2.0, 8.0)
CACHED = Price(2.0, 8.0, 0.5)


def usage(given: object, made: object, cached: object = 0, reasoning: object = 0) -> dict[str, Any]:
    return {
        "input_tokens": given,
        "output_tokens": made,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }


@pytest.mark.parametrize(
    ("price", "used", "cost"),
    [
        (PRICE, usage(1_000_000, 500_000), 6.0),
        (PRICE, usage(1_000_000, 500_000, 400_000), 6.0),
        (CACHED, usage(1_000_000, 500_000, 400_000), 5.4),
        (CACHED, usage(1_000_000, 0, 2_000_000), 0.5),
        (PRICE, usage(0, 500_000, 0, 400_000), 4.0),
        (Price(2.0, 8.0, per_request=0.01), usage(1_000_000, 0), 2.01),
        (Price(0.0, 0.0), usage(10, 10), 0.0),
        (Price(1e308, 1e308), usage(10**11, 10**11), 1e12),
        (PRICE, {"input_tokens": 1_000_000, "output_tokens": 0}, 2.0),
        (PRICE, {"input_tokens": 1_000_000, "output_tokens": 0, "input_tokens_details": None}, 2.0),
        (PRICE, {}, None),
        (PRICE, {"input_tokens": 10}, None),
        (PRICE, {"total_tokens": 10}, None),
        (PRICE, usage("10", 10), None),
        (PRICE, usage(-1, 10), None),
        (PRICE, usage(True, 10), None),
        (PRICE, usage(10**30, 10), None),
        (CACHED, usage(1_000_000, 0, "x"), 2.0),
        (CACHED, usage(1_000_000, 0, -5), 2.0),
    ],
)
def test_cached_tokens_have_their_price_and_reasoning_tokens_are_not_counted_twice(
    price: Price, used: dict[str, Any], cost: float | None
) -> None:
    assert cost_of(used, price) == (None if cost is None else pytest.approx(cost, rel=1e-12))


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0, "~$0"),
        (0.0012345, "~$0.0012"),
        (0.00000034, "~$0.00000034"),
        (1e-30, "<$0.000000001"),
        (0.1, "~$0.10"),
        (0.999, "~$1.00"),
        (0.0099999, "~$0.010"),
        (1.234, "~$1.23"),
        (1234.5, "~$1234.50"),
    ],
)
def test_a_sum_has_two_digits_at_least_and_is_never_zero_where_it_is_not(usd: float, text: str) -> None:
    assert written(usd) == text


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("2,8", Price(2.0, 8.0)),
        (" 2.5 , 10 ", Price(2.5, 10.0)),
        ("2,8,0.5", Price(2.0, 8.0, 0.5)),
        ("0,0", Price(0.0, 0.0)),
    ],
)
def test_a_price_is_given_as_two_or_three_numbers(text: str, price: Price) -> None:
    assert given_price(text) == price


@pytest.mark.parametrize("text", ["", "2", "cheap", "2,cheap", "2,8,0.5,1", "2;8", "nan,1", ",", "$2,$8"])
def test_a_price_that_is_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        given_price(text)
    assert caught.value.message == (
        f"--price: {text!r} must be IN,OUT or IN,OUT,CACHED: USD for a million tokens, such as 2.5,10"
    )


@pytest.mark.parametrize(("text", "number"), [("-1,2", "-1"), ("1,-2", "-2"), ("inf,1", "inf"), ("1,1e7", "1e+07")])
def test_a_price_out_of_range_is_refused(text: str, number: str) -> None:
    with pytest.raises(UsageError) as caught:
        given_price(text)
    assert caught.value.message == (f"--price: must be between 0 and 1000000 USD for a million tokens, not {number}")
