"""Questions to the JSON of items and their parts (API 3, 6.3, 6.4)."""

from cometresp.wire.json import Json, listed, obj, text

# Where the text of a part stands, by the type of the part.
TEXT_KEY = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text", "summary_text": "text"}
ANSWER_PARTS = ("output_text", "refusal")
# Items that only the client can answer, and the type of that answer (API 6.3): a turn that ends on one is open.
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
    """The type of an item or part; `default` where the server named none."""
    return text(item.get("type")) or default


def identity(item: Json) -> str:
    """What tells an item from its neighbours: its id, or the call id of a call that has none (API 6.3)."""
    return text(item.get("id") or item.get("call_id"))


def input_items(body: Json) -> list[Json]:
    """The items that a request body's `input` amounts to (API 3)."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return given if isinstance(given, list) else []


def can_be_sent_back(item: Json) -> bool:
    """Whether an output item can be part of a later input: reasoning only where it is encrypted (API 3.3)."""
    return item.get("type") != "reasoning" or bool(item.get("encrypted_content"))


def format_of(settings: object) -> Json:
    """`text.format` (API 5.1) of a `text` field, or of what a server echoes as one; {} where there is none."""
    return obj(obj(settings).get("format"))


# text ---------------------------------------------------------------------------------------------------------------


def text_of(output: list[Json]) -> str:
    """`output_text` of API 6.1; a refusal's text stands in its place."""
    return "".join(
        found
        for item in output
        if type_of(item, "message") == "message"
        for part in listed(item.get("content"))
        if part.get("type") in ANSWER_PARTS and isinstance(found := part.get(TEXT_KEY[part["type"]]), str)
    )


def content_texts(content: object) -> list[str]:
    """What each part of a message's content says: its text, else `[input_image chart.png]`."""
    return [content] if isinstance(content, str) else [_part_text(part) for part in listed(content)]


def _part_text(part: Json) -> str:
    name = part.get("filename") or part.get("file_id") or ""
    return text(part.get("text") or part.get("refusal")) or f"[{part.get('type')}{' ' if name else ''}{name}]"


# calls --------------------------------------------------------------------------------------------------------------


def id_of_call(call: Json) -> str:
    """What the output of a call refers to: an approval has only its id (API 3.2, 6.3)."""
    return str(call.get("call_id") or call.get("id"))


def id_answered(output: Json) -> str:
    """The call that an output or an approval answers."""
    return str(output.get("call_id") or output.get("approval_request_id"))


def label_of_call(call: Json) -> str:
    """The name of what is called; `LABEL/TOOL` for a tool of an MCP server."""
    name = str(call.get("name") or call.get("type") or "?")
    return f"{call['server_label']}/{name}" if call.get("server_label") else name


def arguments_of(call: Json) -> str:
    """What the model hands over: JSON text, of a custom tool any text."""
    return str(call.get("arguments") or call.get("input") or "")


def open_calls(output: list[Json]) -> list[Json]:
    """The calls in `output` that only the client can answer, and that nothing there answers yet."""
    answered = [id_answered(item) for item in output if type_of(item, "").endswith(("_output", "_response"))]
    return [
        item
        for item in output
        if type_of(item, "") in CLIENT_CALLS and not _runs_elsewhere(item) and id_of_call(item) not in answered
    ]


def answering_flags(calls: list[Json]) -> str:
    """The flags that answer open calls by hand: `--tool-output call_1=…`, yes or no, else items."""
    flags: dict[str, None] = {}
    for call in calls:
        name = id_of_call(call)
        match call.get("type"):
            case "function_call" | "custom_tool_call":
                flags[f"--tool-output {name}=…"] = None
            case "mcp_approval_request":
                flags[f"--tool-output {name}=yes"] = None
            case _:
                flags["--input @items.json"] = None
    return " ".join(flags)


def _runs_elsewhere(item: Json) -> bool:
    """Shell calls in a container and tool searches of the server are answered there (API 6.3)."""
    if item["type"] == "shell_call":
        environment = item.get("environment")
        return isinstance(environment, dict) and environment.get("type") != "local"
    return item["type"] == "tool_search_call" and item.get("execution") != "client"
