"""The checks on the bodies of `POST /responses` (API 2, 4, 5 and 9) and `POST /responses/compact`.

Where servers add values of their own (models, tiers, truncation, include) any string is accepted. Unknown fields are
ignored, as the API ignores them.
"""

import re
from typing import Any

from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.input_rules import check_input
from cometresp.emulator.rules import (
    Json,
    Rule,
    array,
    boolean,
    expect,
    integer,
    members,
    number,
    required,
    string,
)

_MAX_PAIRS = 16
_MAX_KEY = 64
_MAX_VALUE = 512
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_SCHEMA_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check_request(body: Json) -> None:
    """Raise the error that the API would reply with. For two of them the gateway uses another status (API 8.2)."""
    _check_presence(body)
    for name, rule in _FIELDS.items():
        if body.get(name) is not None:
            rule(body[name], name)
    if "user" in body:
        expect(body["user"], "user", str)
    _check_model(body)
    if body.get("stream_options") is not None and not body.get("stream"):
        raise invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    if body.get("conversation") is not None and body.get("previous_response_id") is not None:
        text = "Mutually exclusive parameters: 'previous_response_id' and 'conversation'."
        raise invalid("previous_response_id", text, "mutually_exclusive_parameters")
    _check_choice(body.get("tool_choice"), body.get("tools") or [])


def check_compaction(body: Json) -> None:
    """Raise the error for a body of `POST /responses/compact`, which takes only some of the fields (API 1, #7)."""
    content = body.get("input") not in (None, []) or body.get("previous_response_id") is not None
    _require(model=body.get("model") not in (None, ""), input=content)
    for name, rule in _COMPACTION.items():
        if body.get(name) is not None:
            rule(body[name], name)
    _check_model(body)


def _check_model(body: Json) -> None:
    model = body.get("model") or ""
    if model.startswith("no-such"):
        text = f"no available channel for group default and model {model}"
        raise ApiError(503, text, param="model", code="model_not_found")


def _check_presence(body: Json) -> None:
    named = body.get("model") not in (None, "") or body.get("prompt") is not None  # a stored prompt may name the model
    sources = ("prompt", "conversation", "previous_response_id")
    content = body.get("input") not in (None, []) or any(body.get(name) is not None for name in sources)
    _require(model=named, input=content)


def _require(**present: bool) -> None:
    for name, given in present.items():
        if not given:
            raise ApiError(500, f"field {name} is required", param=name, code="invalid_request")


def check_metadata(value: Any, param: str) -> None:
    """Raise the error for metadata: at most 16 pairs of strings."""
    expect(value, param, dict)
    if len(value) > _MAX_PAIRS:
        text = f"Invalid '{param}': too many properties. Expected at most {_MAX_PAIRS}, but got {len(value)}."
        raise invalid(param, text, "object_above_max_properties")
    for key, text in value.items():
        if len(key) > _MAX_KEY:
            raise invalid(param, f"Invalid '{param}': a key is longer than {_MAX_KEY} characters.")
        string(_MAX_VALUE)(text, f"{param}.{key}")


def _conversation(value: Any, param: str) -> None:
    expect(value, param, str, dict)
    if isinstance(value, dict):
        required(value, "id", param, str)


def _prompt(value: Any, param: str) -> None:
    members(version=string(), variables=members())(value, param)
    required(value, "id", param, str)


def _format(value: Any, param: str) -> None:
    expect(value, param, dict)
    kind = required(value, "type", param, str)
    if kind not in ("text", "json_object", "json_schema"):
        raise invalid(f"{param}.type", f"Invalid value: '{kind}'. Supported: 'text', 'json_object', 'json_schema'.")
    if kind != "json_schema":
        return
    name = required(value, "name", param, str)
    if not _SCHEMA_NAME.fullmatch(name):
        raise invalid(f"{param}.name", f"Invalid '{param}.name': expected ^[a-zA-Z0-9_-]{{1,64}}$.")
    schema = required(value, "schema", param, dict)
    if value.get("strict") is not None:
        boolean(value["strict"], f"{param}.strict")
    if value.get("strict"):
        _check_strict(schema, f"{param}.schema", f"response_format '{name}'")


def _tool(value: Any, param: str) -> None:
    expect(value, param, dict)
    kind = required(value, "type", param, str)
    match kind:
        case "function":
            name = _tool_name(value, param)
            members(parameters=members(), strict=boolean, description=string())(value, param)
            if value.get("strict") and value.get("parameters") is not None:
                _check_strict(value["parameters"], f"{param}.parameters", f"function '{name}'")
        case "custom":
            _tool_name(value, param)
        case "code_interpreter":
            required(value, "container", param, str, dict)
        case "file_search":
            array(string())(required(value, "vector_store_ids", param, list), f"{param}.vector_store_ids")
            members(max_num_results=integer(1, 50))(value, param)
        case "mcp":
            required(value, "server_label", param, str)
            servers = [key for key in ("server_url", "connector_id", "tunnel_id") if value.get(key) is not None]
            if len(servers) != 1:
                text = f"Invalid '{param}': expected exactly one of server_url, connector_id, tunnel_id."
                raise invalid(f"{param}.server_url", text)
            expect(value[servers[0]], f"{param}.{servers[0]}", str)
            members(allowed_tools=_filter, require_approval=_approval)(value, param)
        case "image_generation":
            members(partial_images=integer(0, 3))(value, param)
        case _:
            pass


def _filter(value: Any, param: str) -> None:
    """Names of an MCP server's tools: a list, or an object with `tool_names` and `read_only`."""
    expect(value, param, list, dict)
    if isinstance(value, list):
        array(string())(value, param)
    else:
        members(tool_names=array(string()), read_only=boolean)(value, param)


def _approval(value: Any, param: str) -> None:
    expect(value, param, str, dict)
    if isinstance(value, dict):
        members(always=_filter, never=_filter)(value, param)
    elif value not in ("always", "never"):
        raise invalid(param, f"Invalid value: '{value}'. Supported values are: 'always' and 'never'.")


def _tool_name(tool: Json, param: str) -> str:
    name = required(tool, "name", param, str)  # the nested form of Chat Completions fails here (API 4.1)
    if not _TOOL_NAME.fullmatch(name):
        raise invalid(f"{param}.name", f"Invalid '{param}.name': expected ^[a-zA-Z0-9_-]+$, at most 128 characters.")
    return str(name)


def _choice(value: Any, param: str) -> None:
    expect(value, param, str, dict)
    if isinstance(value, str):
        if value not in ("none", "auto", "required"):
            raise invalid(param, f"Invalid value: '{value}'. Supported values are: 'none', 'auto', and 'required'.")
        return
    kind = required(value, "type", param, str)
    if kind in ("function", "custom"):
        required(value, "name", param, str)
    if kind == "allowed_tools":
        array(members(type=string(), name=string()))(required(value, "tools", param, list), f"{param}.tools")


def _check_choice(choice: Any, tools: list[Json]) -> None:
    if choice == "required" and not tools:
        raise invalid("tool_choice", "Tool choice 'required' must be specified with 'tools' parameter.")
    if isinstance(choice, dict) and choice["type"] in ("function", "custom"):
        offered = {(tool["type"], tool.get("name")) for tool in tools}
        if (choice["type"], choice["name"]) not in offered:
            raise invalid("tool_choice", f"Tool choice '{choice['name']}' not found in 'tools' parameter.")


def strict_problem(schema: Any, path: tuple[str, ...] = ()) -> str | None:
    """Why a schema doesn't fit strict mode, or None (API 5.1): objects are closed, all properties required."""
    if not isinstance(schema, dict):
        return None
    if problem := _open_object(schema, path):
        return problem
    inner = [((*path, "items"), schema.get("items"))]
    for key in ("properties", "$defs", "definitions", "anyOf", "allOf", "prefixItems"):
        inner += [((*path, key, name), part) for name, part in _entries(schema.get(key))]
    problems = (strict_problem(part, place) for place, part in inner)
    return next((problem for problem in problems if problem), None)


def _open_object(schema: Json, path: tuple[str, ...]) -> str | None:
    properties = dict(_entries(schema.get("properties")))
    if schema.get("type") != "object" and not properties:
        return None
    where = "(" + ", ".join(f"'{step}'" for step in path) + ")"
    if schema.get("additionalProperties") is not False:
        return f"In context={where}, 'additionalProperties' is required to be supplied and to be false."
    listed = schema.get("required")
    missing = [name for name in properties if not isinstance(listed, list) or name not in listed]
    if missing:
        return (
            f"In context={where}, 'required' is required to be supplied and to be an array including every key "
            f"in properties. Missing '{missing[0]}'."
        )
    return None


def _entries(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [(str(index), part) for index, part in enumerate(value)]
    return list(value.items()) if isinstance(value, dict) else []


def _check_strict(schema: Json, param: str, owner: str) -> None:
    problem = strict_problem(schema)
    if problem is None and schema.get("type") != "object" and "$ref" not in schema:
        problem = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    if problem:
        raise invalid(param, f"Invalid schema for {owner}: {problem}", "invalid_json_schema")


def _retention(value: Any, param: str) -> None:
    expect(value, param, str)
    if value == "in-memory":
        raise invalid(param, f"Invalid value: '{value}'. Supported values are: 'in_memory' and '24h'.")


_FIELDS: dict[str, Rule] = {
    "model": string(),
    "input": check_input,
    "instructions": string(),
    "background": boolean,
    "context_management": array(members(type=string(), compact_threshold=integer(1000)), 1),
    "conversation": _conversation,
    "include": array(string()),
    "max_output_tokens": integer(16),
    "max_tool_calls": integer(0),
    "metadata": check_metadata,
    "parallel_tool_calls": boolean,
    "previous_response_id": string(),
    "prompt": _prompt,
    "prompt_cache_key": string(),
    "prompt_cache_retention": _retention,
    "reasoning": members(effort=string(), summary=string(), generate_summary=string()),
    "safety_identifier": string(64),
    "service_tier": string(),
    "store": boolean,
    "stream": boolean,
    "stream_options": members(include_obfuscation=boolean),
    "temperature": number(0, 2),
    "text": members(format=_format, verbosity=string()),
    "tool_choice": _choice,
    "tools": array(_tool),
    "top_logprobs": integer(0, 20),
    "top_p": number(0, 1),
    "truncation": string(),
}
_COMPACTION: dict[str, Rule] = {
    **{name: _FIELDS[name] for name in ("model", "input", "instructions", "previous_response_id", "service_tier")},
    "prompt_cache_key": string(64),
    "prompt_cache_retention": _retention,
}
