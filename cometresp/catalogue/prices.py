"""The price of a model by its name, from the cache alone. Pure."""

import re
from collections.abc import Mapping
from typing import Literal

from cometresp.catalogue.cache import Header
from cometresp.catalogue.price import Price
from cometresp.tuples import NamedTuple

_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|20\d{6})$")  # the date of gpt-5.4-2026-03-05


class Known(NamedTuple):
    """What the cache says about a model: its price, None where that isn't known, and how old the cache is.

    The price of an old cache is returned too.
    """

    price: Price | None
    cache: Literal["fresh", "old", "missing"]


def known(header: Header | None, model: str) -> Known:
    """The list price of a model of the server whose cache this is.

    The name is an id or a code of the catalogue, with or without the date of a snapshot.
    """
    return Known(None, "missing") if header is None else Known(_price_in(header, model), header.age)


def _price_in(header: Header, model: str) -> Price | None:
    found = _id_of(header, model)
    if found is None and (base := _SNAPSHOT.sub("", model)) != model:
        found = _id_of(header, base)
    row = None if found is None else header.prices.get(found)
    if row is None:
        return None
    given, output, cached, per_request = row
    return Price(given or 0.0, output or 0.0, cached, per_request or 0.0)


def _id_of(header: Header, model: str) -> str | None:
    """The id of the catalogue that a name means: the same, the same but for case, or that of the code."""
    if model in header.prices:
        return model
    folded = model.casefold()
    found = _folded(header.prices, folded)
    code = model if model in header.codes else _folded(header.codes, folded)
    return found if found is not None else header.codes.get(code) if code is not None else None


def _folded(names: Mapping[str, object], folded: str) -> str | None:
    return next((name for name in names if name.casefold() == folded), None)
