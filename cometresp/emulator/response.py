"""The response object (API 6.1).

Fields without a value are left out where OpenAI's schema doesn't allow null, such as `usage` and `user`.
"""

import json
from typing import Any

from cometresp.emulator.answer import Outcome
from cometresp.emulator.context import Context
from cometresp.emulator.rules import Json
from cometresp.emulator.validation import strict_problem
from cometresp.emulator.wording import tokens

DEFAULT_MODEL = "emulator"
_DEFAULTS: Json = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}
_ONLY_IF_SENT = ("user", "prompt", "prompt_cache_options")
_CACHE_STEP = 128
_CACHE_LEAST = 1024


def build_response(
    request: Json, context: Context, outcome: Outcome, response_id: str, times: tuple[float, float]
) -> Json:
    """The response in its final state; `times` are its start and its end, in seconds since 1970."""
    tier = request.get("service_tier") or "auto"
    response: Json = {
        "id": response_id,
        "object": "response",
        "created_at": int(times[0]),
        "status": outcome.status,
        "completed_at": int(times[1]) if outcome.status == "completed" else None,
        "error": outcome.error,
        "incomplete_details": {"reason": outcome.reason} if outcome.reason else None,
        "model": request.get("model") or DEFAULT_MODEL,
        "output": outcome.output,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "reasoning": {"effort": None, "summary": None, **(request.get("reasoning") or {})},
        "service_tier": "default" if tier == "auto" else tier,
        "text": {"format": {"type": "text"}, "verbosity": "medium", **_set(request.get("text") or {})},
        "tools": [_echo(tool) for tool in request.get("tools") or []],
    }
    for name, default in _DEFAULTS.items():
        response[name] = default if request.get(name) is None else request[name]
    response.update({name: request[name] for name in _ONLY_IF_SENT if request.get(name) is not None})
    if (conversation := conversation_id(request)) is not None:
        response["conversation"] = {"id": conversation}
    if outcome.status != "failed":
        response["usage"] = _usage(request, context, outcome)
    return response


def pending(response: Json, status: str) -> Json:
    """The same response before its end, without output, usage and outcome."""
    empty: Json = {"status": status, "output": [], "completed_at": None, "error": None, "incomplete_details": None}
    return {key: value for key, value in response.items() if key != "usage"} | empty


def conversation_id(request: Json) -> str | None:
    conversation: Any = request.get("conversation")
    return None if conversation is None else str(conversation["id"] if isinstance(conversation, dict) else conversation)


def count_input(request: Json, context: Context) -> int:
    """The input tokens of a response, those of its tools included."""
    return context.count()[0] + (tokens(json.dumps(request["tools"])) if request.get("tools") else 0)


def _set(value: Json) -> Json:
    return {key: inner for key, inner in value.items() if inner is not None}


def _echo(tool: Json) -> Json:
    """A tool as the response returns it. The secrets of an MCP tool are left out (API 4.1)."""
    if tool["type"] == "function":
        parameters = tool.get("parameters")
        strict = tool.get("strict")
        fits = parameters is not None and strict_problem(parameters) is None  # API 4.1: strict if it fits
        return {**tool, "parameters": parameters, "strict": fits if strict is None else strict}
    if tool["type"] == "mcp":
        return {key: value for key, value in tool.items() if key not in ("authorization", "headers")}
    return tool


def _usage(request: Json, context: Context, outcome: Outcome) -> Json:
    _, earlier = context.count()
    read = count_input(request, context)
    cached = earlier // _CACHE_STEP * _CACHE_STEP if earlier >= _CACHE_LEAST else 0
    written = outcome.reasoning_tokens + sum(_written(item) for item in outcome.output)
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": outcome.reasoning_tokens},
        "total_tokens": read + written,
    }


def _written(item: Json) -> int:
    """The tokens of a message's text or of a call's arguments."""
    if item["type"] == "message":
        return sum(tokens(part.get("text") or part.get("refusal") or "") for part in item["content"])
    return sum(tokens(item.get(key) or "") for key in ("arguments", "input", "code"))
