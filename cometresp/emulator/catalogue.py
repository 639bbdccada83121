"""The models that the emulator lists (API 1, #11 and #12). It answers requests for any other model too."""

from cometresp.emulator.errors import ApiError
from cometresp.emulator.response import DEFAULT_MODEL
from cometresp.emulator.rules import Json

_CREATED = 1_772_611_200
_MODELS = (DEFAULT_MODEL, "emulator-mini")


def list_models() -> Json:
    return {"object": "list", "data": [_model(name) for name in _MODELS]}


def get_model(name: str) -> Json:
    if name not in _MODELS:
        raise ApiError(404, f"The model '{name}' does not exist", param="model", code="model_not_found")
    return _model(name)


def list_catalogue() -> Json:
    """CometAPI's catalogue, `GET /api/models`. The prices, in USD per million tokens, are made up."""
    data = [_entry(name, price) for name, price in zip(_MODELS, (2.0, 0.4), strict=True)]
    return {"success": True, "message": "", "page": 1, "page_size": 0, "total": len(data), "data": data}


def _model(name: str) -> Json:
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": "cometresp",
        "supported_endpoint_types": ["openai-response"],
    }


def _entry(name: str, price: float) -> Json:
    return {
        "id": name,
        "code": name,
        "name": name.replace("-", " ").title(),
        "description": "Answers offline, without a model.",
        "provider": "cometresp",
        "provider_code": "cometresp",
        "model_type": "text",
        "features": ["text"],
        "endpoints": ["openai-response"],
        "pricing": {"currency": "USD", "input": price, "output": 4 * price, "per_request": None, "per_second": None},
        "context_length": 400_000,
        "max_completion_tokens": 100_000,
    }
