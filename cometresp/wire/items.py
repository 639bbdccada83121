"""Questions on the JSON of items (API 6.3, 6.4)."""

from typing import Any

from cometresp.wire.json import listed


def own_items(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The items that a body's `input` amounts to (API 3)."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return given if isinstance(given, list) else []


# Where the text of a part stands, by the type of the part.
TEXT_KEY = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text", "summary_text": "text"}

ANSWER_PARTS = ("output_text", "refusal")

# Items that only the client can answer (API 6.3): a turn that ends on one is open.
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


def type_of(frame: dict[str, Any], default: str) -> str:
    kind = frame.get("type")
    return kind if kind and isinstance(kind, str) else default


def identity(frame: dict[str, Any]) -> str:
    """What tells an item from its neighbours: its id, or the call id of a call that has none (API 6.3)."""
    name = frame.get("id") or frame.get("call_id")
    return name if isinstance(name, str) else ""


def text_of(output: list[dict[str, Any]]) -> str:
    """`output_text` of API 6.1; a refusal's text stands in its place."""
    return "".join(
        text
        for item in output
        if type_of(item, "message") == "message"
        for part in listed(item.get("content"))
        if part.get("type") in ANSWER_PARTS and isinstance(text := part.get(TEXT_KEY[part["type"]]), str)
    )


def id_of_call(call: dict[str, Any]) -> str:
    """What the output of a call refers to: an approval has only its id (API 3.2, 6.3)."""
    return str(call.get("call_id") or call.get("id"))


def id_answered(output: dict[str, Any]) -> str:
    """The call that an output or an approval answers."""
    return str(output.get("call_id") or output.get("approval_request_id"))


def can_be_sent_back(item: dict[str, Any]) -> bool:
    """Reasoning can only where it is encrypted (API 3.3)."""
    return item.get("type") != "reasoning" or bool(item.get("encrypted_content"))


def format_of(text: Any) -> dict[str, Any]:
    """`text.format` (API 5.1) of a `text` field, or of what a server echoes as one; {} where there is none."""
    shape = text.get("format") if isinstance(text, dict) else None
    return shape if isinstance(shape, dict) else {}


def open_calls(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls in `output` that only the client can answer, and that nothing there answers yet."""
    answered = [id_answered(item) for item in output if type_of(item, "").endswith(("_output", "_response"))]
    return [
        item
        for item in output
        if type_of(item, "") in CLIENT_CALLS and not _runs_elsewhere(item) and id_of_call(item) not in answered
    ]


def answered_by(calls: list[dict[str, Any]]) -> str:
    """The flags that answer open calls by hand: text, yes or no, else items."""
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


def _runs_elsewhere(item: dict[str, Any]) -> bool:
    """Shell calls in a container and tool searches of the server are answered there (API 6.3)."""
    if item["type"] == "shell_call":
        environment = item.get("environment")
        return isinstance(environment, dict) and environment.get("type") != "local"
    return item["type"] == "tool_search_call" and item.get("execution") != "client"
