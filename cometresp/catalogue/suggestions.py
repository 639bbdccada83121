"""Models, providers and endpoints for a shell's completion: from the record and the cache, never from a server."""

import os
from collections import Counter
from typing import NamedTuple

from cometresp.catalogue.cache import cache_folder, read_models
from cometresp.catalogue.entries import RESPONSES, Model
from cometresp.catalogue.select import ANY, speaks
from cometresp.catalogue.shown import description
from cometresp.config import Config, load
from cometresp.errors import CometrespError
from cometresp.state.suggestions import Suggestions, used_models
from cometresp.text import escape_line
from cometresp.wire.urls import EMULATOR_URL


class Server(NamedTuple):
    """The flags before the cursor that say which server is meant."""

    offline: bool = False
    base_url: str | None = None
    profile: str | None = None


def model_names(typed: str, server: Server) -> Suggestions:
    """The models that begin as typed: those of recorded turns, the last used first, aliases, the others of the server.

    Those of the server are described by provider, context and price, aliases by their models.
    """
    config = _config(server)
    if config is None:
        return []
    listed = {model.id: description(model) for model in _cached(server) if speaks(model)}
    used = {name: listed.get(name, "") for name in used_models(offline=config.offline)}
    aliases = {name: f"alias of {target}" for name, (target, _) in config.file.entries("aliases").items()}
    return _fitting(list({**used, **aliases, **listed, **used}.items()), typed)


def providers(typed: str, server: Server) -> Suggestions:
    """The providers of the server's models, those with the most models first."""
    return _counted([model.provider for model in _cached(server) if model.provider], typed)


def endpoints(typed: str, server: Server) -> Suggestions:
    """`any`, and the endpoints of the server's models."""
    names = [name for model in _cached(server) for name in model.endpoints or ()]
    return _fitting([(ANY, "all models")], typed) + _counted(names or [RESPONSES], typed)


def _config(server: Server) -> Config | None:
    try:
        return load(os.environ, base_url=server.base_url, offline=server.offline, profile=server.profile)
    except CometrespError:
        return None


def _cached(server: Server) -> list[Model]:
    """The models in the cache, however old; none where a setting is wrong."""
    if (config := _config(server)) is None:
        return []
    url = EMULATOR_URL if config.offline else config.base_url.value
    kept = read_models(cache_folder(os.environ), url)
    return kept[1] if kept else []


def _counted(names: list[str], typed: str) -> Suggestions:
    counts = Counter(names).most_common()
    return _fitting([(name, "1 model" if count == 1 else f"{count} models") for name, count in counts], typed)


def _fitting(found: Suggestions, typed: str) -> Suggestions:
    return [(name, text) for name, text in found if name.startswith(typed) and escape_line(name) == name]
