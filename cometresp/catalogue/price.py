"""What a model costs, as a list price."""

from typing import NamedTuple


class Price(NamedTuple):
    """A list price in USD: `input`, `output` and `cached_input` per million tokens, `per_request` for each request.

    `cached_input` is None where the server lists none.
    """

    input: float
    output: float
    cached_input: float | None = None
    per_request: float = 0.0
