"""The models in the lists of servers, whatever shape they have."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.catalogue.entries import Model, endpoint, entries_in, model_of
from cometresp.catalogue.price import Price

UNKNOWN: dict[str, Any] = {
    "code": "",
    "provider": "",
    "type": "",
    "endpoints": None,
    "features": (),
    "context": None,
    "max_output": None,
    "price": None,
    "not_a_price": "",
}

COMETAPI = {
    "id": "gpt-5.4",
    "code": "gpt-5-4",
    "name": "GPT 5.4",
    "description": "…",
    "provider": "OpenAI",
    "provider_code": "openai",
    "model_type": "text",
    "features": ["text", "vision"],
    "endpoints": {"openai": {"path": "/v1/chat/completions"}, "openai-response": {"path": "/v1/responses"}},
    "pricing": {"currency": "USD", "input": 2.0, "output": 8.0, "per_request": None, "per_second": None},
    "context_length": 400_000,
    "max_completion_tokens": 128_000,
}
NEW_API = {"id": "gpt-5.4", "object": "model", "owned_by": "custom", "supported_endpoint_types": ["openai-response"]}
OPENROUTER = {
    "id": "openai/gpt-5.4",
    "name": "OpenAI: GPT-5.4",
    "context_length": 400000,
    "top_provider": {"context_length": 400000, "max_completion_tokens": 128000},
    "pricing": {"prompt": "0.00000125", "completion": "0.00001", "input_cache_read": "0.000000125", "request": "0"},
}
LITELLM = {
    "model_name": "fast",
    "litellm_params": {"model": "openai/gpt-5.4-mini"},
    "model_info": {
        "id": "7f3a",
        "mode": "responses",
        "litellm_provider": "openai",
        "max_input_tokens": 272000,
        "max_output_tokens": 128000,
        "input_cost_per_token": 2.5e-07,
        "output_cost_per_token": 2e-06,
        "cache_read_input_token_cost": 2.5e-08,
        "supported_endpoints": ["/v1/chat/completions", "/v1/responses"],
    },
}
VERCEL = {
    "id": "openai/gpt-5",
    "owned_by": "openai",
    "type": "language",
    "tags": ["reasoning"],
    "context_window": 400000,
    "max_tokens": 128000,
    "pricing": {"input": "0.00000125", "output": "0.00001"},
}
TOGETHER = {
    "id": "m",
    "type": "chat",
    "context_length": 8192,
    "pricing": {"hourly": 0, "input": 0.18, "output": 0.18, "base": 0},
}
REQUESTY = {"id": "m", "context_window": 1, "input_price": 1.5e-07, "output_price": 6e-07, "input": "text"}
DEEPINFRA = {"id": "m", "metadata": {"pricing": {"input_tokens": 0.1, "output_tokens": 0.4}}}
VLLM = {"id": "qwen", "object": "model", "owned_by": "vllm", "max_model_len": 32768}
LLAMA_CPP = {"id": "gemma.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}
OLLAMA = {"name": "llama3:8b", "model": "llama3:8b", "details": {"family": "llama"}}

# fmt: off
ENTRIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (COMETAPI, {"id": "gpt-5.4", "code": "gpt-5-4", "name": "GPT 5.4", "provider": "OpenAI", "type": "text", "endpoints": ("chat", "responses"), "features": ("text", "vision"), "context": 400000, "max_output": 128000, "price": Price(2.0, 8.0)}),
    (NEW_API, {"id": "gpt-5.4", "name": "gpt-5.4", "provider": "custom", "endpoints": ("responses",)}),
    (OPENROUTER, {"id": "openai/gpt-5.4", "name": "OpenAI: GPT-5.4", "provider": "openai", "context": 400000, "max_output": 128000, "price": Price(1.25, 10.0, 0.125)}),
    (LITELLM, {"id": "fast", "name": "fast", "provider": "openai", "type": "responses", "endpoints": ("chat", "responses"), "context": 272000, "max_output": 128000, "price": Price(0.25, 2.0, 0.025)}),
    (VERCEL, {"id": "openai/gpt-5", "name": "openai/gpt-5", "provider": "openai", "type": "language", "features": ("reasoning",), "context": 400000, "max_output": 128000, "price": Price(1.25, 10.0)}),
    (TOGETHER, {"id": "m", "name": "m", "type": "chat", "context": 8192, "price": Price(0.18, 0.18)}),
    (REQUESTY, {"id": "m", "name": "m", "context": 1, "price": Price(0.15, 0.6)}),
    (DEEPINFRA, {"id": "m", "name": "m", "price": Price(0.1, 0.4)}),
    (VLLM, {"id": "qwen", "name": "qwen", "provider": "vllm", "context": 32768}),
    (LLAMA_CPP, {"id": "gemma.gguf", "name": "gemma.gguf", "provider": "llamacpp", "context": 131072}),
    (OLLAMA, {"id": "llama3:8b", "name": "llama3:8b"}),
    ({"id": "m", "provider": {"name": "P"}, "context_length": "128K", "endpoints": '["responses"]'}, {"id": "m", "name": "m", "provider": "P", "context": 128000, "endpoints": ("responses",)}),
    ({"id": "m", "endpoints": '{"openai-response": {"path": "/v1/resp', "features": '{"vision": true, "tools": false}'}, {"id": "m", "name": "m", "features": ("vision",)}),
    ({"id": "m", "endpoints": [{"path": "/v1/responses"}, {"type": "anthropic"}], "context_length": 4.096e3}, {"id": "m", "name": "m", "endpoints": ("responses", "anthropic"), "context": 4096}),
    ({"id": "m", "name": 3, "provider": 4, "endpoints": 5, "features": 6, "context_length": True, "pricing": 7, "code": None}, {"id": "m", "name": "m"}),
]  # fmt: skip
# fmt: on
# ruff: noqa: E501


@pytest.mark.parametrize(("entry", "model"), ENTRIES, ids=range(len(ENTRIES)))
def test_a_model_is_read_whatever_the_shape_of_its_entry(entry: dict[str, Any], model: dict[str, Any]) -> None:
    assert model_of(entry) == Model(**{**UNKNOWN, **model, "entry": entry})


USD = {"currency": "USD", "per_request": None, "per_second": None}


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({**USD, "input": 2, "output": 8}, Price(2.0, 8.0)),
        ({**USD, "input": "2.5", "output": "10"}, Price(2.5, 10.0)),
        ({**USD, "input": 0.0004, "output": 0.0008}, Price(0.0004, 0.0008)),
        ({**USD, "input": 2, "output": 8, "cached_input": 0.2}, Price(2.0, 8.0, 0.2)),
        ({**USD, "input": 2, "output": 8, "per_request": 0.01}, Price(2.0, 8.0, None, 0.01)),
        ({**USD, "input": 0, "output": 0}, Price(0.0, 0.0)),
        ({**USD, "input": None, "output": None, "per_request": 0.04}, Price(0.0, 0.0, None, 0.04)),
        ({**USD, "input": 0, "output": 0, "per_second": 0.1}, None),
        ({**USD, "input": 2, "output": None}, None),
        ({**USD, "input": None, "output": None}, None),
        ({**USD, "currency": "CNY", "input": 2, "output": 8}, None),
        ({**USD, "input": -1, "output": -1}, None),
        ({**USD, "input": float("inf"), "output": 1}, None),
        ({**USD, "input": True, "output": 1}, None),
        ({**USD, "input": [2, 3], "output": 1}, None),
        ({"prompt": "-1", "completion": "-1"}, None),
        ({"prompt": "0", "completion": "0"}, Price(0.0, 0.0)),
        ({"prompt": "0.00000015", "completion": "0.0000006"}, Price(0.15, 0.6)),
        ({"prompt": 0.27, "completion": 1.1}, Price(0.27, 1.1)),
        ({"input": {"usd": 0.27, "tao": 1}, "output": {"usd": 1.1}}, Price(0.27, 1.1)),
        ('{"input": 2, "output": 8}', Price(2.0, 8.0)),
        ({}, None),
        (None, None),
        (3, None),
    ],
)
def test_prices_are_those_of_a_million_tokens_in_dollars(pricing: object, price: Price | None) -> None:
    model = model_of({"id": "m", "pricing": pricing})
    assert (model.price, model.not_a_price) == (price, "")


@pytest.mark.parametrize(
    ("pricing", "text"),
    [
        ({**USD, "input": "on request", "output": 1}, "on request"),
        ({**USD, "input": "$2.50", "output": 1}, "$2.50"),
        ("call us", "call us"),
        ('{"input": 2, "out', '{"input": 2, "out'),
    ],
)
def test_a_price_that_is_text_is_unknown_and_quoted(pricing: object, text: str) -> None:
    model = model_of({"id": "m", "pricing": pricing})
    assert (model.price, model.not_a_price) == (None, text)


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ({"success": True, "data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"object": "list", "data": [{"id": "a"}, {"id": "a", "again": 1}, {"no": "id"}, 3, None]}, ["a"]),
        ({"models": [{"name": "a"}], "data": [{"id": "b"}]}, ["b"]),
        ({"models": [{"name": "a", "model": "b"}]}, ["b"]),
        ({"data": {"models": [{"id": "a"}]}}, ["a"]),
        ([{"id": "a"}], ["a"]),
        (["a", "b", "", "a"], ["a", "b"]),
        ({"data": []}, []),
        ([], []),
        ({"success": False, "message": "no", "data": []}, None),
        ({"data": [{"title": "a page"}]}, None),
        ({"data": "a"}, None),
        ({"error": {"message": "no"}}, None),
        ({}, None),
        ("<html>", None),
        (None, None),
    ],
)
def test_the_list_is_found_where_servers_put_it(data: object, ids: list[str] | None) -> None:
    entries = entries_in(data)
    assert (entries if entries is None else [model_of(entry).id for entry in entries]) == ids


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("responses", "responses"),
        ("openai-response", "responses"),
        ("/v1/responses", "responses"),
        ("https://api.example.com/v1/responses", "responses"),
        ("openai", "chat"),
        ("/v1/chat/completions", "chat"),
        ("/api/v1/messages", "messages"),
        ("Image-Generation", "image-generation"),
    ],
)
def test_an_endpoint_has_one_name(written: str, name: str) -> None:
    assert endpoint(written) == name


FIELDS = sorted({name for entry, _ in ENTRIES for name in entry} | {"input", "output", "usd", "currency", "data"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just('{"input":1}'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=20,
)


@given(JSON)
def test_no_json_is_too_odd_to_be_read(data: object) -> None:
    for entry in entries_in(data) or []:
        json.dumps(model_of(entry))
