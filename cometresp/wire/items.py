"""Reading the JSON of items and their parts (API 3, 6.3, 6.4)."""

from cometresp.wire.json import Json, listed, obj, text

# The key of a part's text, by the type of the part.
TEXT_KEY = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text", "summary_text": "text"}
ANSWER_PARTS = ("output_text", "refusal")
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


def input_items(body: Json) -> list[Json]:
    """The `input` of a request body as a list of items (API 3)."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return given if isinstance(given, list) else []


def can_be_sent_back(item: Json) -> bool:
    """Whether an output item can be part of a later input: reasoning only if it is encrypted (API 3.3)."""
    return item.get("type") != "reasoning" or bool(item.get("encrypted_content"))


def format_of(settings: object) -> Json:
    """The `format` (API 5.1) of the `text` field of a request or a response, or {}."""
    return obj(obj(settings).get("format"))


# text ---------------------------------------------------------------------------------------------------------------


def text_of(output: list[Json]) -> str:
    """`output_text` of API 6.1, including the text of refusals."""
    return "".join(
        found
        for item in output
        if type_of(item, "message") == "message"
        for part in listed(item.get("content"))
        if part.get("type") in ANSWER_PARTS and isinstance(found := part.get(TEXT_KEY[part["type"]]), str)
    )


def content_texts(content: object) -> list[str]:
    """A text for each part of a message: its own, else its type and file as in `[input_image chart.png]`."""
    return [content] if isinstance(content, str) else [_part_text(part) for part in listed(content)]


def _part_text(part: Json) -> str:
    name = part.get("filename") or part.get("file_id") or ""
    return text(part.get("text") or part.get("refusal")) or f"[{part.get('type')}{' ' if name else ''}{name}]"


# calls --------------------------------------------------------------------------------------------------------------


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
    """The arguments that the model sent: JSON text, or any text for a custom tool."""
    return str(call.get("arguments") or call.get("input") or "")


def open_calls(output: list[Json]) -> list[Json]:
    """The calls in `output` that only the client can answer, and that have no answer in it."""
    answered = [id_answered(item) for item in output if type_of(item, "").endswith(("_output", "_response"))]
    return [
        item
        for item in output
        if type_of(item, "") in CLIENT_CALLS and not _runs_elsewhere(item) and id_of_call(item) not in answered
    ]


def answering_flags(calls: list[Json]) -> str:
    """The flags to answer open calls by hand: `--tool-output call_1=…`, `=yes` for an approval, else `--input`."""
    flags: dict[str, None] = {}
    for call in calls:
        call_id = id_of_call(call)
        match call.get("type"):
            case "function_call" | "custom_tool_call":
                flags[f"--tool-output {call_id}=…"] = None
            case "mcp_approval_request":
                flags[f"--tool-output {call_id}=yes"] = None
            case _:
                flags["--input @items.json"] = None
    return " ".join(flags)


def _runs_elsewhere(item: Json) -> bool:
    """Whether the server runs the call: a shell call in a container, or a tool search of its own (API 6.3)."""
    if item["type"] == "shell_call":
        environment = item.get("environment")
        return isinstance(environment, dict) and environment.get("type") != "local"
    return item["type"] == "tool_search_call" and item.get("execution") != "client"
