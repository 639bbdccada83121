"""The cached catalogues: one file for each base URL, in the user's cache directory.

A file has two lines of JSON. The first has the time and the prices, so that the price of one model is read without the
rest; the second has the models as the server listed them:

    {"format": 1, "base_url": "https://…/v1", "fetched": 1772611200.0, "source": "https://…/api/models",
     "prices": {"gpt-5.4": [2.0, 8.0, 0.2, 0.0], "unpriced": null}, "codes": {"gpt-5-4": "gpt-5.4"}}
    [{"id": "gpt-5.4", …}, …]

A file that is damaged counts as missing.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeGuard
from zlib import crc32

from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json
from cometresp.wire.urls import without_query

if TYPE_CHECKING:
    from cometresp.catalogue.entries import Model

_FORMAT = 1
_DAY = 86_400.0
_LATEST = 1e11  # seconds: times beyond can't be dates, prices beyond `_HIGHEST` not multiplied
_HIGHEST = 1e15  # USD; `pricing` finds none that is higher
_LONGEST_NAME = 80  # characters of a file's name that are made of the base URL

Row = list[float | None] | None  # input, output, cached input, per request; None for a model without a price in USD


class Header(NamedTuple):
    """What is known of a catalogue without reading its models: when and where it was fetched, and prices by id.

    `codes` has the ids by CometAPI's second name for a model, where that differs.
    """

    fetched: float
    source: str
    prices: Mapping[str, Row]
    codes: Mapping[str, str]

    @property
    def age(self) -> Literal["fresh", "old"]:
        """Whether it is less than a day old; a time in the future counts as old."""
        return "fresh" if 0 <= time.time() - self.fetched < _DAY else "old"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the cache: COMETRESP_CACHE_DIR, else that of the program in the user's cache directory."""
    if given := environ.get("COMETRESP_CACHE_DIR", "").strip("\ufeff \t\r\n"):
        return Path(os.path.abspath(os.path.expanduser(given)))  # noqa: PTH100, PTH111 - links stay; no unknown user
    from platformdirs import user_cache_path

    return user_cache_path("cometresp", appauthor=False)


def cache_file(folder: Path, base_url: str) -> Path:
    """The file of a base URL, as in `models/api.cometapi.com_v1-1a2b3c4d.json`. Its query doesn't count."""
    address = without_query(base_url)
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", address.partition("://")[2])[:_LONGEST_NAME]
    return folder / "models" / f"{name}-{crc32(address.encode(errors='replace')):08x}.json"


def read_header(folder: Path, base_url: str) -> Header | None:
    """What is known of the cached catalogue of a base URL; None where there is none that can be read."""
    try:
        with cache_file(folder, base_url).open("rb") as file:
            return _header(file.readline(), base_url)
    except (OSError, ValueError, RecursionError):
        return None


def read_models(folder: Path, base_url: str) -> tuple[Header, "list[Model]"] | None:
    """The cached catalogue of a base URL; None as for `read_header`."""
    from cometresp.catalogue.entries import entries_in, models_of

    try:
        with cache_file(folder, base_url).open("rb") as file:
            header = _header(file.readline(), base_url)
            entries = entries_in(json.loads(file.read()))
    except (OSError, ValueError, RecursionError):
        return None
    return None if header is None or entries is None else (header, models_of(entries))


def write_models(folder: Path, base_url: str, header: Header, entries: list[Json]) -> None:
    """Keep a catalogue with the entries of a server: whole or not at all, for the user alone. Raises OSError."""
    path = cache_file(folder, base_url)
    first = {"format": _FORMAT, "base_url": without_query(base_url), **header._asdict()}
    lines = [json.dumps(line).encode() + b"\n" for line in (first, entries)]
    for place in (folder, path.parent):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123
            file.writelines(lines)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _header(line: bytes, base_url: str) -> Header | None:
    """The first line of a file, None where it is damaged, of another format or of another base URL."""
    data: Any = json.loads(line)
    if not isinstance(data, dict) or (data.get("format"), data.get("base_url")) != (_FORMAT, without_query(base_url)):
        return None
    fetched, source, prices, codes = (data.get(name) for name in Header._fields)
    if not _is_number(fetched, _LATEST) or not isinstance(source, str):
        return None
    if not isinstance(prices, dict) or not isinstance(codes, dict):
        return None
    if not all(map(_is_row, prices.values())) or not all(isinstance(model, str) for model in codes.values()):
        return None
    return Header(float(fetched), source, prices, codes)


def _is_row(row: object) -> bool:
    if row is None:
        return True
    if not isinstance(row, list) or len(row) != 4:  # noqa: PLR2004 - see Row
        return False
    return all(_is_number(value, _HIGHEST) or (n == 2 and value is None) for n, value in enumerate(row))  # noqa: PLR2004


def _is_number(value: object, most: float) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
