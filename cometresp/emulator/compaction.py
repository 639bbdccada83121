"""Compaction (API 1, #7): a conversation folded into one item, which later requests send in place of the turns.

The item's `encrypted_content` isn't encrypted: it holds what answers are made of. That is the texts of messages, but
not those of the assistant, and the calls with their outputs. Images, files, reasoning and the calls of hosted tools
are left out.
"""

import base64
import binascii
import json
from typing import Any

from cometresp.emulator.context import CALLS, OUTPUTS, Context, NewId, text_of
from cometresp.emulator.errors import ApiError
from cometresp.emulator.input_rules import check_input
from cometresp.emulator.rules import Json
from cometresp.emulator.wording import tokens

_MARK = "emulated-"
_KEPT = (*CALLS, *OUTPUTS, "mcp_approval_request", "mcp_approval_response", "mcp_call")
_CUT = 16


def compact(context: Context, input_tokens: int, new_id: NewId, created: float) -> Json:
    """The object that the endpoint replies with: the user's messages, and the item that stands for all turns."""
    turns = context.earlier + context.items
    content = _folded(turns)
    kept = [{**item, "id": item.get("id") or new_id("msg")} for item in turns if item.get("role") == "user"]
    return {
        "id": new_id("resp"),
        "object": "response.compaction",
        "created_at": int(created),
        "output": [*kept, {"id": new_id("cmp"), "type": "compaction", "encrypted_content": content}],
        "usage": {
            "input_tokens": input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens(content),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": input_tokens + tokens(content),
        },
    }


def unfold(earlier: list[Json], items: list[Json]) -> tuple[list[Json], list[Json]]:
    """The items of earlier turns and of this one, with the turns of each `compaction` item in its place.

    An item before it that is part of these turns, such as a user's message that was sent along, counts once. Raises
    ApiError for a `compaction` item that the emulator didn't make.
    """
    before = _unfolded(earlier, [])
    return before, _unfolded(items, before)


def _unfolded(items: list[Json], before: list[Json]) -> list[Json]:
    """The items with those of compactions. What a compaction repeats is taken out of `before`, too."""
    result: list[Json] = []
    for item in items:
        if item["type"] != "compaction":
            result.append(item)
            continue
        turns = [_taken(held, before, result) for held in _held(item)]
        result += turns
    return result


def _taken(held: Json, *places: list[Json]) -> Json:
    """The item itself if it was sent along; it may have what the compaction left out."""
    for items in places:
        for index, item in enumerate(items):
            if _key(item) == _key(held):
                return items.pop(index)
    return held


def _key(item: Json) -> Any:
    if item["type"] == "message":
        return item["role"], None if item["role"] == "assistant" else text_of(item)
    return item["type"], item.get("call_id") or item.get("approval_request_id") or item.get("id")


def _folded(items: list[Json]) -> str:
    held = [_message(item) if item["type"] == "message" else item for item in items if _is_held(item)]
    return _MARK + base64.b64encode(json.dumps(held, separators=(",", ":")).encode()).decode()


def _is_held(item: Json) -> bool:
    return item["type"] == "message" or item["type"] in _KEPT


def _message(item: Json) -> Json:
    """A message by its role and text alone: without its id, so that equal turns are folded into equal text."""
    result = {"type": "message", "role": item["role"], "status": "completed", "content": []}
    if item["role"] != "assistant":
        result["content"] = [{"type": "input_text", "text": text_of(item)}]
    return result | ({"phase": item["phase"]} if item.get("phase") else {})


def _held(item: Json) -> list[Json]:
    content = item["encrypted_content"]
    try:
        held: Any = json.loads(base64.b64decode(content.removeprefix(_MARK), validate=True))
    except (ValueError, binascii.Error, RecursionError):
        held = None
    if not content.startswith(_MARK) or not isinstance(held, list):
        short = content if len(content) <= _CUT else f"{content[: _CUT // 2]}...{content[-_CUT // 2 :]}"
        text = f"The encrypted content {short} could not be verified: it isn't the emulator's."
        raise ApiError(400, text, param="input", code="invalid_encrypted_content")
    check_input(held)
    return held
