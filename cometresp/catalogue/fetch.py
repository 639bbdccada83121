"""The list of models of a server: CometAPI's catalogue, else OpenAI's list; from the cache while that is fresh."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from cometresp.catalogue.cache import Header, read_models, write_models
from cometresp.catalogue.entries import Model, entries_in, models_of, total_of
from cometresp.client.client import Client
from cometresp.errors import (
    KeyProblemError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    UnreachableError,
)
from cometresp.text import Say
from cometresp.tuples import NamedTuple
from cometresp.wire import endpoints
from cometresp.wire.endpoints import Request
from cometresp.wire.urls import shown_url, without_query

_FAILED = (ProtocolError, RequestRefusedError, RateLimitedError, UnreachableError)


class Catalogue(NamedTuple):
    """The models of a server, from which URL and when they were fetched.

    `total` is how many the server says it has, if it says so. `problem` is why an old list had to do.
    """

    models: list[Model]
    source: str
    fetched: float
    is_cached: bool = False
    total: int | None = None
    problem: str = ""


class Source(NamedTuple):
    """Where the models of a server come from: its base URL, the folder of the cache, and a client if one is needed.

    `warn` is told where the list can't be kept.
    """

    base_url: str
    folder: Path
    client: Callable[[], AbstractContextManager[Client]]
    warn: Say


def catalogue_of(source: Source, *, refresh: bool = False) -> Catalogue:
    """The models from the cache if it is fresh, else from the server; from an old cache if that fails.

    With `refresh` they come from the server alone. Raises the error of the server; that of a key in any case.
    """
    kept = read_models(source.folder, source.base_url)
    old = None
    if kept is not None:
        header, models = kept
        old = Catalogue(models, header.source, header.fetched, is_cached=True)
        if header.age == "fresh" and not refresh:
            return old
    has_catalogue = old is not None and old.source.endswith(endpoints.catalogue().path)
    try:
        with source.client() as client:
            found = _fetched(client, source.base_url, has_catalogue=has_catalogue)
    except _FAILED as error:
        if old is None or refresh:
            raise
        return old._replace(problem=error.message)
    _keep(source, found)
    return found


def _fetched(client: Client, base_url: str, *, has_catalogue: bool) -> Catalogue:
    """The models from the first of the two lists that the server has.

    Where it `has_catalogue`, its list of ids, which has no prices, isn't taken instead for an error that passes.
    """
    try:
        found = _from(client, base_url, endpoints.catalogue())
        if found.models:
            return found
    except (*_FAILED, KeyProblemError) as error:
        is_network = isinstance(error, UnreachableError) and error.details.status is None
        if is_network or (has_catalogue and error.passing):
            raise
    return _from(client, base_url, endpoints.models())


def _from(client: Client, base_url: str, request: Request) -> Catalogue:
    data = client.models(lambda value: entries_in(value) is not None, public=request.public)
    models = models_of(entries_in(data) or [])
    source = without_query(shown_url(request.url(base_url)))
    return Catalogue(models, source, time.time(), total=total_of(data))


def _keep(source: Source, found: Catalogue) -> None:
    if not found.models:
        return
    try:
        write_models(source.folder, source.base_url, _header(found), [model.entry for model in found.models])
    except OSError as error:
        source.warn(f"the list of models can't be kept in {source.folder}: {error.strerror or error}")


def _header(found: Catalogue) -> Header:
    prices = {model.id: None if model.price is None else list(model.price) for model in found.models}
    codes = {model.code: model.id for model in found.models if model.code and model.code not in prices}
    return Header(found.fetched, found.source, prices, codes)
