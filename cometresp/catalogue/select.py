"""Which models are listed, in which order; and what to try where there are none. Pure."""

from collections.abc import Iterable, Sequence
from typing import Literal

from cometresp.catalogue.entries import RESPONSES, Model, endpoint
from cometresp.tuples import NamedTuple

ANY = "any"
Sort = Literal["price", "context", "name"]
_MOST_NAMED = 12  # providers or endpoints in a message


class Wanted(NamedTuple):
    """Which models are listed: those with all `words` in id, name or provider, of this provider, for this endpoint.

    `endpoint` is None where it wasn't given: then only models are left out that are known to have no responses.
    """

    words: tuple[str, ...] = ()
    provider: str | None = None
    endpoint: str | None = None
    sort: Sort | None = None


def selected(models: Iterable[Model], wanted: Wanted) -> list[Model]:
    """The models that are wanted, in the order of the server if no other was given."""
    chosen = [model for model in models if _matches(model, wanted)]
    match wanted.sort:
        case "price":
            chosen.sort(key=_cost)
        case "context":
            chosen.sort(key=lambda model: -(model.context or 0))
        case "name":
            chosen.sort(key=lambda model: model.id.casefold())
    return chosen


def _cost(model: Model) -> tuple[bool, float, float]:
    """Cheapest first by a million tokens each way; those without a price last."""
    price = model.price
    return (price is None, 0.0, 0.0) if price is None else (False, price.input + price.output, price.per_request)


def _matches(model: Model, wanted: Wanted) -> bool:
    text = f"{model.id}\n{model.name}\n{model.provider}".casefold()
    if not all(word.casefold() in text for word in wanted.words):
        return False
    if wanted.provider is not None and wanted.provider.casefold() not in _providers(model):
        return False
    return speaks(model, wanted.endpoint)


def _providers(model: Model) -> set[str]:
    """The names of a model's provider, also as a code of CometAPI."""
    code = model.entry.get("provider_code")
    return {name.casefold() for name in (model.provider, code) if isinstance(name, str) and name}


def speaks(model: Model, name: str | None = None) -> bool:
    """Whether a model has the endpoint; without a name, whether it isn't known to have no responses."""
    if name is None:
        return model.endpoints is None or RESPONSES in model.endpoints
    return endpoint(name) == ANY or (model.endpoints is not None and endpoint(name) in model.endpoints)


def why_none(models: Sequence[Model], wanted: Wanted) -> str:
    """Why no model is left: what the server has none of, and what would find some."""
    if not models:
        return "the server lists no models"
    providers = sorted({model.provider for model in models if model.provider}, key=str.casefold)
    if wanted.provider is not None and not selected(models, Wanted(provider=wanted.provider, endpoint=ANY)):
        return f"no models of the provider {wanted.provider}{_among('providers', providers)}"
    if wanted.endpoint not in (None, ANY) and not selected(models, Wanted(endpoint=wanted.endpoint)):
        endpoints = sorted({name for model in models for name in model.endpoints or ()})
        return f"no models for the endpoint {wanted.endpoint}{_among('endpoints', endpoints) or ' are known'}"
    others = len(selected(models, wanted._replace(endpoint=ANY)))
    if others:
        return f"no models for {wanted.endpoint or RESPONSES} match, but {others} for others: --endpoint any lists them"
    return "no models match"


def _among(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"; {what}: {', '.join(names[:_MOST_NAMED])}{rest}"
