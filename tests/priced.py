"""Prices in the cache of the command, as `models` keeps them."""

import time

from cometresp.catalogue.cache import Header, Row, write_models
from tests.conftest import Command

PRICES: dict[str, Row] = {"m": [2.0, 8.0, None, 0.0]}


def priced(run: Command, base_url: str, prices: dict[str, Row] | None = None, *, age: float = 0.0) -> None:
    """Let these prices of a server's models have been fetched so many seconds ago."""
    header = Header(time.time() - age, f"{base_url}/models", PRICES if prices is None else prices, {})
    write_models(run.home / ".cache/cometresp", base_url, header, [])
