"""`--tool` and `--tool-choice` -> JSON (API 4). Pure: files are read by the caller's `read`."""

import re
from collections.abc import Sequence

from cometresp.errors import UsageError
from cometresp.request.tool_types import bare_tool, form_of, takes_fields, with_fields
from cometresp.text import Read, Say, quoted
from cometresp.wire.json import Json, parse_json

# Types for `tool_choice` (API 4.2); any other word is the name of a function.
CHOICE_TYPES = (
    "file_search",
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "computer",
    "computer_use_preview",
    "computer_use",
    "image_generation",
    "code_interpreter",
    "apply_patch",
    "shell",
    "programmatic_tool_calling",
)


def tool(spec: str, read: Read, warn: Say) -> list[Json]:
    """The tools that one `--tool` names: a type, with fields where it takes some, raw JSON or @FILE.

    JSON is an object or an array of them. A type that isn't known here is sent all the same, with a warning.
    """
    flag = "--tool"
    spec = spec.strip()
    if spec.startswith(("{", "[", "@")):
        value = parse_json(flag, read(flag, spec))
        tools = value if isinstance(value, list) else [value]
        for entry in tools:
            if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
                raise UsageError(f"{flag}: a tool is a JSON object with a type")
            if entry["type"] == "function" and "function" in entry:
                raise UsageError(
                    f"{flag}: function tools are flat: name, parameters and strict belong next to type (API 4.1)"
                )
        return tools
    name, colon, rest = spec.partition(":")
    if name == "mcp":
        label, equals, url = rest.partition("=")
        if not label or not equals or not url.startswith(("https://", "http://")):
            raise UsageError(f"{flag}: mcp:LABEL=URL needs a label and a web address", hint="as in mcp:docs=https://…")
        return [{"type": "mcp", "server_label": label, "server_url": url}]
    if takes_fields(name) and (colon or name == "code_interpreter"):
        found: Json | None = with_fields(name, rest)
    else:
        found = bare_tool(spec, warn)
    if name == "file_search" and not (found or {}).get("vector_store_ids"):
        raise UsageError(f"{flag}: file_search needs the ids of vector stores", hint=f"as in {form_of(name)}")
    if found is None:
        raise UsageError(
            f"{flag}: {quoted(_start_of(spec))} is not a tool",
            hint="one of web_search, web_search_preview, file_search:VS_ID[,VS_ID], code_interpreter, image_generation,"
            " shell, mcp:LABEL=URL, another type, @FILE or JSON",
        )
    return [found]


def _start_of(spec: str) -> str:
    """What may be shown of what is no tool: its first word, without the value of a field, which may be a secret."""
    found = re.match(r"[^=:{\"'\s]*[=:]?", spec)
    start = found[0] if found else ""
    return start if start == spec else f"{start}…"


def merged_tools(given: list[Json], functions: Sequence[Json]) -> list[Json]:
    """The tools and the functions' definitions, each name once: a custom tool replaces the function of its name."""
    custom = {tool.get("name") for tool in given if tool.get("type") == "custom"}
    defined = {tool["name"] for tool in functions}
    kept = [tool for tool in given if tool.get("type") != "function" or tool.get("name") not in defined]
    return kept + [tool for tool in functions if tool["name"] not in custom]


def tool_choice(value: str, tools: list[Json], read: Read) -> Json | str:
    """`--tool-choice`: a word, a function's name or JSON (API 4.2)."""
    flag = "--tool-choice"
    value = value.strip()
    if value.startswith(("{", "[", "@", '"')):
        choice: object = parse_json(flag, read(flag, value))
        if not isinstance(choice, str | dict):
            raise UsageError(f"{flag}: must be a word or a JSON object")
        return choice
    if not value:
        raise UsageError(f"{flag}: must not be empty")
    if value in ("auto", "none", "required"):
        return value
    for entry in tools:
        if entry.get("name") == value and isinstance(entry.get("type"), str):
            return {"type": entry["type"], "name": value}
        if entry.get("type") == "mcp" and entry.get("server_label") == value:
            return {"type": "mcp", "server_label": value}
    offered = {entry.get("type") for entry in tools} - {"function", "custom", "mcp", "namespace"}
    return {"type": value} if value in CHOICE_TYPES or value in offered else {"type": "function", "name": value}
