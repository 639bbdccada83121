"""The events of a response (API 7), computed from its record alone.

A stream that is fetched again, or followed by another process, therefore has exactly the same events.
"""

from collections.abc import Callable, Iterator
from typing import Any

from cometresp.emulator.response import pending
from cometresp.emulator.rules import Json
from cometresp.emulator.store import Record
from cometresp.emulator.wording import pieces

# A background response is queued for this part of its duration, then in progress.
QUEUED_SHARE = 0.2
_PADDING = "obfuscated-delta"

Events = Iterator[Json]


def timeline(record: Record, *, obfuscated: bool | None = None) -> Iterator[tuple[float, Json]]:
    """Each event with the time at which it is due; sequence numbers start at 0."""
    pad = record.obfuscated if obfuscated is None else obfuscated
    last = sum(1 for _ in _events(record)) - 1 if record.background else 0
    deltas = 0
    for number, event in enumerate(_events(record)):
        event["sequence_number"] = number
        if event["type"].endswith(".delta"):
            deltas += 1
            if pad:
                event["obfuscation"] = _PADDING[len(event["delta"]) % len(_PADDING) :]  # hides the delta's length
        offset = _background_offset(record, number, last) if record.background else record.pace * deltas
        yield record.created + offset, event


def _background_offset(record: Record, number: int, last: int) -> float:
    """Seconds to an event: 0 for `created` and `queued`; the others are spread evenly from the end of the queue."""
    started = number - 2
    share = 0.0 if started < 0 else QUEUED_SHARE + (1 - QUEUED_SHARE) * started / max(1, last - 2)
    return record.duration * share


def _events(record: Record) -> Events:
    response = record.response
    waiting = pending(response, "queued" if record.background else "in_progress")
    yield {"type": "response.created", "response": waiting}
    if record.background:
        yield {"type": "response.queued", "response": waiting}
    yield {"type": "response.in_progress", "response": pending(response, "in_progress")}
    cut = response["status"] == "failed"
    for index, item in enumerate(response["output"]):
        yield from _item(item, index, response, cut=cut and item is response["output"][-1])
    if record.error_event:
        yield {
            "type": "error",
            "code": response["error"]["code"],
            "message": response["error"]["message"],
            "param": None,
        }
    else:
        yield {"type": f"response.{response['status']}", "response": response}


def _item(item: Json, index: int, response: Json, *, cut: bool) -> Events:
    """The events of an item, `added` to `done`. An item that a failure cut off has no `.done` events."""
    opened, inner = _KINDS[item["type"]]
    place = {"item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": item | opened}
    for event in inner(item, response):
        if cut and event["type"].endswith(".done"):
            return
        yield {"type": f"response.{event.pop('type')}", **place, **event}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _deltas(kind: str, text: str, **fields: Any) -> Events:
    return ({"type": f"{kind}.delta", **fields, "delta": piece} for piece in pieces(text))


def _message(item: Json, _: Json) -> Events:
    for index, part in enumerate(item["content"]):
        place = {"content_index": index}
        key = "refusal" if part["type"] == "refusal" else "text"
        more: Json = {} if key == "refusal" else {"logprobs": []}
        empty = part | {key: ""} if key == "refusal" else part | {key: "", "annotations": []}
        yield {"type": "content_part.added", **place, "part": empty}
        yield from _deltas(part["type"], part[key], **place, **more)
        for number, annotation in enumerate(part.get("annotations", [])):
            cited = {"annotation_index": number, "annotation": annotation}
            yield {"type": "output_text.annotation.added", **place, **cited}
        yield {"type": f"{part['type']}.done", **place, key: part[key], **more}
        yield {"type": "content_part.done", **place, "part": part}


def _reasoning(item: Json, _: Json) -> Events:
    for index, part in enumerate(item["summary"]):
        place = {"summary_index": index}
        yield {"type": "reasoning_summary_part.added", **place, "part": part | {"text": ""}}
        yield from _deltas("reasoning_summary_text", part["text"], **place)
        yield {"type": "reasoning_summary_text.done", **place, "text": part["text"]}
        yield {"type": "reasoning_summary_part.done", **place, "part": part}


def _function_call(item: Json, _: Json) -> Events:
    yield from _deltas("function_call_arguments", item["arguments"])
    yield {"type": "function_call_arguments.done", "name": item["name"], "arguments": item["arguments"]}


def _custom_tool_call(item: Json, _: Json) -> Events:
    yield from _deltas("custom_tool_call_input", item["input"])
    yield {"type": "custom_tool_call_input.done", "input": item["input"]}


def _search(item: Json, _: Json) -> Events:
    for state in ("in_progress", "searching", "completed"):
        yield {"type": f"{item['type']}.{state}"}


def _code_interpreter(item: Json, _: Json) -> Events:
    yield {"type": "code_interpreter_call.in_progress"}
    yield from _deltas("code_interpreter_call_code", item["code"])
    yield {"type": "code_interpreter_call_code.done", "code": item["code"]}
    yield {"type": "code_interpreter_call.interpreting"}
    yield {"type": "code_interpreter_call.completed"}


def _image_generation(item: Json, response: Json) -> Events:
    yield {"type": "image_generation_call.in_progress"}
    yield {"type": "image_generation_call.generating"}
    counts = (tool.get("partial_images") or 0 for tool in response["tools"] if tool["type"] == "image_generation")
    for number in range(next(counts, 0)):
        image = {"partial_image_index": number, "partial_image_b64": item["result"], "output_format": "png"}
        yield {"type": "image_generation_call.partial_image", **image}
    yield {"type": "image_generation_call.completed"}


def _mcp_list_tools(_item: Json, _: Json) -> Events:
    yield {"type": "mcp_list_tools.in_progress"}
    yield {"type": "mcp_list_tools.completed"}


def _mcp_call(item: Json, _: Json) -> Events:
    yield {"type": "mcp_call.in_progress"}
    yield from _deltas("mcp_call_arguments", item["arguments"])
    yield {"type": "mcp_call_arguments.done", "arguments": item["arguments"]}
    yield {"type": "mcp_call.completed"}


def _mcp_approval_request(_item: Json, _: Json) -> Events:
    return iter(())


_OPEN = {"status": "in_progress"}
# For each item type: the fields that differ when the item is added, and the events between `added` and `done`.
_KINDS: dict[str, tuple[Json, Callable[[Json, Json], Events]]] = {
    "message": ({**_OPEN, "content": []}, _message),
    "reasoning": ({"summary": []}, _reasoning),
    "function_call": ({**_OPEN, "arguments": ""}, _function_call),
    "custom_tool_call": ({**_OPEN, "input": ""}, _custom_tool_call),
    "web_search_call": (_OPEN, _search),
    "file_search_call": ({**_OPEN, "results": None}, _search),
    "code_interpreter_call": ({**_OPEN, "code": "", "outputs": None}, _code_interpreter),
    "image_generation_call": ({**_OPEN, "result": None}, _image_generation),
    "mcp_list_tools": ({"tools": []}, _mcp_list_tools),
    "mcp_call": ({**_OPEN, "arguments": "", "output": None}, _mcp_call),
    "mcp_approval_request": ({}, _mcp_approval_request),
}
