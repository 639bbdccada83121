"""Shared by these tests: an API with a clock of its own, and a request for each kind of answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cometresp.emulator.api import Api
from cometresp.emulator.errors import ApiError
from cometresp.emulator.store import Store

Json = dict[str, Any]

START = 1_800_000_000.25
PNG = "data:image/png;base64,iVBORw0KGgo="
WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
    "strict": True,
}
PERSON: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
MCP: Json = {"type": "mcp", "server_label": "docs", "server_url": "https://example.org/mcp"}
EVERYTHING = [
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
]
KINDS: dict[str, Json] = {
    "text": {"input": "Hello"},
    "all parameters": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Compare."},
                    {"type": "input_image", "image_url": PNG},
                    {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGVsbG8="},
                ],
            }
        ],
        "instructions": "Be short.",
        "max_output_tokens": 500,
        "max_tool_calls": 3,
        "metadata": {"k": "v"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "key",
        "prompt_cache_retention": "24h",
        "reasoning": {"effort": "low", "summary": "auto"},
        "safety_identifier": "me",
        "service_tier": "flex",
        "temperature": 0.5,
        "text": {"verbosity": "low"},
        "top_logprobs": 2,
        "top_p": 0.5,
        "truncation": "auto",
        "user": "me",
    },
    "stored prompt": {"prompt": {"id": "pmpt_1", "version": "2", "variables": {"city": "Oslo"}}},
    "not stored": {"input": "Hello", "store": False},
    "refusal": {"input": "emulate:refusal"},
    "incomplete": {"input": "emulate:incomplete"},
    "content filter": {"input": "emulate:content_filter"},
    "too long": {"input": "emulate:long=50", "max_output_tokens": 20},
    "failed": {"input": "emulate:failed"},
    "commentary": {"input": "emulate:commentary emulate:reasoning"},
    "commentary and calls": {"input": "emulate:commentary emulate:calls=2", "tools": [WEATHER]},
    "reasoning": {"input": "emulate:reasoning", "include": EVERYTHING},
    "function calls": {"input": "get_weather Oslo 3", "tools": [WEATHER]},
    "custom call": {"input": "shout hello", "tools": [{"type": "custom", "name": "shout"}]},
    "two calls": {"input": "emulate:calls=2 emulate:reasoning", "tools": [WEATHER]},
    "unknown call": {"input": "emulate:unknown_call", "tools": [WEATHER]},
    "broken call": {"input": "emulate:broken_call", "tools": [WEATHER]},
    "web search": {"input": "emulate:web_search", "tools": [{"type": "web_search_preview"}], "include": EVERYTHING},
    "file search": {
        "input": "emulate:file_search",
        "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}],
        "include": EVERYTHING,
    },
    "code": {
        "input": "emulate:code_interpreter",
        "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
        "include": EVERYTHING,
    },
    "image": {"input": "emulate:image_generation", "tools": [{"type": "image_generation", "partial_images": 2}]},
    "mcp approval": {"input": "emulate:mcp", "tools": [MCP]},
    "mcp call": {"input": "emulate:mcp", "tools": [MCP | {"require_approval": "never"}]},
    "json schema": {
        "input": "Ada, 36",
        "text": {"format": {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}},
    },
    "json object": {"input": "Some JSON", "text": {"format": {"type": "json_object"}}},
    "background": {"input": "Hello", "background": True},
    "failed in background": {"input": "emulate:failed", "background": True},
}
# Without a stream this one is an HTTP error.
STREAMED_KINDS = KINDS | {"error": {"input": "emulate:error"}}


@dataclass(slots=True)
class Clock:
    now: float = START
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        return True


class Bench:
    """The API without a socket; time passes only when the API waits."""

    def __init__(self, memory: Path | None = None, delay: float = 0.0) -> None:
        self.clock = Clock()
        self.store = Store(memory)
        self.api = Api(self.store, delay=delay, clock=self.clock, wait=self.clock.wait)

    def ask(self, **body: Any) -> Json:
        reply = self.api.handle("POST", "/v1/responses", {}, json.dumps({"model": "m", **body}).encode())
        assert isinstance(reply, dict)
        return reply

    def opened(self, **body: Any) -> Iterator[Json]:
        reply = self.api.handle(
            "POST", "/v1/responses", {}, json.dumps({"model": "m", **body, "stream": True}).encode()
        )
        assert not isinstance(reply, dict | bytes)
        return reply

    def stream(self, **body: Any) -> list[Json]:
        return list(self.opened(**body))

    def send(self, method: str, path: str, body: Json | None = None, **query: str) -> Json:
        """The reply of any endpoint; the path is the one below /v1."""
        reply = self.api.handle(method, f"/v1/{path}", query, b"" if body is None else json.dumps(body).encode())
        assert isinstance(reply, dict)
        return reply

    def error(self, method: str, path: str, body: Json | None = None, **query: str) -> tuple[int, str, str]:
        """Status, parameter and code of the error that the request gets."""
        try:
            self.send(method, path, body, **query)
        except ApiError as error:
            return error.status, error.param, error.code
        raise AssertionError("the request was accepted")

    def refused(self, **body: Any) -> ApiError:
        try:
            self.ask(**body)
        except ApiError as error:
            return error
        raise AssertionError("the request was accepted")

    def call(self, method: str, path: str, **query: str) -> Json:
        reply = self.api.handle(method, f"/v1/responses/{path}", query)
        assert isinstance(reply, dict)
        return reply

    def follow(self, response_id: str, **query: str) -> list[Json]:
        reply = self.api.handle("GET", f"/v1/responses/{response_id}", {"stream": "true", **query})
        assert not isinstance(reply, dict | bytes)
        return list(reply)


def text_of(response: Json) -> str:
    messages = [item for item in response["output"] if item["type"] == "message"]
    return "".join(part.get("text", "") for item in messages for part in item["content"])


def types_of(events: list[Json]) -> list[str]:
    """The types of events; equal types in a row count once."""
    types = [event["type"] for event in events]
    return [name for index, name in enumerate(types) if index == 0 or types[index - 1] != name]
