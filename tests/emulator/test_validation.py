from typing import Any

import pytest

from cometresp.emulator.errors import ApiError

from .bench import KINDS, MCP, PERSON, WEATHER, Bench

IMAGE = {"type": "input_image", "image_url": "https://example.org/a.png"}
OPEN_OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
OPTIONAL = PERSON | {"required": ["name"]}
INVALID: list[tuple[dict[str, Any], str]] = [
    ({"model": 5}, "model"),
    ({"input": 5}, "input"),
    ({"input": ["Hello"]}, "input[0]"),
    ({"input": [{}]}, "input[0].type"),
    ({"input": [{"type": 5}]}, "input[0].type"),
    ({"input": [{"role": "robot", "content": "Hello"}]}, "input[0].role"),
    ({"input": [{"role": "user"}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": [{"text": "Hello"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
    ({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0]"),
    ({"input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments"),
    ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c" * 65, "output": "x"}]}, "input[0].call_id"),
    ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
    ({"input": [{"type": "reasoning"}]}, "input[0].summary"),
    ({"input": [{"type": "mcp_approval_response", "approval_request_id": "m"}]}, "input[0].approve"),
    ({"input": "x" * 10_485_761}, "input"),
    ({"instructions": 5}, "instructions"),
    ({"background": "yes"}, "background"),
    ({"store": 1}, "store"),
    ({"stream": "true"}, "stream"),
    ({"context_management": []}, "context_management"),
    (
        {"context_management": [{"type": "compaction", "compact_threshold": 10}]},
        "context_management[0].compact_threshold",
    ),
    ({"input": [{"role": "user", "content": "Hello", "id": 1}]}, "input[0].id"),
    ({"input": [{"role": "assistant", "content": "Hello", "phase": 1}]}, "input[0].phase"),
    ({"conversation": {}}, "conversation.id"),
    ({"conversation": "conv_1", "previous_response_id": "resp_1"}, "previous_response_id"),
    ({"include": "all"}, "include"),
    ({"include": [5]}, "include[0]"),
    ({"max_output_tokens": 15}, "max_output_tokens"),
    ({"max_output_tokens": 16.5}, "max_output_tokens"),
    ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
    ({"metadata": {"k" * 65: ""}}, "metadata"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k"),
    ({"metadata": {"k": 5}}, "metadata.k"),
    ({"prompt": {}}, "prompt.id"),
    ({"prompt_cache_retention": "in-memory"}, "prompt_cache_retention"),
    ({"reasoning": "high"}, "reasoning"),
    ({"reasoning": {"effort": 5}}, "reasoning.effort"),
    ({"safety_identifier": "x" * 65}, "safety_identifier"),
    ({"service_tier": 5}, "service_tier"),
    ({"stream_options": {}}, "stream_options"),
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": "1"}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
    ({"text": {"format": {"type": "json_schema", "schema": PERSON}}}, "text.format.name"),
    ({"text": {"format": {"type": "json_schema", "name": "a b", "schema": PERSON}}}, "text.format.name"),
    ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
    ({"text": {"format": {"type": "json_object"}}}, "input"),
    ({"tool_choice": "some"}, "tool_choice"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tool_choice": {"type": "function", "name": "x"}, "tools": [WEATHER]}, "tool_choice"),
    ({"tools": {}}, "tools"),
    ({"tools": [{"name": "x"}]}, "tools[0].type"),
    ({"tools": [{"type": "function", "function": WEATHER}]}, "tools[0].name"),
    ({"tools": [WEATHER | {"name": "get weather"}]}, "tools[0].name"),
    ({"tools": [WEATHER | {"parameters": OPEN_OBJECT}]}, "tools[0].parameters"),
    ({"tools": [{"type": "code_interpreter"}]}, "tools[0].container"),
    ({"tools": [{"type": "file_search"}]}, "tools[0].vector_store_ids"),
    ({"tools": [{"type": "mcp", "server_url": "https://example.org"}]}, "tools[0].server_label"),
    ({"tools": [{"type": "mcp", "server_label": "a"}]}, "tools[0].server_url"),
    ({"tools": [MCP | {"connector_id": "connector_gmail"}]}, "tools[0].server_url"),
    ({"tools": [{"type": "image_generation", "partial_images": 4}]}, "tools[0].partial_images"),
    ({"top_logprobs": 21}, "top_logprobs"),
    ({"top_p": 1.1}, "top_p"),
    ({"truncation": 5}, "truncation"),
    ({"user": None}, "user"),
]


@pytest.mark.parametrize(("fields", "param"), INVALID)
def test_a_bad_field_is_a_400_that_names_it(bench: Bench, fields: dict[str, Any], param: str) -> None:
    error = bench.refused(**{"input": "Hello", **fields})
    assert (error.status, error.param) == (400, param)


@pytest.mark.parametrize(
    "fields",
    [
        {"unknown": {"field": 1}},
        {"service_tier": "new", "truncation": "new", "include": ["new"], "reasoning": {"effort": "new"}},
        {"temperature": None, "tools": None, "metadata": None, "text": None, "stream": None},
        {"temperature": 2, "top_p": 0, "top_logprobs": 20, "max_output_tokens": 16},
        {"metadata": {str(number): "v" * 512 for number in range(16)}, "safety_identifier": "x" * 64},
        {"tools": [{"type": "new_tool"}, {"type": "computer"}, {"type": "function", "name": "f"}]},
        {"input": [{"type": "new_item", "content": "anything"}]},
        {"input": [{"role": "user", "content": [IMAGE]}, {"role": "developer", "content": "Be short."}]},
        *KINDS.values(),
    ],
)
def test_valid_requests_are_answered(bench: Bench, fields: dict[str, Any]) -> None:
    assert bench.ask(**{"input": "Hello", **fields})["object"] == "response"


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "input_image", "image_url": {"url": "https://example.org"}}, ".image_url"),
        ({"type": "input_image", "image_url": "photo.png"}, ".image_url"),
        ({"type": "input_image", "image_url": "data:image/png;base64,?"}, ".image_url"),
        ({"type": "input_file", "file_data": "data:text/plain,hello"}, ".file_data"),
        ({"type": "input_file", "filename": "a.txt"}, ""),
        ({"type": "input_file", "file_id": "file-1", "file_url": "https://example.org"}, ""),
    ],
)
def test_a_bad_attachment_is_a_400(bench: Bench, part: dict[str, Any], param: str) -> None:
    error = bench.refused(input=[{"role": "user", "content": [part]}])
    assert (error.status, error.param) == (400, f"input[0].content[0]{param}")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (OPEN_OBJECT, "In context=(), 'additionalProperties' is required to be supplied and to be false."),
        (
            PERSON | {"properties": {**PERSON["properties"], "at": OPEN_OBJECT}, "required": ["name", "age", "at"]},
            "'at'",
        ),
        (OPTIONAL, "Missing 'age'."),
        ({"type": "array", "items": {"type": "string"}}, "schema must be a JSON Schema of 'type: \"object\"'"),
    ],
)
def test_a_strict_schema_is_closed_and_complete(bench: Bench, schema: dict[str, Any], message: str) -> None:
    shape = {"type": "json_schema", "name": "person", "schema": schema, "strict": True}
    error = bench.refused(input="Ada", text={"format": shape})
    assert (error.status, error.param, error.code) == (400, "text.format.schema", "invalid_json_schema")
    assert message in error.message
    assert bench.ask(input="Ada", text={"format": shape | {"strict": False}})["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "", "bad_request_body")),
        (b"{", (400, "", "bad_request_body")),
        (b'{"model": "\xff"}', (400, "", "bad_request_body")),
        (b'{"temperature": NaN}', (400, "", "bad_request_body")),
        (b"[" * 100_000, (400, "", "bad_request_body")),
        (b"[]", (400, "", "invalid_type")),
        (b"{}", (500, "model", "invalid_request")),
        (b'{"model": "m"}', (500, "input", "invalid_request")),
        (b'{"model": "m", "input": []}', (500, "input", "invalid_request")),
        (b'{"model": "no-such-model", "input": "Hello"}', (503, "model", "model_not_found")),
    ],
)
def test_a_bad_body_is_refused_as_the_gateway_does(bench: Bench, body: bytes, expected: tuple[int, str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        bench.api.handle("POST", "/v1/responses", {}, body)
    assert (caught.value.status, caught.value.param, caught.value.code) == expected


def test_an_error_has_the_gateway_s_shape() -> None:
    assert ApiError(400, "Wrong.", param="input", code="bad").body("42") == {
        "error": {"message": "Wrong. (request id: 42)", "type": "comet_api_error", "param": "input", "code": "bad"}
    }
