"""What an answer is made of: its items and their parts, as the events so far leave them (API 6.3, 6.4, 7.3)."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

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
# What an item or part needs that nothing announced, so that it can be replayed.
_BLANK: dict[str, dict[str, Any]] = {
    "message": {"role": "assistant"},
    "reasoning": {"summary": []},
    "output_text": {"annotations": []},
}


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list; nothing where the field is missing, null or of another kind (API 12.3)."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def type_of(frame: dict[str, Any], default: str) -> str:
    kind = frame.get("type")
    return kind if kind and isinstance(kind, str) else default


def identity(frame: dict[str, Any]) -> str:
    """What tells an item from its neighbours: its id, or the call id of a call that has none (API 6.3)."""
    name = frame.get("id") or frame.get("call_id")
    return name if isinstance(name, str) else ""


def joined(text: str) -> str:
    """`text`, with the halves of a character that came in two deltas made one."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


@dataclass(slots=True, eq=False)
class Part:
    """A content or summary part. `streamed` is what the deltas said, `final` what a fuller event said instead."""

    type: str
    frame: dict[str, Any] = field(default_factory=dict)
    streamed: StringIO = field(default_factory=StringIO)
    final: str | None = None
    done: bool = False
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The fullest there is. What a fuller event leaves out or empty doesn't undo what came before it."""
        if self.final is not None:
            return self.final
        return joined(self.streamed.getvalue()) or self._framed()

    def _framed(self) -> str:
        text = self.frame.get(TEXT_KEY.get(self.type, "text"))
        return text if isinstance(text, str) else ""

    def describe(self, frame: dict[str, Any], *, done: bool) -> None:
        self.type, self.frame = type_of(frame, self.type), frame
        if done:
            self.settle(self._framed())

    def settle(self, text: Any) -> None:
        if text and isinstance(text, str):
            self.final = text
        self.done = True

    def annotate(self, index: int | None, annotation: Any) -> None:
        if isinstance(annotation, dict):
            self.annotations[len(self.annotations) if index is None else index] = annotation

    def as_dict(self) -> dict[str, Any]:
        whole = {**(self.frame or _BLANK.get(self.type, {})), "type": self.type}
        if text := self.text:
            whole[TEXT_KEY.get(self.type, "text")] = text
        if self.annotations and not whole.get("annotations"):
            whole["annotations"] = [self.annotations[n] for n in sorted(self.annotations)]
        return whole


@dataclass(slots=True, eq=False)
class Item:
    """An output item: `frame` is its JSON as last sent, the rest what came since.

    `announced` is one whose beginning was told, `whole` one whose frame is the full value, `done` one to which nothing
    more comes.
    """

    type: str
    id: str = ""
    frame: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, dict[int, Part]] = field(default_factory=dict)
    fields: dict[str, StringIO] = field(default_factory=dict)
    status: str = "in_progress"
    announced: bool = False
    whole: bool = False
    done: bool = False

    def fits(self, kind: str) -> bool:
        """Whether an event for items of type `kind` can mean this one: text never belongs to a call."""
        groups = {_group(self.type), _group(kind)}
        return len(groups - {""}) < 2  # noqa: PLR2004 - two known groups that differ

    def part(self, where: str, kind: str, index: int | None, *, begin: bool = False) -> Part:
        """The part at `index`; without an index the last one of that kind, or a new one (API 12.2)."""
        parts = self.parts.setdefault(where, {})
        if index is None and not begin:
            index = next((n for n in reversed(parts) if parts[n].type == kind), None)
        if index is None:
            index = max(parts, default=-1) + 1
        if index not in parts:
            parts[index] = Part(kind)
        return parts[index]

    def texts(self, where: str) -> list[str]:
        return [part.text for _, part in sorted(self.parts.get(where, {}).items()) if part.text]

    def announce(self, frame: dict[str, Any]) -> None:
        self._name(frame)
        self.frame, self.announced = frame, True
        if isinstance(status := frame.get("status"), str) and status:
            self.status = status

    def settle(self, frame: dict[str, Any]) -> None:
        """The whole item came: it wins over what the deltas said, except where it leaves something out."""
        self._name(frame)
        status = frame.get("status")
        self.status = status if status and isinstance(status, str) else "completed"
        self.frame, self.whole = frame, True
        self.fields = {key: text for key, text in self.fields.items() if not frame.get(key)}
        for where in ("content", "summary"):
            if frames := listed(frame.get(where)):
                self._settle_parts(where, frames)
        self.end()

    def end(self) -> None:
        self.done = True
        for parts in self.parts.values():
            for part in parts.values():
                part.done = True

    def _name(self, frame: dict[str, Any]) -> None:
        self.type, self.id = type_of(frame, self.type), identity(frame) or self.id

    def _settle_parts(self, where: str, frames: list[dict[str, Any]]) -> None:
        """The n-th of `frames` is the n-th part that was seen, whatever its index was."""
        old = self.parts.get(where, {})
        indexes = sorted(old)
        indexes += range(max(old, default=-1) + 1, max(old, default=-1) + 1 + len(frames) - len(indexes))
        self.parts[where] = {
            n: old.get(n) or Part("output_text" if where == "content" else "summary_text")
            for n, _ in zip(indexes, frames, strict=False)
        }
        for part, frame in zip(self.parts[where].values(), frames, strict=True):
            part.describe(frame, done=True)

    def as_dict(self) -> dict[str, Any]:
        whole = {**(self.frame or _BLANK.get(self.type, {})), "type": self.type}
        if self.id and not self.frame:
            whole["id"] = self.id
        for where, parts in self.parts.items():
            whole[where] = [parts[n].as_dict() for n in sorted(parts)]
        for key, text in self.fields.items():
            whole[key] = joined(text.getvalue())
        if not self.whole:
            whole.pop("encrypted_content", None)  # what an item begins with may be a piece of it (API 7.3.6)
            if "status" in self.frame or not self.frame:
                whole["status"] = self.status
        return whole


def _group(kind: str) -> str:
    return "call" if kind.endswith("_call") else kind if kind in ("message", "reasoning") else ""


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
