"""`--tool` and `--tool-choice` -> JSON (API 4). Pure: files are read by the caller's `read`."""

from collections.abc import Sequence

from cometresp.errors import UsageError
from cometresp.text import Read
from cometresp.wire.json import Json, parse_json

_PLAIN = ("web_search_preview", "web_search", "image_generation")

# Types for `tool_choice` (API 4.2); any other word is the name of a function.
_CHOICE_TYPES = (
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


def tool(spec: str, read: Read) -> list[Json]:
    """The tools that one `--tool` names: a shorthand, raw JSON or @FILE (an object or an array of them)."""
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
    name, _, rest = spec.partition(":")
    match name:
        case _ if spec in _PLAIN:
            return [{"type": spec}]
        case "code_interpreter" if not rest:
            return [{"type": "code_interpreter", "container": {"type": "auto"}}]
        case "file_search" if ids := [part.strip() for part in rest.split(",") if part.strip()]:
            return [{"type": "file_search", "vector_store_ids": ids}]
        case "mcp" if "=" in rest:
            label, _, url = rest.partition("=")
            if not label or not url.startswith(("https://", "http://")):
                raise UsageError(f"{flag}: mcp:LABEL=URL needs a label and a web address, not {spec!r}")
            return [{"type": "mcp", "server_label": label, "server_url": url}]
    raise UsageError(
        f"{flag}: {spec!r} is not a tool",
        hint="one of web_search, web_search_preview, file_search:VS_ID[,VS_ID], code_interpreter, image_generation,"
        " mcp:LABEL=URL, @FILE or JSON",
    )


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
    return {"type": value} if value in _CHOICE_TYPES else {"type": "function", "name": value}
