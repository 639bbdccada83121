"""The checks on input items (API 3).

Items of types that the emulator doesn't use are accepted unchecked; only the type is required.
"""

import base64
import binascii
from typing import Any

from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.rules import Json, expect, required, string

MAX_TEXT = 10_485_760
_INPUT_PARTS = ("input_text", "input_image", "input_file")
_OUTPUT_PARTS = ("output_text", "refusal")
_PARTS = {
    "user": _INPUT_PARTS,
    "system": _INPUT_PARTS,
    "developer": _INPUT_PARTS,
    "assistant": _OUTPUT_PARTS,
}
# The strings that each item type requires, apart from those that are checked below.
_STRINGS = {
    "function_call": ("name", "arguments"),
    "custom_tool_call": ("name", "input"),
    "mcp_approval_request": ("name", "server_label", "arguments"),
    "mcp_approval_response": ("approval_request_id",),
    "item_reference": ("id",),
    "compaction": ("encrypted_content",),
}
_WITH_CALL_ID = ("function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output")


def check_input(value: Any, param: str = "input") -> None:
    expect(value, param, str, list)
    if isinstance(value, str):
        string(MAX_TEXT)(value, param)
        return
    for index, item in enumerate(value):
        _check_item(item, f"{param}[{index}]")


def item_type(item: Json) -> str | None:
    """The item's type. Messages and item references may leave it out (API 3.1, 3.2)."""
    kind = item.get("type")
    if kind is None:
        return "message" if "role" in item else "item_reference" if "id" in item else None
    return str(kind)


def _check_item(item: Any, param: str) -> None:
    expect(item, param, dict)
    if item.get("type") is not None:
        expect(item["type"], f"{param}.type", str)
    if item.get("id") is not None:
        expect(item["id"], f"{param}.id", str)
    kind = item_type(item)
    if kind is None:
        raise invalid(f"{param}.type", f"Missing required parameter: '{param}.type'.", "missing_required_parameter")
    if kind == "message":
        _check_message(item, param)
    if kind in _WITH_CALL_ID:
        call_id = required(item, "call_id", param, str)
        if not 1 <= len(call_id) <= 64:  # noqa: PLR2004 - API 9
            raise invalid(f"{param}.call_id", f"Invalid '{param}.call_id': expected 1 to 64 characters.")
    for key in _STRINGS.get(kind, ()):
        required(item, key, param, str)
    if kind in ("function_call_output", "custom_tool_call_output"):
        _check_content(required(item, "output", param, str, list), f"{param}.output", _INPUT_PARTS)
    if kind == "mcp_approval_response":
        required(item, "approve", param, bool)
        if item.get("reason") is not None:
            expect(item["reason"], f"{param}.reason", str)
    if kind == "reasoning":
        required(item, "summary", param, list)


def _check_message(item: Json, param: str) -> None:
    role = required(item, "role", param, str)
    if role not in _PARTS:
        raise _unsupported(f"{param}.role", role, tuple(_PARTS))
    _check_content(required(item, "content", param, str, list), f"{param}.content", _PARTS[role])
    if item.get("phase") is not None:
        expect(item["phase"], f"{param}.phase", str)


def _check_content(content: str | list[Any], param: str, allowed: tuple[str, ...]) -> None:
    if isinstance(content, str):
        string(MAX_TEXT)(content, param)
        return
    for index, part in enumerate(content):
        where = f"{param}[{index}]"
        expect(part, where, dict)
        kind = required(part, "type", where, str)
        if kind not in allowed:
            raise _unsupported(f"{where}.type", kind, allowed)
        if kind == "input_image":
            _check_image(part, where)
        elif kind == "input_file":
            _check_file(part, where)
        else:
            required(part, "refusal" if kind == "refusal" else "text", where, str)


def _unsupported(param: str, value: str, allowed: tuple[str, ...]) -> ApiError:
    listed = ", ".join(f"'{name}'" for name in allowed)
    return invalid(param, f"Invalid value: '{value}'. Supported values are: {listed}.")


def _check_image(part: Json, param: str) -> None:
    if part.get("image_url") is None and part.get("file_id") is None:
        raise invalid(param, f"Invalid '{param}': an input_image needs image_url or file_id.")
    url = part.get("image_url")
    if url is None:
        return
    expect(url, f"{param}.image_url", str)
    if url.startswith("data:"):
        _check_base64(url, f"{param}.image_url")
    elif not url.startswith(("https://", "http://")):
        text = f"Invalid '{param}.image_url'. Expected a valid URL, but got a value with an invalid format."
        raise invalid(f"{param}.image_url", text)


def _check_file(part: Json, param: str) -> None:
    sources = [key for key in ("file_data", "file_url", "file_id") if part.get(key) is not None]
    if len(sources) != 1:
        raise invalid(param, f"Invalid '{param}': an input_file needs exactly one of file_data, file_url, file_id.")
    expect(part[sources[0]], f"{param}.{sources[0]}", str)
    if sources[0] == "file_data":
        _check_base64(part["file_data"], f"{param}.file_data")


def _check_base64(value: str, param: str) -> None:
    head, _, data = value.rpartition(",")
    if (head and not head.endswith(";base64")) or not _is_base64(data):
        raise invalid(param, f"Invalid '{param}': expected a base64-encoded data URL.")


def _is_base64(data: str) -> bool:
    try:
        base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True
