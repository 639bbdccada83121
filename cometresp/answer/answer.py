"""The one reducer: what a sequence of events amounts to. No network, no terminal, no clock.

Rules of API 7.1-7.4 and 12, in short: an item is found by an id that is known, else by its output index, else it is
the one last opened; a part by its content index, else it is the last one; the full value wins (`.done` over deltas, the
item over its parts, the terminal response over all), and what it leaves out stays as the events had it; unknown events
and items are kept; a response whose status is terminal ends the stream whatever its event is called.
"""

from collections.abc import Iterable
from io import StringIO
from typing import Any

from cometresp.answer.items import Item, Part
from cometresp.text import joined
from cometresp.wire.events import TERMINAL, Event
from cometresp.wire.items import ANSWER_PARTS, TEXT_KEY, identity, open_calls, text_of, type_of
from cometresp.wire.json import Json, listed

_ENDS = {f"response.{status}": status for status in TERMINAL}

_CALL_STATUSES = ("in_progress", "searching", "interpreting", "generating", "calling", "completed", "failed")

# (type of the item, its field) for each delta that grows a field of the item itself.
FIELD_DELTAS = {
    "response.function_call_arguments.delta": ("function_call", "arguments"),
    "response.mcp_call_arguments.delta": ("mcp_call", "arguments"),
    "response.custom_tool_call_input.delta": ("custom_tool_call", "input"),
    "response.code_interpreter_call_code.delta": ("code_interpreter_call", "code"),
}

_FIELD_DONE = {name.removesuffix("delta") + "done": place for name, place in FIELD_DELTAS.items()}

# (type of the item, its list, type of the part, index of the part) for each event that carries a part's text.
PART_DELTAS = {
    "response.output_text.delta": ("message", "content", "output_text", "content_index"),
    "response.refusal.delta": ("message", "content", "refusal", "content_index"),
    "response.reasoning_text.delta": ("reasoning", "content", "reasoning_text", "content_index"),
    "response.reasoning_summary_text.delta": ("reasoning", "summary", "summary_text", "summary_index"),
}

_PART_DONE = {name.removesuffix("delta") + "done": place for name, place in PART_DELTAS.items()}

_PART_FRAMES = {
    "response.content_part.added": ("content", "content_index", False),
    "response.content_part.done": ("content", "content_index", True),
    "response.reasoning_summary_part.added": ("summary", "summary_index", False),
    "response.reasoning_summary_part.done": ("summary", "summary_index", True),
}


def _index(value: Any) -> int | None:
    """An index of the wire; a server's null, text or negative number is none."""
    return value if type(value) is int and value >= 0 else None


class Answer:
    """The state of one response. Feed it every event with `apply`; read it whenever you like."""

    def __init__(self) -> None:
        self.id = ""
        self.status = "in_progress"
        self.error: Json | None = None
        self.response: Json = {}
        self.last_sequence: int | None = None
        self.ended = False
        self.was_cut = False
        self.contradicted = False
        self.rest_only = False  # what came before its first event was shown elsewhere, and isn't known here
        self._items: dict[int, Item] = {}
        self._latest: Item | None = None  # the item that was opened or looked for last
        self._last: Json = {}
        self._place = (-1, -1)  # (item, part) whose text is being handed out, and that part
        self._current: Part | None = None
        self._fresh = StringIO()
        self._taken = StringIO()

    # what came -----------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        data, kind = event.data, event.type
        number = data.get("sequence_number")
        if type(number) is int:
            # A repeated event; but servers that don't count say 0 each time (API 7.5, 12.2).
            if number and number == self.last_sequence and data == self._last:
                return
            self.last_sequence, self._last = number, data
        if place := PART_DELTAS.get(kind):
            self._apply_delta(data, *place)
        elif field := FIELD_DELTAS.get(kind):
            self._apply_field(data, *field, data.get("delta"))
        else:
            self._apply_other(kind, data)
            if not self.ended or self.rest_only:
                self._advance()

    def _apply_other(self, kind: str, data: Json) -> None:
        if isinstance(response := data.get("response"), dict):
            self._apply_response(response, kind)
        elif kind == "error" or data.get("error"):
            self._apply_error(data)
        elif kind in _ENDS:
            self._apply_response({}, kind)
        elif kind == "response.output_item.added":
            self._announce(data)
        elif kind == "response.output_item.done":
            self._settle(data)
        elif frame := _PART_FRAMES.get(kind):
            self._apply_part(data, *frame)
        elif place := _PART_DONE.get(kind):
            self._apply_text(data, *place)
        elif kind == "response.output_text.annotation.added":
            self._apply_annotation(data)
        elif field := _FIELD_DONE.get(kind):
            self._apply_field(data, *field, data.get(field[1]), full=True)
        else:
            self._apply_status(data, kind)

    def resume(self, events: Iterable[Event] | None, after: int) -> None:
        """Start behind event `after`. `events` amount to what was shown until then; None: that isn't known."""
        if events is None:
            self.rest_only = True
        else:
            for event in events:
                self.apply(event)
            self.take()
        self.last_sequence = after

    def take_whole(self) -> None:
        """What was to be followed from its middle comes whole instead: all of it is to be shown."""
        self.rest_only = False

    def close(self, *, cut: bool) -> None:
        """Nothing more comes; `cut` says that there should have: a stream's bytes ended before its terminal event."""
        self.was_cut = cut and not self.ended
        self.ended = True

    def _apply_delta(self, data: Json, holder: str, where: str, part_type: str, index: str) -> None:
        delta = data.get("delta")
        if not isinstance(delta, str):
            return
        item, n = self._item(data, holder, more=True), data.get(index)
        part = parts.get(n) if type(n) is int and (parts := item.parts.get(where)) else None
        if part is None:
            part = item.part(where, part_type, _index(n))
        if part.done:
            return  # the full value was there before
        part.streamed.write(delta)
        if part is self._current:
            self._fresh.write(delta)
        elif part_type in ANSWER_PARTS:
            self._advance()

    def _apply_field(self, data: Json, holder: str, key: str, text: Any, *, full: bool = False) -> None:
        if not text or not isinstance(text, str) or (item := self._item(data, holder, more=not full)).whole:
            return
        if full or key not in item.fields:
            item.fields[key] = StringIO()
        item.fields[key].write(text)

    def _apply_text(self, data: Json, holder: str, where: str, part_type: str, index: str) -> None:
        item = self._item(data, holder)
        if not item.whole:
            item.part(where, part_type, _index(data.get(index))).settle(data.get(TEXT_KEY[part_type]))

    def _apply_annotation(self, data: Json) -> None:
        item = self._item(data, "message")
        if not item.whole:
            part = item.part("content", "output_text", _index(data.get("content_index")))
            part.annotate(_index(data.get("annotation_index")), data.get("annotation"))

    def _apply_status(self, data: Json, kind: str) -> None:
        name, _, status = kind.removeprefix("response.").rpartition(".")
        if name.endswith("_call") and status in _CALL_STATUSES:
            item = self._item(data, name)
            if not item.whole:
                item.status = status

    def _apply_part(self, data: Json, where: str, index: str, done: bool) -> None:
        frame = data.get("part")
        item = self._item(data, "message" if where == "content" else "reasoning")
        if isinstance(frame, dict) and not item.whole:
            kind = type_of(frame, "output_text" if where == "content" else "summary_text")
            item.part(where, kind, _index(data.get(index)), begin=not done).describe(frame, done=done)

    def _apply_response(self, response: Json, kind: str) -> None:
        self.response = {**self.response, **response}
        self.id = str(response.get("id") or self.id).encode(errors="backslashreplace").decode()
        status = response.get("status")
        if isinstance(status, str) and status:
            self.status = status
        if self.status not in TERMINAL and kind in _ENDS:
            self.response["status"] = self.status = _ENDS[kind]
        if error := response.get("error"):
            self.error = error if isinstance(error, dict) else {"message": str(error)}
        if self.status in TERMINAL:
            self.ended = True
            if frames := listed(response.get("output")):
                self._settle_all(frames)
            for item in self._items.values():
                if not item.whole:
                    item.end()
                    item.status = "completed" if self.status == "completed" else "incomplete"

    def _settle_all(self, frames: list[Json]) -> None:
        """The items are those that the terminal response lists: each the one with its id, else the one at its place."""
        seen = self.items
        named = {item.id: item for item in reversed(seen) if item.id}
        found = [named.pop(identity(frame), None) for frame in frames]
        for n, frame in enumerate(frames):
            item = found[n]
            if item is None and n < len(seen) and seen[n] not in found and seen[n].fits(type_of(frame, "message")):
                item = seen[n]
            found[n] = item or Item("message")
        self._items = {n: item for n, item in enumerate(found) if item}
        for item, frame in zip(self._items.values(), frames, strict=True):
            item.settle(frame)

    def _apply_error(self, data: Json) -> None:
        """Both shapes of API 7.4, and a bare `{"error": …}`."""
        error = data.get("error")
        if isinstance(error, str):
            error = {"message": error}
        self.error = error if error and isinstance(error, dict) else data
        self.status = "failed"
        self.response = {**self.response, "status": "failed", "error": self.response.get("error") or self.error}
        self.ended = True

    # which item is meant -------------------------------------------------------------------------------------------

    def _announce(self, data: Json) -> None:
        """An item begins: a new one, unless it was told before or events came ahead of it."""
        frame = data.get("item")
        if not isinstance(frame, dict):
            return
        name, kind = identity(frame), type_of(frame, "message")
        index = _index(data.get("output_index"))
        item = self._named(name) if index is None else self._items.get(index)
        if item is None or item.whole or not item.fits(kind) or (item.announced and not (name and item.id == name)):
            item = self._new(index, kind)
        item.announce(frame)
        self._latest = item

    def _settle(self, data: Json) -> None:
        """An item ends: the one with its id, else the open one at its index, else the last of its type."""
        frame = data.get("item")
        if not isinstance(frame, dict):
            return
        name, kind = identity(frame), type_of(frame, "message")
        index = _index(data.get("output_index"))
        at = None if index is None else self._items.get(index)
        item = at if at is not None and name and at.id == name else self._named(name)
        if item is None and at is not None and not at.whole and at.fits(kind):
            item = at
        if item is None and (index is None or at is not None):
            item = next((other for other in self._unfinished(kind) if other.type == kind), None)
        (item or self._new(index, kind)).settle(frame)

    def _item(self, data: Json, kind: str, *, more: bool = False) -> Item:
        """The item that an event speaks of; made where nothing announced it (API 12.4). `more`: it is added to."""
        index, name = data.get("output_index"), data.get("item_id", "")
        item = self._items.get(index) if type(index) is int else self._latest
        if item is not None and item.id == name and item.type == kind and not item.whole:
            return item  # as nearly always
        self._latest = self._search(_index(index), name if isinstance(name, str) else "", kind, more=more)
        return self._latest

    def _search(self, index: int | None, name: str, kind: str, *, more: bool) -> Item:
        """The item that an event means whose index, id or both are missing or wrong (API 7.3.2, 12.2).

        A known id is right whatever the index says, since some servers count every item as 0; an unknown one is no
        sign, since gateways change ids between events. A whole item takes no more; a late full value may still name it.
        """
        at = None if index is None else self._items.get(index)
        item = self._named(name) if at is None or at.id != name or at.whole else at
        if item is not None and item.fits(kind):
            return item
        if not more:
            late = at if at is not None and name in ("", at.id) else self._named(name, whole=True)
            if late is not None and late.whole:
                return late
        if at is not None and not at.whole and at.fits(kind):
            return at
        if index is None or at is not None:
            last = next(iter(self._unfinished(kind)), None)
            if last is not None and (not name or not last.id or last.announced):
                return last
        item = self._new(index, kind)
        item.id = name
        return item

    def _named(self, name: str, *, whole: bool = False) -> Item | None:
        if not name:
            return None
        return next((item for item in self._items.values() if item.id == name and item.whole == whole), None)

    def _unfinished(self, kind: str) -> list[Item]:
        """The open items that an event of this kind can mean, the last opened first."""
        return [item for item in reversed(self._items.values()) if not item.whole and item.fits(kind)]

    def _new(self, index: int | None, kind: str) -> Item:
        if index is None or index in self._items:
            index = max(self._items, default=-1) + 1
        self._items[index] = Item(kind)
        return self._items[index]

    # what is known -------------------------------------------------------------------------------------------------

    @property
    def items(self) -> list[Item]:
        """The items in the order of the output."""
        return [self._items[n] for n in sorted(self._items)]

    @property
    def output(self) -> list[Json]:
        """The output items as JSON: the terminal response's, or what the events amount to where it has none."""
        if not self._items:
            return listed(self.response.get("output"))
        return [item.as_dict() for item in self.items]

    @property
    def text(self) -> str:
        return text_of(self.output)

    @property
    def reasoning(self) -> str:
        """Reasoning summaries, or the reasoning text where there is no summary; parts behind a blank line."""
        items = [item for item in self.items if item.type == "reasoning"]
        texts = [item.texts("summary") or item.texts("content") for item in items]
        return "\n\n".join(text for parts in texts for text in parts)

    @property
    def usage(self) -> Json:
        usage = self.response.get("usage")
        return usage if isinstance(usage, dict) else {}

    @property
    def refused(self) -> bool:
        return any(part.get("type") == "refusal" for item in self.output for part in listed(item.get("content")))

    @property
    def open_calls(self) -> list[Json]:
        """The items that wait for an output that only the client can give (API 6.3)."""
        return open_calls(self.output)

    @property
    def incomplete_reason(self) -> str:
        """Why the answer was cut; "" for one that wasn't. A `completed` with a cut message counts (API 12.5)."""
        if self.status == "incomplete":
            details = self.response.get("incomplete_details")
            return str((details.get("reason") if isinstance(details, dict) else None) or "no reason given")
        messages = (item for item in self.output if item.get("type") == "message")
        if self.status == "completed" and any(item.get("status") == "incomplete" for item in messages):
            return "an item is incomplete"
        return ""

    def as_response(self) -> Json:
        """The response object, as the server sent it; `output` is filled in where the server left it out."""
        whole = dict(self.response)
        if not listed(whole.get("output")):
            whole["output"] = self.output
        return whole

    # what can be shown ---------------------------------------------------------------------------------------------

    def take(self) -> str:
        """The text that can be shown since the last call, in the order of the output: a later item waits.

        What was handed out is never taken back: if the final text goes on, its rest comes; if it says something
        else, `contradicted` is set at the end and nothing more comes. Half a character waits for its other half. With
        `rest_only`, what began before the first event ends with its deltas.
        """
        if self.ended and not self.rest_only:
            final, taken = self.text, joined(self._taken.getvalue())
            self.contradicted = not final.startswith(taken)
            fresh = "" if self.contradicted else final[len(taken) :]
        else:
            fresh = self._fresh.getvalue()
            if fresh:
                self._fresh = StringIO()
                if not fresh.isascii():
                    fresh = joined(fresh)
                    if "\ud800" <= fresh[-1] <= "\udbff":
                        self._fresh.write(fresh[-1])
                        fresh = fresh[:-1]
        self._taken.write(fresh)
        if self.ended and self.rest_only:
            self.contradicted = not self.text.endswith(joined(self._taken.getvalue()))
        return fresh

    def _advance(self) -> None:
        """Move on to the next part that has text to show, past those that are done."""
        for n in sorted(self._items):
            item = self._items[n]
            if item.type != "message" or n < self._place[0]:
                continue
            for c, part in sorted(item.parts.get("content", {}).items()):
                if (n, c) < self._place or part.type not in ANSWER_PARTS:
                    continue
                if part is not self._current:
                    self._place, self._current = (n, c), part
                    self._fresh.write(part.streamed.getvalue())
                if not part.done:
                    return
                full, streamed = part.text, joined(part.streamed.getvalue())
                if full.startswith(streamed) and (item.announced or not self.rest_only):
                    part.streamed.write(full[len(streamed) :])
                    self._fresh.write(full[len(streamed) :])
            if not item.done:
                return
