"""The models that the emulator lists (API 1, #11 and #12). It answers requests for any other model too."""

import json
from typing import Any

from cometresp.emulator.errors import ApiError
from cometresp.emulator.response import DEFAULT_MODEL
from cometresp.emulator.rules import Json

_CREATED = 1_772_611_200
_RESPONSES = ["openai-response"]
# (id, provider, type, endpoints, input, output and request price in USD, context). The prices are made up; the
# endpoints have all the forms that CometAPI gives them.
_MODELS: tuple[tuple[Any, ...], ...] = (
    (DEFAULT_MODEL, "cometresp", "text", _RESPONSES, 2.0, 8.0, None, 400_000),
    ("emulator-mini", "cometresp", "text", _RESPONSES, 0.4, 1.6, None, 400_000),
    ("emulator-large", "Example", "text", {"openai-response": {"path": "/v1/responses"}}, 15.0, 60.0, None, 1_048_576),
    ("emulator-free", "Example", "text", json.dumps(["openai", "openai-response"]), 0.0, 0.0, None, 8_192),
    ("emulator-unpriced", "Example", "text", _RESPONSES, None, None, None, None),
    ("emulator-image", "Example", "image", _RESPONSES, None, None, 0.04, None),
    ("emulator-chat", "Example", "text", ["openai"], 0.15, 0.6, None, 128_000),
)
_IDS = tuple(model[0] for model in _MODELS)


def list_models() -> Json:
    return {"object": "list", "data": [_model(name) for name in _IDS]}


def get_model(name: str) -> Json:
    if name not in _IDS:
        raise ApiError(404, f"The model '{name}' does not exist", param="model", code="model_not_found")
    return _model(name)


def list_catalogue() -> Json:
    """CometAPI's catalogue, `GET /api/models`."""
    data = [_entry(*model) for model in _MODELS]
    return {"success": True, "message": "", "page": 1, "page_size": 0, "total": len(data), "data": data}


def _model(name: str) -> Json:
    provider = next(model[1] for model in _MODELS if model[0] == name)
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": provider,
        "supported_endpoint_types": ["openai" if name == "emulator-chat" else "openai-response"],
    }


def _entry(
    name: str,
    provider: str,
    kind: str,
    endpoints: Any,
    given: float | None,
    output: float | None,
    request: float | None,
    context: int | None,
) -> Json:
    return {
        "id": name,
        "code": name,
        "name": name.replace("-", " ").title(),
        "description": "Answers offline, without a model.",
        "provider": provider,
        "provider_code": provider.lower(),
        "model_type": kind,
        "features": [kind],
        "endpoints": endpoints,
        "pricing": {"currency": "USD", "input": given, "output": output, "per_request": request, "per_second": None},
        "context_length": context,
        "max_completion_tokens": None if context is None else context // 4,
    }
