"""A recorded turn as something to read: what was asked, what was answered. Pure."""

import json
from collections.abc import Callable, Iterable
from typing import Literal

from cometresp.state.records import COMPACTED, Turn
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple
from cometresp.wire.items import (
    arguments_of,
    content_texts,
    id_answered,
    id_of_call,
    label_of_call,
    output_text,
    text_of,
)
from cometresp.wire.json import Json

_SHOWN = 60  # characters of the first words

Shown = Callable[[str], str]


class Passage(NamedTuple):
    """A part of a transcript; `plain` is text that is no Markdown."""

    kind: Literal["heading", "prompt", "answer", "plain"]
    text: str
    message: Json | None = None  # that the text of an answer is from, with its citations

    def as_markdown(self) -> str:
        if self.kind == "heading":
            return f"## {self.text}"
        if self.kind == "prompt":
            return "\n".join(f"> {line}" for line in self.text.splitlines())
        return self.text


def prompt_of(turn: Turn) -> str:
    """The text that a turn put to the model; of a compaction, what it did."""
    return prompt_in(turn.status, turn.input)


def prompt_in(status: str, items: list[Json] | None) -> str:
    """The same of a turn with this status and input."""
    if status == COMPACTED:
        return f"({_compaction(items)})"
    return "\n\n".join(_text(item) for item in items or () if item.get("role") == "user")


def words_of(turn: Turn, parent: Turn | None = None, *, limit: int = _SHOWN) -> str:
    """The first words of a turn, on one line: of its prompt, else of the output of a call, with the call's name.

    The call is one of `parent`, where that is known.
    """
    words = prompt_of(turn) or next((_output_words(item, parent) for item in turn.input or ()), "")
    if not words:
        words = next((label_of_call(item) for item in turn.output or () if _is_call(item)), "")
    return escape_line(words, limit)


def _output_words(item: Json, parent: Turn | None) -> str:
    """`weather: 21 °C`, for an item that answers a call."""
    calls = [
        label_of_call(call)
        for call in (parent.output if parent else None) or ()
        if _is_call(call) and id_answered(item) == id_of_call(call)
    ]
    text = _output_text(item) if "output" in item else ""
    return ": ".join(filter(None, (*calls[:1], text)))


def _is_call(item: Json) -> bool:
    return item.get("type") not in ("message", "reasoning")


def has_words(asked: Iterable[Json], answered: Iterable[Json], words: Iterable[str]) -> bool:
    """Whether a turn's input and output, with calls and their outputs, have all these words of `str.casefold`."""
    items = (*map(_asked, asked), *filter(None, map(_answered, answered)))
    text = "\n".join(passage.text for passage in items).casefold()
    return all(word in text for word in words)


def passages(turns: list[Turn], shown: Shown = str) -> list[Passage]:
    """Turns of one conversation, oldest first; `shown` is what an id is written as."""
    found = []
    if turns and (turns[0].parent is not None or turns[0].previous_id is not None):
        before = shown(turns[0].previous_id) if turns[0].previous_id else "its beginning"
        found.append(Passage("plain", f"(what came before {shown(turns[0].id)} is not recorded: {before})"))
    for turn in turns:
        found += passages_of(turn, shown)
    return found


def passages_of(turn: Turn, shown: Shown = str) -> list[Passage]:
    """One turn: a heading, what was asked, what was answered."""
    if turn.input is None and turn.output is None:
        return [Passage("heading", shown(turn.id)), Passage("plain", "(the text was not recorded, or is no longer)")]
    ended = f"{turn.status}: {turn.reason}" if turn.reason else turn.status
    model = f"{turn.model or ''} in place of {turn.asked_model}" if turn.asked_model else turn.model or ""
    heading = Passage("heading", f"{shown(turn.id)} · {model} · {ended}")
    if turn.status == COMPACTED:
        return [heading, Passage("plain", f"({_compaction(turn.input)})")]
    return [heading, *map(_asked, turn.input or ()), *filter(None, map(_answered, turn.output or ()))]


def _compaction(items: list[Json] | None) -> str:
    count = len(items or ())
    return f"compacted: {count} item{'' if count == 1 else 's'} in place of the turns before"


def _asked(item: Json) -> Passage:
    if item.get("role"):
        return Passage("prompt", _text(item))
    return Passage("plain", f"`{item.get('type')}` {item.get('call_id', '')}: {_output_text(item)}")


def _output_text(item: Json) -> str:
    return output_text(item.get("output", ""))


def _answered(item: Json) -> Passage | None:
    match item.get("type"):
        case "message":
            return Passage("answer", text_of([item]), item)
        case "function_call" | "custom_tool_call":
            return Passage("plain", f"`{item.get('name')}` {item.get('call_id', '')}: {arguments_of(item)}")
        case "reasoning":
            return None
    return Passage("plain", f"[{item.get('type')}] {json.dumps(item, ensure_ascii=False)[:200]}")


def _text(item: Json) -> str:
    return "\n\n".join(content_texts(item.get("content")))
