"""Models, providers and endpoints for a shell's completion: from the record and the cache, never from a server."""

import os
from collections import Counter

from cometresp.catalogue.cache import cache_folder, read_models
from cometresp.catalogue.entries import RESPONSES, Model
from cometresp.catalogue.select import ANY, speaks
from cometresp.catalogue.shown import description
from cometresp.config import load
from cometresp.config_file import load_file
from cometresp.errors import CometrespError
from cometresp.state.suggestions import Suggestions, used_models
from cometresp.text import escape_line
from cometresp.wire.urls import EMULATOR_URL


def model_names(typed: str, *, offline: bool = False, base_url: str | None = None) -> Suggestions:
    """The models that begin as typed: aliases, those of recorded turns, the last used first, then those of the server.

    Those of the server are described by provider, context and price.
    """
    described = {model.id: description(model) for model in _cached(offline, base_url) if speaks(model)}
    used = {name: described.get(name, "") for name in used_models(offline=offline)}
    return _fitting([*{**_aliases(), **used, **described}.items()], typed)


def providers(typed: str, *, offline: bool = False, base_url: str | None = None) -> Suggestions:
    """The providers of the server's models, those with the most models first."""
    return _counted([model.provider for model in _cached(offline, base_url) if model.provider], typed)


def endpoints(typed: str, *, offline: bool = False, base_url: str | None = None) -> Suggestions:
    """`any`, and the endpoints of the server's models."""
    names = [name for model in _cached(offline, base_url) for name in model.endpoints or ()]
    return _fitting([(ANY, "all models")], typed) + _counted(names or [RESPONSES], typed)


def _aliases() -> dict[str, str]:
    try:
        found = load_file(os.environ).entries("aliases")
    except CometrespError:
        return {}
    return {name: f"alias of {escape_line(target)}" for name, (target, _) in found.items()}


def _cached(offline: bool, base_url: str | None) -> list[Model]:
    """The models in the cache, however old; none where a setting is wrong."""
    try:
        config = load(os.environ, base_url=base_url, offline=offline)
    except CometrespError:
        return []
    kept = read_models(cache_folder(os.environ), EMULATOR_URL if config.offline else config.base_url.value)
    return kept[1] if kept else []


def _counted(names: list[str], typed: str) -> Suggestions:
    counts = Counter(names).most_common()
    return _fitting([(name, "1 model" if count == 1 else f"{count} models") for name, count in counts], typed)


def _fitting(found: Suggestions, typed: str) -> Suggestions:
    return [(name, text) for name, text in found if name.startswith(typed) and escape_line(name) == name]
