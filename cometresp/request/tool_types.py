"""The types of tools that the API page lists, and the forms of `--tool` that set their fields (API 4.1). Pure."""

import re
from typing import Any

from cometresp.errors import UsageError
from cometresp.text import Say, quoted
from cometresp.wire.json import Json

# Type -> the fields that it requires besides `type`.
REQUIRED: dict[str, tuple[str, ...]] = {
    "function": ("name", "parameters"),
    "custom": ("name",),
    "namespace": ("name", "description", "tools"),
    "web_search": (),
    "web_search_2025_08_26": (),
    "web_search_preview": (),
    "web_search_preview_2025_03_11": (),
    "file_search": ("vector_store_ids",),
    "code_interpreter": ("container",),
    "image_generation": (),
    "mcp": ("server_label", "server_url"),
    "computer": (),
    "computer_use_preview": ("environment", "display_width", "display_height"),
    "local_shell": (),
    "shell": (),
    "apply_patch": (),
    "tool_search": (),
    "programmatic_tool_calling": (),
}

_SEARCH = {"context": "search_context_size", "country": "user_location.country", "city": "user_location.city"}
_WEB_SEARCH = {"domains": "filters.allowed_domains[]", **_SEARCH}

# Type -> the keys that may stand behind its name, with the fields that they set; [] marks a list. "" is for words
# without a key.
_FIELDS: dict[str, dict[str, str]] = {
    "web_search": _WEB_SEARCH,
    "web_search_2025_08_26": _WEB_SEARCH,
    "web_search_preview": _SEARCH,
    "web_search_preview_2025_03_11": _SEARCH,
    "file_search": {"": "vector_store_ids[]", "max": "max_num_results"},
    "code_interpreter": {"": "container", "files": "container.file_ids[]", "memory": "container.memory_limit"},
    "image_generation": {
        name: name if name != "format" else "output_format"
        for name in ("size", "quality", "format", "background", "model", "action")
    },
}
_FORMS = {
    "file_search": "file_search:VS_ID[,VS_ID][,max=N]",
    "code_interpreter": "code_interpreter, code_interpreter:CONTAINER_ID or code_interpreter:files=ID[,ID],memory=4g",
    "mcp": "mcp:LABEL=URL",
}


def form_of(name: str) -> str:
    """How a type is written with `--tool`: `web_search:domains=…,context=…`."""
    keys = ",".join(f"{key}=…" for key in _FIELDS.get(name, {}) if key)
    return _FORMS.get(name) or (f"{name}:{keys}" if keys else name)


def with_fields(name: str, rest: str) -> Json:
    """The tool of a type that takes fields, given as in `domains=a.com,b.com,context=low`.

    A word without `=` belongs to the key before it.
    """
    fields = _FIELDS[name]
    tool: Json = {"type": name}
    key = ""
    for word in filter(None, (word.strip() for word in rest.split(","))):
        left, equals, value = (part.strip() for part in word.partition("="))
        if equals:
            key = left
        value = value if equals else left
        field = fields.get(key)
        if field is None or not value or (not equals and key and not field.endswith("[]")):
            shown = f"{left}=…" if equals and field is None else word  # a field of another tool may be a secret
            raise UsageError(f"--tool: {quoted(shown)} is nothing that {name} takes", hint=f"as in {form_of(name)}")
        _set(tool, field, value, word)
    if name == "code_interpreter":
        container = tool.setdefault("container", {})
        if isinstance(container, dict):
            tool["container"] = {"type": "auto", **container}
    if "user_location" in tool:
        tool["user_location"] = {"type": "approximate", **tool["user_location"]}
    return tool


def _set(tool: Json, field: str, value: str, word: str) -> None:
    *steps, last = field.removesuffix("[]").split(".")
    place: Any = tool
    for step in steps:
        place = place.setdefault(step, {})
    if not isinstance(place, dict) or (last in place and not field.endswith("[]")):
        raise UsageError(f"--tool: {quoted(word)} can't be combined with what stands before it")
    if field.endswith("[]"):
        place.setdefault(last, []).append(value)
    elif last == "max_num_results":
        if not value.isdecimal():
            raise UsageError(f"--tool: max must be a number, not {quoted(value)}")
        place[last] = int(value)
    else:
        place[last] = value


def takes_fields(name: str) -> bool:
    return name in _FIELDS


def bare_tool(spec: str, warn: Say) -> Json | None:
    """The tool of a type without fields, known here or not; None if that is no name of a type."""
    if not re.fullmatch(r"[a-z][\w.:-]*", spec, re.ASCII):
        return None
    required = REQUIRED.get(spec)
    if required is None:
        from difflib import get_close_matches

        near = get_close_matches(spec, REQUIRED, n=1, cutoff=0.8)
        meant = f"; did you mean {near[0]}?" if near else ""
        warn(f"--tool: {quoted(spec)} is not a type that the API page lists; it is sent unchanged{meant}")
    elif required:
        warn(f"--tool: {spec} is sent without its required {' and '.join(required)}: JSON or @FILE can give them")
    return {"type": spec}
