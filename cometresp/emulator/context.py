"""The input of a response: the items of this turn and of the turns before it (API 3)."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cometresp.emulator.errors import invalid
from cometresp.emulator.input_rules import item_type
from cometresp.emulator.rules import Json
from cometresp.emulator.wording import commands, one_line, tokens

NewId = Callable[[str], str]

CALLS = ("function_call", "custom_tool_call")
OUTPUTS = ("function_call_output", "custom_tool_call_output")
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
    "mcp_approval_response": "mcpa",
}
_IMAGE_TOKENS = 85
_QUOTED_FILE = 200


@dataclass(frozen=True, slots=True)
class Context:
    """The normalised items of the request, and the earlier ones of its chain or conversation, oldest first.

    `forced` are `emulate:` words that apply in addition to those of the prompt; with them no tool is called.
    """

    items: list[Json]
    earlier: list[Json]
    instructions: str | None = None
    forced: frozenset[str] = frozenset()

    def prompts(self) -> list[str]:
        """The texts of the user's messages, oldest first; the last one is the prompt."""
        return [text_of(item) for item in self.earlier + self.items if item.get("role") == "user"]

    def prompt(self) -> str:
        prompts = self.prompts()
        return prompts[-1] if prompts else ""

    def words(self) -> dict[str, int]:
        """The `emulate:` words that steer this response."""
        return commands(self.prompt()) | dict.fromkeys(self.forced, 0)

    def steered_by(self) -> str:
        """What the `emulate:` words come from, for texts of the answer."""
        return "--fault" if self.forced else "the prompt"

    def turn(self) -> list[Json]:
        """The items that aren't answered yet: all after the assistant's last answer, in this request or before it."""
        everything = self.earlier + self.items
        return everything[_after(everything, "assistant") :]

    def outputs(self) -> list[Json]:
        return [item for item in self.turn() if item["type"] in OUTPUTS]

    def calls_made(self) -> int:
        """The number of calls of the user's tools since the prompt."""
        everything = self.earlier + self.items
        return sum(1 for item in everything[_after(everything, "user") :] if item["type"] in CALLS)

    def approvals(self) -> list[Json]:
        """The approvals and refusals of MCP calls whose call isn't made yet."""
        turn = self.turn()
        done = {item.get("approval_request_id") for item in turn if item["type"] == "mcp_call"}
        given = (item for item in turn if item["type"] == "mcp_approval_response")
        return [item for item in given if item["approval_request_id"] not in done]

    def after_outputs(self) -> bool:
        return bool(self.items) and self.items[-1]["type"] in OUTPUTS

    def attachments(self) -> list[str]:
        parts = [part for item in self.turn() if item["type"] == "message" for part in _parts(item)]
        return [_attachment(part) for part in parts if part["type"] in ("input_image", "input_file")]

    def find(self, kind: str, item_id: str) -> Json | None:
        found = (item for item in self.earlier + self.items if item["type"] == kind and item.get("id") == item_id)
        return next(found, None)

    def count(self) -> tuple[int, int]:
        """The input tokens in all, and those of the earlier turns alone."""
        earlier = sum(_tokens(item) for item in self.earlier)
        return tokens(self.instructions or "") + earlier + sum(_tokens(item) for item in self.items), earlier

    def text(self) -> str:
        return " ".join([self.instructions or "", *(text_of(item) for item in self.earlier + self.items)])


def _after(items: list[Json], role: str) -> int:
    """The position after the last message of a role. A commentary doesn't end a turn, so it doesn't count."""
    for index in range(len(items), 0, -1):
        item = items[index - 1]
        if item.get("role") == role and item.get("phase") != "commentary":
            return index
    return 0


def normalise(value: str | list[Json] | None, new_id: NewId) -> list[Json]:
    """The input as items in the full form that `input_items` returns: with type, id and content parts."""
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    return [_normalised(item, new_id) for item in value or []]


def _normalised(item: Json, new_id: NewId) -> Json:
    kind = str(item_type(item))
    result = {**item, "type": kind}
    if not result.get("id"):
        result["id"] = new_id(_PREFIXES.get(kind, "item"))
    if kind == "message":
        result["content"] = _content(item)
    if kind == "message" or kind in OUTPUTS:
        result["status"] = item.get("status") or "completed"
    return result


def _content(message: Json) -> list[Json]:
    content = message["content"]
    from_assistant = message["role"] == "assistant"
    if isinstance(content, str):
        content = [{"type": "output_text" if from_assistant else "input_text", "text": content}]
    defaults: dict[str, Json] = {
        "output_text": {"annotations": [], "logprobs": []},
        "input_image": {"detail": "auto"},
    }
    return [{**defaults.get(part["type"], {}), **part} for part in content]


def _parts(item: Json) -> list[Json]:
    for key in ("content", "output"):
        if isinstance(item.get(key), list):
            return [part for part in item[key] if isinstance(part, dict) and "type" in part]
    return []


def text_of(item: Json) -> str:
    """The text of an item: its text parts, or a tool's output."""
    if isinstance(item.get("output"), str):
        return str(item["output"])
    texts = (part.get("text", part.get("refusal")) for part in _parts(item))
    return "\n".join(text for text in texts if isinstance(text, str))


def describe_output(item: Json) -> str:
    named = [_attachment(part) for part in _parts(item) if part["type"] in ("input_image", "input_file")]
    return " ".join([text_of(item), *named]).strip()


def _tokens(item: Json) -> int:
    words = [
        text_of(item),
        *(str(item[key]) for key in ("arguments", "input", "name") if isinstance(item.get(key), str)),
    ]
    images = sum(_IMAGE_TOKENS for part in _parts(item) if part["type"] == "input_image")
    files = sum(tokens(part["file_data"]) for part in _parts(item) if isinstance(part.get("file_data"), str))
    return tokens("".join(words)) + images + files


def _attachment(part: Json) -> str:
    kind = part["type"].removeprefix("input_")
    name = f" `{part['filename']}`" if isinstance(part.get("filename"), str) else ""
    data = part.get("file_data") or part.get("image_url") or ""
    if not (part.get("file_data") or data.startswith("data:")):
        return f"{kind}{name} {part.get('file_id') or part.get('file_url') or data}"
    head, _, encoded = data.rpartition(",")
    mime = head.removeprefix("data:").removesuffix(";base64") or "unknown type"
    content = base64.b64decode(encoded)
    quoted = _readable(content) if kind == "file" else None
    return f"{kind}{name} ({mime}, {len(content)} bytes)" + (f': "{quoted}"' if quoted else "")


def _readable(content: bytes) -> str | None:
    if b"\0" in content:
        return None
    try:
        return one_line(content.decode(), _QUOTED_FILE)
    except UnicodeDecodeError:
        return None


def check_calls(context: Context) -> None:
    """Raise ApiError for a call without an output, an output without a call, or an approval without a request."""
    everything = context.earlier + context.items
    answered = {(item["type"], item["call_id"]) for item in everything if item["type"] in OUTPUTS}
    called: dict[tuple[str, str], None] = {}
    for item in everything:
        if item["type"] in CALLS:
            called[item["type"] + "_output", item["call_id"]] = None
        elif item["type"] in OUTPUTS and (item["type"], item["call_id"]) not in called:
            words = item["type"].removesuffix("_output").replace("_", " ")
            raise invalid("input", f"No tool call found for {words} output with call_id {item['call_id']}.", "")
    for kind, call_id in called:
        if (kind, call_id) not in answered:
            words = kind.removesuffix("_output").replace("_", " ")
            raise invalid("input", f"No tool output found for {words} {call_id}.", "")
    for item in everything:
        kind = item["type"]
        if kind == "mcp_approval_response" and not context.find("mcp_approval_request", item["approval_request_id"]):
            raise invalid("input", f"No approval request found with id '{item['approval_request_id']}'.", "")
