"""A model in words: its price, its context, and its line in a list. Pure."""

from collections.abc import Iterable, Sequence

from cometresp.catalogue.entries import Model
from cometresp.catalogue.price import Price

_K, _M = 1_000, 1_000_000


def amount(price: float) -> str:
    """A price as it is printed for scripts: `0.15`, `2`, `0.0004`."""
    return f"{price:.10f}".rstrip("0").rstrip(".")


def has_token_price(price: Price | None) -> bool:
    """Whether tokens are priced at all; some models only have a price for a request."""
    return price is not None and not (price.per_request and not price.input and not price.output)


def dollars(price: float) -> str:
    """A price as people read it, with two to four decimals, or as many as a tiny one has: `2.00`, `0.0375`."""
    whole, _, decimals = amount(round(price, 4) or price).partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def aligned(numbers: Sequence[str]) -> list[str]:
    """Numbers, padded so that their decimal points stand below each other; "" stays."""
    widest = max((len(number.partition(".")[0]) for number in numbers), default=0)
    return [" " * (widest - len(number.partition(".")[0])) + number if number else "" for number in numbers]


def tokens(count: int | None) -> str:
    """A number of tokens as people read it: `400K`, `1.05M`, `8.2K`."""
    if count is None:
        return ""
    if count < _K:
        return str(count)
    size, unit = (count / _M, "M") if count >= _M else (count / _K, "K")
    return f"{size:.3g}{unit}" if size < _K else f"{size:.0f}{unit}"


def description(model: Model) -> str:
    """A model in a few words, for completion: `OpenAI · 400K · $2.00 in, $8.00 out`."""
    words = [model.provider, tokens(model.context)]
    if model.price is not None and has_token_price(model.price):
        words.append(f"${dollars(model.price.input)} in, ${dollars(model.price.output)} out")
    return " · ".join(filter(None, words))


def cells(models: Iterable[Model]) -> list[tuple[str, ...]]:
    """The cells of a table: id, provider, context, input price, output price."""
    models = list(models)
    prices = [model.price if has_token_price(model.price) else None for model in models]
    inputs = aligned([dollars(price.input) if price else "" for price in prices])
    outputs = aligned([dollars(price.output) if price else "" for price in prices])
    contexts = [tokens(model.context) for model in models]
    widest = max(map(len, contexts), default=0)
    rows: list[tuple[str, ...]] = []
    for model, context, given, output in zip(models, contexts, inputs, outputs, strict=True):
        extra = f"{dollars(model.price.per_request)}/request" if model.price and model.price.per_request else ""
        shown = " + ".join(filter(None, (output, extra)))
        rows.append((model.id, model.provider, context.rjust(widest) if context else "", given, shown))
    return rows


def line(model: Model) -> tuple[str, ...]:
    """The fields of a line for scripts: id, provider, context, input, output and request price; "" is unknown."""
    price = model.price
    by_token = price if has_token_price(price) else None
    return (
        model.id,
        model.provider,
        "" if model.context is None else str(model.context),
        amount(by_token.input) if by_token else "",
        amount(by_token.output) if by_token else "",
        amount(price.per_request) if price and price.per_request else "",
    )
