"""Reading the JSON of items and their parts (API 3, 6.3, 6.4)."""

import json
from collections.abc import Iterable

from cometresp.text import shell_flag
from cometresp.wire.headers import MASK
from cometresp.wire.json import Json, listed, obj, text
from cometresp.wire.tool_secrets import changed

# The key of a part's text, by the type of the part. Some servers call the part of an answer "text" (API 12.13).
TEXT_KEY = {
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
    "reasoning_text": "text",
    "summary_text": "text",
}
ANSWER_PARTS = ("output_text", "refusal", "text")
_NO_ARGUMENTS = ("", "{}")
# Items that only the client can answer, and the type of the item that answers them (API 6.3).
CLIENT_CALLS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "mcp_approval_request": "mcp_approval_response",
    "tool_search_call": "tool_search_output",
}


def type_of(item: Json, default: str) -> str:
    """The type of an item or part, or `default` if the server sent none."""
    return text(item.get("type")) or default


def id_of_item(item: Json) -> str:
    """The id that identifies an item: its `id`, or the `call_id` of a call without one (API 6.3)."""
    return text(item.get("id") or item.get("call_id"))


def identity(item: Json) -> tuple[str, str] | None:
    """What tells an item from others: its type, and the call that it makes or answers, else its id; None without one.

    The `id` of a call may change between events (API 7.3.2), its `call_id` may not.
    """
    kind = type_of(item, "message")
    for suffix in ("_call", "_output"):
        if kind.endswith(suffix) and (call_id := _name(item.get("call_id"))):
            return suffix, call_id
    name = _name(item.get("id"))
    return (kind, name) if name else None


def _name(value: object) -> str:
    """An id, also one that is a number."""
    return str(value) if type(value) is int else text(value)


def fuller(item: Json, again: Json) -> Json | None:
    """The fuller one of two items with the same identity; None if they are different items all the same.

    A call id names one call. Some servers give all messages of a response the same id, so their texts decide.
    """
    if type_of(item, "message").endswith(("_call", "_output")):
        return again if arguments_of(again) not in _NO_ARGUMENTS or arguments_of(item) in _NO_ARGUMENTS else item
    text, text_again = _all_text(item), _all_text(again)
    if text_again.startswith(text):
        return again
    return item if text.startswith(text_again) else None


def distinct(output: list[Json]) -> list[Json]:
    """The output with each item once: where it was first, and as full as it came (API 12.15)."""
    made: list[Json] = []
    places: dict[tuple[str, str] | None, int] = {}
    for item in output:
        key = identity(item)
        place = places.get(key)
        if key is not None and place is not None and (full := fuller(made[place], item)) is not None:
            made[place] = full
        else:
            places.setdefault(key, len(made))
            made.append(item)
    return made


def _all_text(item: Json) -> str:
    return "".join(
        str(part.get(TEXT_KEY.get(type_of(part, ""), "text")) or "")
        for key in ("content", "summary")
        for part in parts_of(item, key)
    )


def output_of(response: Json) -> list[Json]:
    """The output items of a response, also where it isn't a list of objects (API 12.13)."""
    output = response.get("output")
    return [message_item(entry) if isinstance(entry, str) else entry for entry in _entries(output)]


def _entries(value: object) -> list[Json | str]:
    """The objects and texts in a list, or the only one where there is no list."""
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict | str) and entry]


def message_item(content: str) -> Json:
    """A message of the model with this text."""
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": content}]}


def parts_of(item: Json, key: str = "content") -> list[Json]:
    """The parts of an item, also where the server sent just a text, or one part without a list (API 12.13)."""
    content = item.get(key)
    kind = (
        "summary_text" if key == "summary" else "reasoning_text" if item.get("type") == "reasoning" else "output_text"
    )
    return [{"type": kind, "text": entry} if isinstance(entry, str) else entry for entry in _entries(content)]


def input_items(body: Json) -> list[Json]:
    """The `input` of a request body as a list of items (API 3)."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return given if isinstance(given, list) else []


def sent_back(items: list[Json]) -> list[Json]:
    """The output items that can be part of a later input, as the API takes them.

    Reasoning that is neither encrypted nor spelled out can't be; some servers demand the one, some the other (API 3.3,
    12.14). In tools that a server put there, `env:NAME` is masked: only the user says which variables are looked up.
    """
    return [
        _sent_back(item)
        for item in items
        if item.get("type") != "reasoning" or item.get("encrypted_content") or item.get("content")
    ]


def _sent_back(item: Json) -> Json:
    if isinstance(item.get("arguments"), dict | list):
        item = {**item, "arguments": arguments_of(item)}
    if "tools" in item:
        item = {**item, "tools": changed(item["tools"], lambda secret: MASK if secret.is_looked_up else secret.value)}
    return item


def format_of(settings: object) -> Json:
    """The `format` (API 5.1) of the `text` field of a request or a response, or {}."""
    return obj(obj(settings).get("format"))


# text ---------------------------------------------------------------------------------------------------------------


def is_commentary(item: Json) -> bool:
    """Whether a message was said before or between calls, and is no part of the answer (API 3.1)."""
    return item.get("phase") == "commentary"


def answer_texts(output: list[Json], *, completed: bool) -> list[str]:
    """The texts of the messages that are the answer, with those of refusals."""
    return ["".join(map(part_text, parts)) for parts in answer_parts(output, completed=completed)]


def answer_parts(output: list[Json], *, completed: bool) -> list[list[Json]]:
    """The parts of each message that is the answer, and has text.

    These are all but the commentary; in a completed response without other text or open calls, the commentary.
    """
    messages = [item for item in output if type_of(item, "message") in ("message", *ANSWER_PARTS)]
    found = _with_text(item for item in messages if not is_commentary(item))
    return _with_text(messages) if not found and completed and not open_calls(output) else found


def _with_text(messages: Iterable[Json]) -> list[list[Json]]:
    """The parts of messages that have text, and parts that some servers send without a message (API 12.13)."""
    whole = (parts_of(item) if type_of(item, "message") == "message" else [item] for item in messages)
    return [parts for parts in whole if any(map(part_text, parts))]


def has_text(output: list[Json]) -> bool:
    """Whether any message has text, commentary or not."""
    return any(part_text(part) for item in output if type_of(item, "message") == "message" for part in parts_of(item))


def text_of(output: list[Json], *, completed: bool = True) -> str:
    """`output_text` of API 6.1 without the commentary, including the text of refusals."""
    return "".join(answer_texts(output, completed=completed))


def on_lines(texts: list[str]) -> str:
    """The texts of messages as they are printed: each starts a line."""
    last = len(texts) - 1
    return "".join(part if n == last or part.endswith("\n") else part + "\n" for n, part in enumerate(texts))


def part_text(part: Json) -> str:
    """The text of a part of an answer, "" for any other part."""
    kind = type_of(part, "output_text")
    return text(part.get(TEXT_KEY[kind])) if kind in ANSWER_PARTS else ""


def content_texts(content: object) -> list[str]:
    """A text for each part of a message: its own, else its type and file as in `[input_image chart.png]`."""
    return [content] if isinstance(content, str) else [_part_text(part) for part in listed(content)]


def _part_text(part: Json) -> str:
    name = part.get("filename") or part.get("file_id") or ""
    return text(part.get("text") or part.get("refusal")) or f"[{part.get('type')}{' ' if name else ''}{name}]"


# calls --------------------------------------------------------------------------------------------------------------


Output = str | list[Json]  # of a call: a text, or content parts


def output_text(output: object) -> str:
    """The output of a call as it is shown: its text, for an image what it is and its size; anything else as JSON."""
    parts = listed(output)
    if isinstance(output, str) or not parts or not all(text(part.get("type")).startswith("input_") for part in parts):
        return as_json_text(output)
    return "\n".join(text(part.get("text")) or _described(part) for part in parts)


def _described(part: Json) -> str:
    head, _, data = text(part.get("image_url")).partition(";base64,")
    size = len(data.rstrip("=")) * 3 // 4
    return f"[{head.removeprefix('data:')}, {size} bytes]" if data else f"[{part.get('type')}]"


def id_of_call(call: Json) -> str:
    """The id that the output of a call refers to: `call_id`, or the `id` of an approval request (API 3.2, 6.3)."""
    return str(call.get("call_id") or call.get("id"))


def id_answered(output: Json) -> str:
    """The id of the call that an output or an approval answers."""
    return str(output.get("call_id") or output.get("approval_request_id"))


def label_of_call(call: Json) -> str:
    """The name of a called function, or `LABEL/TOOL` for a tool of an MCP server."""
    name = str(call.get("name") or call.get("type") or "?")
    return f"{call['server_label']}/{name}" if call.get("server_label") else name


def arguments_of(call: Json) -> str:
    """The arguments that the model sent: JSON text, or any text for a custom tool. Some servers send an object."""
    return as_json_text(call.get("arguments") or call.get("input") or "")


def as_json_text(value: object) -> str:
    """JSON text that should have come as a string, and may have come as the value itself."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def open_calls(output: list[Json]) -> list[Json]:
    """The calls in `output` that only the client can answer, and that have no answer in it."""
    answered = {id_answered(item) for item in output if type_of(item, "").endswith(("_output", "_response"))}
    return [
        item
        for item in output
        if type_of(item, "") in CLIENT_CALLS and not _runs_elsewhere(item) and id_of_call(item) not in answered
    ]


def answering_flags(calls: list[Json]) -> tuple[str, ...]:
    """The flags to answer open calls by hand, as they are typed: `--tool-output call_1=…`, `=yes` for an approval.

    Other calls, and those whose id can't be typed there, are answered by `--input`.
    """
    rests = {"function_call": "=…", "custom_tool_call": "=…", "mcp_approval_request": "=yes"}
    flags: dict[str, None] = {}
    for call in calls:
        call_id, rest = id_of_call(call), rests.get(type_of(call, ""))
        typed = shell_flag("--tool-output", call_id, rest) if rest and "=" not in call_id else None
        flags[typed or "--input @items.json"] = None
    return tuple(flags)


def _runs_elsewhere(item: Json) -> bool:
    """Whether the server runs the call: a shell call in a container, or a tool search of its own (API 6.3)."""
    if item["type"] == "shell_call":
        environment = item.get("environment")
        return isinstance(environment, dict) and environment.get("type") != "local"
    return item["type"] == "tool_search_call" and item.get("execution") != "client"
