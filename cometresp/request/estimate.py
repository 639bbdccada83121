"""The number of input tokens of a request, estimated where no server counts them. Pure.

One token for 4 bytes of text (of UTF-8, which suits scripts other than Latin better than characters) and 4 for each
item. An image counts 765 tokens, with `detail` low 85, whatever its size; any other file one token for 30 bytes.
"""

import json

from cometresp.tuples import NamedTuple
from cometresp.wire.items import input_items
from cometresp.wire.json import Json, listed
from cometresp.wire.payload import Content

_TEXT_BYTES, _FILE_BYTES = 4, 30  # bytes of a token
_ITEM, _IMAGE, _LOW_IMAGE = 4, 765, 85  # tokens
_NO_TEXT = ("id", "type", "status", "role")  # fields of an item that the model doesn't read as text


class Estimate(NamedTuple):
    """A number of tokens, and what of the request isn't in it."""

    tokens: int
    left_out: tuple[str, ...]


def estimated_tokens(body: Json, earlier: int | None) -> Estimate:
    """The tokens of a body.

    `earlier` is what the turns before are known to have had in all, with the instructions and tools that are sent
    again; None where that isn't known.
    """
    left_out: list[str] = []
    items = input_items(body)
    tokens = (
        _ITEM * len(items) + _tokens(items, left_out) + _tokens(_settings(body, known=earlier is not None), left_out)
    )
    if earlier is not None:
        tokens += earlier
    elif body.get("previous_response_id") is not None or body.get("conversation") is not None:
        left_out.append("the earlier turns, which only the server has")
    return Estimate(tokens, tuple(dict.fromkeys(left_out)))


def earlier_tokens(body: Json, parent: str, usage: Json) -> int | None:
    """The tokens of the earlier turns that the server adds to a body; None where they aren't known.

    `parent` is the id of the turn that is continued, and `usage` what the server counted for it.
    """
    if body.get("previous_response_id") != parent and body.get("conversation") is None:
        return None
    before, answer = usage.get("input_tokens"), usage.get("output_tokens")
    return before + answer if isinstance(before, int) and isinstance(answer, int) else None


def _settings(body: Json, *, known: bool) -> list[object]:
    """The other fields that the model reads; `known`: but for those that are counted with the earlier turns."""
    text = body.get("text")
    shape = text.get("format") if isinstance(text, dict) else None
    found = [] if known else [body.get("instructions"), *map(json.dumps, listed(body.get("tools")))]
    return [*found, json.dumps(shape) if shape else None]


def _tokens(value: object, left_out: list[str]) -> int:
    if isinstance(value, str):
        return -(-len(value.encode(errors="replace")) // _TEXT_BYTES)
    if isinstance(value, Content):
        return -(-value.size // _TEXT_BYTES)
    if isinstance(value, list):
        return sum(_tokens(entry, left_out) for entry in value)
    if not isinstance(value, dict):
        return 0
    if value.get("type") == "input_image":
        return _LOW_IMAGE if value.get("detail") == "low" else _IMAGE
    if value.get("type") == "input_file":
        return _file_tokens(value, left_out)
    return sum(_tokens(entry, left_out) for name, entry in value.items() if name not in _NO_TEXT)


def _file_tokens(part: Json, left_out: list[str]) -> int:
    data = part.get("file_data")
    if isinstance(data, Content):
        return -(-data.size // _FILE_BYTES)
    if isinstance(data, str):
        return -(-len(data) * 3 // 4 // _FILE_BYTES)
    left_out.append("files given by URL or id")
    return 0
