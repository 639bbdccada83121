"""The items and parts of an answer, built from the events so far (API 6.3, 6.4, 7.3)."""

from io import StringIO

from cometresp.text import join_surrogates
from cometresp.wire.items import TEXT_KEY, id_of_item, is_commentary, parts_of, type_of
from cometresp.wire.json import Json, text

# The fields that an item or part needs to be replayed, for one whose JSON never came.
_BLANK: dict[str, Json] = {
    "message": {"role": "assistant"},
    "reasoning": {"summary": []},
    "output_text": {"annotations": []},
}


class Part:
    """A content or summary part. `json` is its JSON as last sent.

    `streamed` is the text of the deltas, `final` the full text that came after them. A closed part takes no deltas.
    """

    __slots__ = ("annotations", "final", "is_closed", "json", "streamed", "type")

    def __init__(self, kind: str) -> None:
        self.type = kind
        self.json: Json = {}
        self.streamed = StringIO()
        self.final: str | None = None
        self.is_closed = False
        self.annotations: dict[int, Json] = {}

    @property
    def text(self) -> str:
        """The fullest text that came. A full value that is missing or empty doesn't replace the deltas."""
        if self.final is not None:
            return self.final
        return join_surrogates(self.streamed.getvalue()) or self._json_text()

    def unstreamed(self) -> str:
        """What the text has beyond its deltas, "" if it doesn't continue them."""
        full, streamed = self.text, join_surrogates(self.streamed.getvalue())
        return full[len(streamed) :] if full.startswith(streamed) else ""

    def _json_text(self) -> str:
        return text(self.json.get(TEXT_KEY.get(self.type, "text")))

    def set_json(self, json: Json, *, complete: bool) -> None:
        self.type, self.json = type_of(json, self.type), json
        if complete:
            self.complete(self._json_text())

    def complete(self, full: object) -> None:
        """Take the full text, unless it is missing or empty, and close the part."""
        if full and isinstance(full, str):
            self.final = full
        self.is_closed = True

    def add_annotation(self, index: int | None, annotation: object) -> None:
        if isinstance(annotation, dict):
            self.annotations[len(self.annotations) if index is None else index] = annotation

    def as_dict(self) -> Json:
        made = {**(self.json or _BLANK.get(self.type, {})), "type": self.type}
        if full := self.text:
            made[TEXT_KEY.get(self.type, "text")] = full
        if self.annotations and not made.get("annotations"):
            made["annotations"] = [self.annotations[n] for n in sorted(self.annotations)]
        return made


class Item:
    """An output item. `json` is its JSON as last sent; `parts`, `fields` and `status` come from later events.

    `was_added`: `output_item.added` came. `is_complete`: its full value came. `is_closed`: no more events of it are
    expected. `repeats` is the complete item whose identity it has, until it is known whether it says something else.
    """

    __slots__ = (
        "fields",
        "id",
        "index",
        "is_closed",
        "is_complete",
        "json",
        "parts",
        "repeats",
        "status",
        "type",
        "was_added",
    )

    def __init__(self, kind: str) -> None:
        self.type = kind
        self.id = ""
        self.index = -1
        self.json: Json = {}
        self.parts: dict[str, dict[int, Part]] = {}
        self.fields: dict[str, StringIO] = {}
        self.status = "in_progress"
        self.was_added = False
        self.is_complete = False
        self.is_closed = False
        self.repeats: Item | None = None

    @property
    def is_commentary(self) -> bool:
        """Whether its text is no part of the answer."""
        return is_commentary(self.json)

    def accepts(self, kind: str) -> bool:
        """Whether an event for items of type `kind` can refer to this item: text never belongs to a call."""
        groups = {_group(self.type), _group(kind)}
        return len(groups - {""}) < 2  # noqa: PLR2004 - two known groups that differ

    def part(self, key: str, kind: str, index: int | None, *, new: bool = False) -> Part:
        """The part at `index` of the list `key`; without an index the last one of its kind, or a new one (API 12.2)."""
        parts = self.parts.setdefault(key, {})
        if index is None and not new:
            index = next((n for n in reversed(parts) if parts[n].type == kind), None)
        if index is None:
            index = max(parts, default=-1) + 1
        if index not in parts:
            parts[index] = Part(kind)
        return parts[index]

    def texts(self, key: str) -> list[str]:
        return [part.text for _, part in sorted(self.parts.get(key, {}).items()) if part.text]

    def start(self, json: Json) -> None:
        """Take the JSON of `output_item.added`."""
        self._identify(json)
        self.json, self.was_added = json, True
        if status := text(json.get("status")):
            self.status = status

    def complete(self, json: Json) -> None:
        """Take the full value. It replaces what the deltas built, except where it leaves something out."""
        self._identify(json)
        if self.is_commentary and json.get("phase") is None:
            json = {**json, "phase": self.json["phase"]}
        self.status = text(json.get("status")) or "completed"
        self.json, self.is_complete = json, True
        self.fields = {key: value for key, value in self.fields.items() if not json.get(key)}
        for key in ("content", "summary"):
            if parts := parts_of(json, key):
                self._complete_parts(key, parts)
        self.close()

    def close(self) -> None:
        self.is_closed = True
        for parts in self.parts.values():
            for part in parts.values():
                part.is_closed = True

    def _identify(self, json: Json) -> None:
        self.type, self.id = type_of(json, self.type), id_of_item(json) or self.id

    def _complete_parts(self, key: str, full: list[Json]) -> None:
        """The n-th of the `full` parts is the n-th part of this item, whatever its index is."""
        old = self.parts.get(key, {})
        indexes = sorted(old)
        indexes += range(max(old, default=-1) + 1, max(old, default=-1) + 1 + len(full) - len(indexes))
        self.parts[key] = {
            n: old.get(n) or Part("output_text" if key == "content" else "summary_text")
            for n, _ in zip(indexes, full, strict=False)
        }
        for part, json in zip(self.parts[key].values(), full, strict=True):
            part.set_json(json, complete=True)

    def as_dict(self) -> Json:
        made = {**(self.json or _BLANK.get(self.type, {})), "type": self.type}
        if self.id and not self.json:
            made["id"] = self.id
        for key, parts in self.parts.items():
            made[key] = [parts[n].as_dict() for n in sorted(parts)]
        for key, value in self.fields.items():
            made[key] = join_surrogates(value.getvalue())
        if not self.is_complete:
            made.pop("encrypted_content", None)  # it may be partial in `output_item.added` (API 7.3.6)
            if "status" in self.json or not self.json:
                made["status"] = self.status
        return made


def _group(kind: str) -> str:
    return "call" if kind.endswith("_call") else kind if kind in ("message", "reasoning") else ""
