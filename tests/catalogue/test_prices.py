"""Prices from the cache: found by any name of a model, and no others."""

import time
from pathlib import Path

import pytest

from cometresp.catalogue.cache import Header, cache_file, read_header, read_models, write_models
from cometresp.catalogue.entries import model_of
from cometresp.catalogue.price import Price
from cometresp.catalogue.prices import Known, known
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime
from cometresp.turns.cost import Prices

URL = "https://api.example.com/v1"
HEADER = Header(
    fetched=0.0,
    source="https://api.example.com/api/models",
    prices={
        "gpt-5.4": [2.0, 8.0, 0.2, 0.0],
        "gpt-5.4-2026-01-01": [3.0, 9.0, None, 0.0],
        "Qwen-Max": [1.0, 4.0, None, 0.0],
        "gpt-image": [0.0, 0.0, None, 0.04],
        "unpriced": None,
        "UNPRICED": [1.0, 1.0, None, 0.0],
    },
    codes={"gpt-5-4": "gpt-5.4", "unpriced-code": "unpriced"},
)


def keep(folder: Path, fetched: float, url: str = URL) -> None:
    write_models(folder, url, HEADER._replace(fetched=fetched), [{"id": "gpt-5.4"}])


@pytest.mark.parametrize(
    ("name", "price"),
    [
        ("gpt-5.4", Price(2.0, 8.0, 0.2)),
        ("gpt-5.4-2026-01-01", Price(3.0, 9.0)),
        ("gpt-5.4-2026-03-05", Price(2.0, 8.0, 0.2)),
        ("gpt-5.4-20260305", Price(2.0, 8.0, 0.2)),
        ("gpt-5-4-2026-03-05", Price(2.0, 8.0, 0.2)),
        ("GPT-5.4", Price(2.0, 8.0, 0.2)),
        ("qwen-max", Price(1.0, 4.0)),
        ("gpt-image", Price(0.0, 0.0, None, 0.04)),
        ("unpriced", None),
        ("unpriced-code", None),
        ("gpt-5.4-mini", None),
        ("gpt-5.4-0613", None),
        ("", None),
    ],
)
def test_a_price_is_found_by_the_names_of_its_model(tmp_path: Path, name: str, price: Price | None) -> None:
    keep(tmp_path, time.time())
    assert known(read_header(tmp_path, URL), name) == Known(price, "fresh")


def test_a_price_says_how_old_the_cache_is(tmp_path: Path) -> None:
    assert known(read_header(tmp_path, URL), "gpt-5.4") == Known(None, "missing")
    keep(tmp_path, time.time() - 86_401)
    assert known(read_header(tmp_path, URL), "gpt-5.4") == Known(Price(2.0, 8.0, 0.2), "old")
    keep(tmp_path, time.time() + 3600)  # the clock was wrong, then or now
    assert known(read_header(tmp_path, URL), "gpt-5.4") == Known(Price(2.0, 8.0, 0.2), "old")


def test_the_price_of_a_model_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMETRESP_CACHE_DIR", str(tmp_path))
    keep(tmp_path, time.time())
    prices = Prices(Runtime(ConnectionOptions()))
    assert prices.known(URL, "gpt-5.4-mini") is prices.known(URL, "gpt-5.4-mini")
    assert prices.known(URL, "gpt-5.4") == Known(Price(2.0, 8.0, 0.2), "fresh")


def test_the_query_of_a_base_url_is_neither_kept_nor_compared(tmp_path: Path) -> None:
    keep(tmp_path, time.time(), f"{URL}?api-key=secret")
    assert known(read_header(tmp_path, f"{URL}?api-version=2"), "gpt-5.4").cache == "fresh"
    assert known(read_header(tmp_path, "https://api.example.com/v2"), "gpt-5.4").cache == "missing"
    assert [b"secret" in path.read_bytes() for path in (tmp_path / "models").iterdir()] == [False]


def test_a_catalogue_is_kept_for_the_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    keep(folder, 1.0)
    path = cache_file(folder, URL)
    assert [oct(place.stat().st_mode & 0o777) for place in (path, path.parent, folder)] == ["0o600", "0o700", "0o700"]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert read_models(folder, URL) == (HEADER._replace(fetched=1.0), [model_of({"id": "gpt-5.4"})])


def first(fetched: str = "1", prices: str = "{}") -> bytes:
    """The first line of a cache with these values."""
    start = f'{{"format":1,"base_url":"{URL}","fetched":{fetched},"source":"","prices":{prices},"codes":{{}}}}'
    return start.encode() + b"\n[]\n"


DAMAGED = (
    b"",
    b"{",
    b"<html>",
    b"[]",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"format": 2}',
    b'{"format": 1, "base_url": "https://api.example.com/v1"}',
    b'{"format":1,"base_url":"https://api.example.com/v1","fetched":"x","source":"","prices":{},"codes":{}}',
    b'{"format":1,"base_url":"https://api.example.com/v1","fetched":1,"source":"","prices":{"a":[1]},"codes":{}}',
    b'{"format":1,"base_url":"https://api.example.com/v1","fetched":1,"source":"","prices":{"a":["1",2,3,4]},'
    b'"codes":{}}',
    b'{"format":1,"base_url":"https://api.example.com/v1","fetched":1,"source":"","prices":{"a":[NaN,2,3,4]},'
    b'"codes":{}}',
    b'{"format":1,"base_url":"https://api.example.com/v1","fetched":1,"source":"","prices":{},"codes":{"a":1}}',
    first(fetched="9" * 400),
    first(fetched="NaN"),
    first(fetched="-1e300"),
    first(fetched="1e300"),
    first(fetched="true"),
    first(prices='{"a":[1,2,3,' + "9" * 400 + "]}"),
    first(prices='{"a":[1e300,2,3,4]}'),
    b'{"format":1,"base_url":"https://other.example/v1","fetched":1,"source":"","prices":{},"codes":{}}',
)


@pytest.mark.parametrize("damage", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_cache_counts_as_missing(tmp_path: Path, damage: bytes) -> None:
    keep(tmp_path, time.time())
    cache_file(tmp_path, URL).write_bytes(damage)
    assert (read_header(tmp_path, URL), read_models(tmp_path, URL)) == (None, None)


def test_a_cache_whose_models_are_damaged_still_has_its_prices(tmp_path: Path) -> None:
    keep(tmp_path, time.time())
    path = cache_file(tmp_path, URL)
    path.write_bytes(path.read_bytes()[:-5])
    assert known(read_header(tmp_path, URL), "gpt-5.4") == Known(Price(2.0, 8.0, 0.2), "fresh")
    assert read_models(tmp_path, URL) is None
