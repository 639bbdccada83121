"""The items and parts of an answer, as the events so far leave them (API 6.3, 6.4, 7.3)."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from cometresp.text import joined
from cometresp.wire.items import TEXT_KEY, identity, type_of
from cometresp.wire.json import Json, listed

# What an item or part needs that nothing announced, so that it can be replayed.
_BLANK: dict[str, Json] = {
    "message": {"role": "assistant"},
    "reasoning": {"summary": []},
    "output_text": {"annotations": []},
}


@dataclass(slots=True, eq=False)
class Part:
    """A content or summary part. `streamed` is what the deltas said, `final` what a fuller event said instead."""

    type: str
    frame: Json = field(default_factory=dict)
    streamed: StringIO = field(default_factory=StringIO)
    final: str | None = None
    done: bool = False
    annotations: dict[int, Json] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The fullest there is. What a fuller event leaves out or empty doesn't undo what came before it."""
        if self.final is not None:
            return self.final
        return joined(self.streamed.getvalue()) or self._framed()

    def _framed(self) -> str:
        text = self.frame.get(TEXT_KEY.get(self.type, "text"))
        return text if isinstance(text, str) else ""

    def describe(self, frame: Json, *, done: bool) -> None:
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

    def as_dict(self) -> Json:
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
    frame: Json = field(default_factory=dict)
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

    def announce(self, frame: Json) -> None:
        self._name(frame)
        self.frame, self.announced = frame, True
        if isinstance(status := frame.get("status"), str) and status:
            self.status = status

    def settle(self, frame: Json) -> None:
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

    def _name(self, frame: Json) -> None:
        self.type, self.id = type_of(frame, self.type), identity(frame) or self.id

    def _settle_parts(self, where: str, frames: list[Json]) -> None:
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

    def as_dict(self) -> Json:
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
