"""A recorded turn as something to read: what was asked, what came."""

import json
from typing import Any, Literal, NamedTuple

from cometresp.state.records import Turn
from cometresp.wire.items import text_of
from cometresp.wire.json import listed


class Passage(NamedTuple):
    """A part of a transcript; `plain` is text that is no Markdown."""

    kind: Literal["heading", "prompt", "answer", "plain"]
    text: str

    def as_markdown(self) -> str:
        if self.kind == "heading":
            return f"## {self.text}"
        if self.kind == "prompt":
            return "\n".join(f"> {line}" for line in self.text.splitlines())
        return self.text


def asked(turn: Turn) -> str:
    """The text that a turn put to the model."""
    return "\n\n".join(_text(item) for item in turn.input or () if item.get("role") == "user")


def passages(turns: list[Turn]) -> list[Passage]:
    """Turns of one conversation, oldest first."""
    found = []
    if turns and (turns[0].parent is not None or turns[0].previous_id is not None):
        before = turns[0].previous_id or "its beginning"
        found.append(Passage("plain", f"(what came before {turns[0].id} is not recorded: {before})"))
    for turn in turns:
        found += of_turn(turn)
    return found


def of_turn(turn: Turn) -> list[Passage]:
    if turn.input is None and turn.output is None:
        return [Passage("heading", turn.id), Passage("plain", "(the text was not recorded, or is no longer)")]
    found = [Passage("heading", f"{turn.id} · {turn.model or ''} · {turn.status}")]
    for item in turn.input or ():
        if item.get("role"):
            found.append(Passage("prompt", _text(item)))
        else:
            words = f"`{item.get('type')}` {item.get('call_id', '')}: {_as_text(item.get('output', ''))}"
            found.append(Passage("plain", words))
    for item in turn.output or ():
        if item.get("type") == "message":
            found.append(Passage("answer", text_of([item])))
        elif item.get("type") in ("function_call", "custom_tool_call"):
            given = item.get("arguments") or item.get("input") or ""
            found.append(Passage("plain", f"`{item.get('name')}` {item.get('call_id', '')}: {_as_text(given)}"))
        elif item.get("type") != "reasoning":
            found.append(Passage("plain", f"[{item.get('type')}] {json.dumps(item, ensure_ascii=False)[:200]}"))
    return found


def _text(item: dict[str, Any]) -> str:
    content = item.get("content")
    if isinstance(content, str):
        return content
    return "\n\n".join(_part(part) for part in listed(content))


def _part(part: dict[str, Any]) -> str:
    text, name = part.get("text"), part.get("filename")
    if isinstance(text, str) and text:
        return text
    return f"[{part.get('type')} {name}]" if isinstance(name, str) else f"[{part.get('type')}]"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
