"""The models in a server's list, whatever shape it gives them (API 1, #11, #12). Pure.

CometAPI's catalogue, OpenAI's list, and those of OpenRouter, LiteLLM, new-api, Vercel, vLLM, llama.cpp and others: they
differ in where the list stands and in the names of its fields. A field that is missing, null or of another type is
unknown, and never an error.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from cometresp.catalogue.price import Price
from cometresp.catalogue.pricing import NotANumberError, parsed, price_of
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, obj, text

RESPONSES = "responses"

_LISTS = ("data", "models", "items", "results")  # of an object around the list
_IDS = ("id", "model_name", "model", "name", "key")
_PROVIDERS = ("provider", "provider_name", "owned_by", "publisher", "litellm_provider", "author", "vendor")
_TYPES = ("model_type", "type", "mode")
_ENDPOINTS = ("endpoints", "supported_endpoint_types", "supported_endpoints", "endpoint_types")
_FEATURES = ("features", "capabilities", "tags")
_CONTEXTS = (
    *("context_length", "context_window", "max_context_length", "max_input_tokens", "max_model_len", "context_size"),
    *("context", "n_ctx", "n_ctx_train"),
)
_OUTPUTS = ("max_completion_tokens", "max_output_tokens", "max_output", "max_tokens")
_SIZE = re.compile(r"(\d{1,15})\s*([km]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
# Names for an endpoint, without case, path and version, and the one that stands for them here.
_SAME = {
    "openai-response": RESPONSES,
    "openai-responses": RESPONSES,
    "response": RESPONSES,
    "openai": "chat",
    "chat/completions": "chat",
    "chat-completions": "chat",
    "chat_completions": "chat",
    "embedding": "embeddings",
}


class Model(NamedTuple):
    """A model of a server. What isn't known is "", () or None; `entry` is the server's own object.

    `endpoints` is None where the server doesn't say. `not_a_price` is text where a number should be.
    """

    id: str
    code: str
    name: str
    provider: str
    type: str
    endpoints: tuple[str, ...] | None
    features: tuple[str, ...]
    context: int | None
    max_output: int | None
    price: Price | None
    not_a_price: str
    entry: Json


def entries_in(data: object) -> list[Json] | None:
    """The entries of a list of models, each with an id; None where the JSON is no list of models."""
    if isinstance(data, dict):
        if data.get("success") is False:
            return None
        for name in _LISTS:
            inner = data.get(name)
            if isinstance(inner, dict):
                inner = next((inner[again] for again in _LISTS if isinstance(inner.get(again), list)), None)
            if isinstance(inner, list):
                return _with_ids(inner)
        return None
    return _with_ids(data) if isinstance(data, list) else None


def _with_ids(values: list[Any]) -> list[Json] | None:
    """The first entry of each id; None where there are values, but none is a model. An id alone is one, too."""
    found: dict[str, Json] = {}
    for value in values:
        entry = {"id": value} if isinstance(value, str) and value else obj(value)
        if identifier := _first(entry, _IDS):
            found.setdefault(identifier, entry)
    return list(found.values()) if found or not values else None


def total_of(data: object) -> int | None:
    """How many models the server says it has, where it lists only a page of them."""
    total = obj(data).get("total")
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def models_of(entries: Iterable[Json]) -> list[Model]:
    return [model_of(entry) for entry in entries]


def model_of(entry: Json) -> Model:
    """The model of an entry that has an id."""
    merged = {**obj(entry.get("model_info")), **entry}
    identifier = _first(entry, _IDS)
    price, not_a_price = None, ""
    try:
        price = price_of(entry)
    except NotANumberError as error:
        not_a_price = str(error)
    return Model(
        id=identifier,
        code=text(entry.get("code")),
        name=_first(entry, ("name", "display_name")) or identifier,
        provider=_provider(merged, identifier),
        type=next((value for name in _TYPES if (value := text(merged.get(name))) not in ("", "model")), ""),
        endpoints=_endpoints(merged),
        features=next((names for name in _FEATURES if (names := _names(merged.get(name)))), ()),
        context=_limit(merged, _CONTEXTS, ("limits", "limit", "top_provider", "meta")),
        max_output=_limit(merged, _OUTPUTS, ("limits", "limit", "top_provider")),
        price=price,
        not_a_price=not_a_price,
        entry=entry,
    )


def _first(entry: Json, names: Iterable[str]) -> str:
    return next((value for name in names if (value := text(entry.get(name)))), "")


def _provider(entry: Json, identifier: str) -> str:
    """Who made the model; for an id such as `openai/gpt-5.4`, what stands before the slash."""
    for name in _PROVIDERS:
        value = entry.get(name)
        if found := text(value) or _first(obj(value), ("name", "id")):
            return found
    return identifier.partition("/")[0] if "/" in identifier else ""


def _endpoints(entry: Json) -> tuple[str, ...] | None:
    for name in _ENDPOINTS:
        if names := _names(entry.get(name)):
            return tuple(dict.fromkeys(map(endpoint, names)))
    return None


@cache
def endpoint(name: str) -> str:
    """The name of an endpoint as it is compared: `responses` for `openai-response` and `/v1/responses`."""
    short = re.sub(r"^(https?://[^/]+)?/?(api/)?(v\d+/)?", "", name.strip().lower()).strip("/")
    return _SAME.get(short, short)


def _names(value: object) -> tuple[str, ...]:
    """The names in a list, an object whose values aren't false, or either as JSON in a string; else ()."""
    value = parsed(value)
    if isinstance(value, dict):
        return tuple(name for name, given in value.items() if name and given is not False)
    if isinstance(value, list):
        names = [text(one) or _first(obj(one), ("name", "type", "path", "endpoint")) for one in value]
        return tuple(name for name in names if name)
    if isinstance(value, str) and value.strip()[:1] not in ("{", "["):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return ()


def _limit(entry: Json, names: tuple[str, ...], inner: tuple[str, ...]) -> int | None:
    """A number of tokens in an entry, or in one of the objects in it."""
    for place in (entry, *(obj(entry.get(name)) for name in inner)):
        for name in names:
            if (size := _size(place.get(name))) is not None:
                return size
    return None


def _size(value: object) -> int | None:
    """A positive number of tokens, also as text: `128000`, `128K`."""
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        value = int(found[1]) * _UNITS[found[2].lower()]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
