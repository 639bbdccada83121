"""The reducer: it builds one answer from a sequence of events. No network, no terminal, no clock.

The rules of API 7.1-7.4 and 12 in short:

1. An event refers to the item with its id, if that is known; else to the item at its output index; else to the item
   that was opened last. A part is found by its content index; without one it is the last part.
2. The full value wins: `.done` over deltas, the item over its parts, the terminal response over everything.
3. A field that the full value leaves out keeps the value that the events gave it.
4. An unknown event changes nothing. An item of unknown type is kept.
5. A response with a terminal status ends the stream, whatever the type of its event.
"""

from collections.abc import Iterable
from io import StringIO

from cometresp.answer.items import Item, Part
from cometresp.text import join_surrogates
from cometresp.wire.error_bodies import error_in
from cometresp.wire.events import FIELD_DELTAS, FIELD_DONE, PART_DELTAS, PART_DONE, PART_EVENTS, TERMINAL, Event
from cometresp.wire.items import ANSWER_PARTS, TEXT_KEY, id_of_item, open_calls, text_of, type_of
from cometresp.wire.json import Json, listed, obj, text

_TERMINAL_EVENTS = {f"response.{status}": status for status in TERMINAL}

# Bound once, because `apply` runs for each delta, and CPython is slower to call a method of an imported name.
_part_of_delta = PART_DELTAS.get
_field_of_delta = FIELD_DELTAS.get

_CALL_STATUSES = ("in_progress", "searching", "interpreting", "generating", "calling", "completed", "failed")


def _index(value: object) -> int | None:
    """The value where it is a valid index, else None: servers send null, text and negative numbers too."""
    return value if type(value) is int and value >= 0 else None


class Answer:
    """The state of one response. Pass each event to `apply`; the properties can be read at any time."""

    def __init__(self) -> None:
        self.id = ""
        self.status = "in_progress"
        self.error: Json | None = None
        self.response: Json = {}
        self.last_sequence: int | None = None
        self.ended = False
        self.was_cut = False
        self.contradicted = False
        self.rest_only = False  # earlier events were shown by another run, and are not known here
        self._items: dict[int, Item] = {}
        self._latest_item: Item | None = None  # opened or referred to last
        self._last_event: Json = {}
        self._current: Part | None = None  # the part whose text is being read
        self._position = (-1, -1)  # the indexes of its item and of itself
        self._unread = StringIO()
        self._read = StringIO()

    # applying events -------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        data, kind = event.data, event.type
        number = data.get("sequence_number")
        if type(number) is int:
            # Skip a repeated event. Servers that don't count send 0 each time (API 7.5, 12.2).
            if number and number == self.last_sequence and data == self._last_event:
                return
            self.last_sequence, self._last_event = number, data
        if place := _part_of_delta(kind):
            self._apply_delta(data, *place)
        elif field := _field_of_delta(kind):
            self._apply_field(data, *field, data.get("delta"))
        else:
            self._apply_other(kind, data)
            if not self.ended or self.rest_only:
                self._move_to_next_part()

    def _apply_other(self, kind: str, data: Json) -> None:
        if isinstance(response := data.get("response"), dict):
            self._apply_response(response, kind)
        elif (error := error_in(data)) is not None or kind == "error":
            self._apply_error(error or data)
        elif kind in _TERMINAL_EVENTS:
            self._apply_response({}, kind)
        elif kind == "response.output_item.added":
            self._start_item(data)
        elif kind == "response.output_item.done":
            self._complete_item(data)
        elif part := PART_EVENTS.get(kind):
            self._apply_part(data, *part)
        elif place := PART_DONE.get(kind):
            self._apply_text(data, *place)
        elif kind == "response.output_text.annotation.added":
            self._apply_annotation(data)
        elif field := FIELD_DONE.get(kind):
            self._apply_field(data, *field, data.get(field[1]), full=True)
        else:
            self._apply_status(data, kind)

    def resume(self, events: Iterable[Event] | None, after: int) -> None:
        """Continue after event number `after`. `events` lead to what was shown so far; None where that isn't known."""
        if events is None:
            self.rest_only = True
        else:
            for event in events:
                self.apply(event)
            self.read_new_text()
        self.last_sequence = after

    def show_all(self) -> None:
        """Show the text from its start: a whole response came, although only the rest was requested."""
        self.rest_only = False

    def close(self, *, cut: bool) -> None:
        """Call this after the last event. `cut`: the bytes ended, and a terminal event was expected."""
        self.was_cut = cut and not self.ended
        self.ended = True

    def _apply_delta(self, data: Json, item_type: str, key: str, part_type: str, index_key: str) -> None:
        delta = data.get("delta")
        if not isinstance(delta, str):
            return
        item, n = self._item(data, item_type, more=True), data.get(index_key)
        part = parts.get(n) if type(n) is int and (parts := item.parts.get(key)) else None
        if part is None:
            part = item.part(key, part_type, _index(n))
        if part.is_closed:
            return  # the full text has come
        part.streamed.write(delta)
        if part is self._current:
            self._unread.write(delta)
        elif part_type in ANSWER_PARTS:
            self._move_to_next_part()

    def _apply_field(self, data: Json, item_type: str, key: str, value: object, *, full: bool = False) -> None:
        if not value or not isinstance(value, str):
            return
        item = self._item(data, item_type, more=not full)
        if item.is_complete:
            return
        if full or key not in item.fields:
            item.fields[key] = StringIO()
        item.fields[key].write(value)

    def _apply_text(self, data: Json, item_type: str, key: str, part_type: str, index_key: str) -> None:
        item = self._item(data, item_type)
        if not item.is_complete:
            item.part(key, part_type, _index(data.get(index_key))).complete(data.get(TEXT_KEY[part_type]))

    def _apply_annotation(self, data: Json) -> None:
        item = self._item(data, "message")
        if not item.is_complete:
            part = item.part("content", "output_text", _index(data.get("content_index")))
            part.add_annotation(_index(data.get("annotation_index")), data.get("annotation"))

    def _apply_status(self, data: Json, kind: str) -> None:
        name, _, status = kind.removeprefix("response.").rpartition(".")
        if name.endswith("_call") and status in _CALL_STATUSES:
            item = self._item(data, name)
            if not item.is_complete:
                item.status = status

    def _apply_part(self, data: Json, key: str, index_key: str, complete: bool) -> None:
        json = data.get("part")
        item = self._item(data, "message" if key == "content" else "reasoning")
        if isinstance(json, dict) and not item.is_complete:
            kind = type_of(json, "output_text" if key == "content" else "summary_text")
            part = item.part(key, kind, _index(data.get(index_key)), new=not complete)
            part.set_json(json, complete=complete)

    def _apply_response(self, response: Json, kind: str) -> None:
        self.response = {**self.response, **response}
        self.id = str(response.get("id") or self.id).encode(errors="backslashreplace").decode()
        self.status = text(response.get("status")) or self.status
        if self.status not in TERMINAL and kind in _TERMINAL_EVENTS:
            self.response["status"] = self.status = _TERMINAL_EVENTS[kind]
        self.error = error_in(response) or self.error
        if self.status in TERMINAL:
            self.ended = True
            if output := listed(response.get("output")):
                self._complete_all(output)
            for item in self._items.values():
                if not item.is_complete:
                    item.close()
                    item.status = "completed" if self.status == "completed" else "incomplete"

    def _complete_all(self, output: list[Json]) -> None:
        """Take the items of the terminal response: each is the item with its id, else the one at its position."""
        old = self.items
        by_id = {item.id: item for item in reversed(old) if item.id}
        found = [by_id.pop(id_of_item(json), None) for json in output]
        for n, json in enumerate(output):
            item = found[n]
            if item is None and n < len(old) and old[n] not in found and old[n].accepts(type_of(json, "message")):
                item = old[n]
            found[n] = item or Item("message")
        self._items = {n: item for n, item in enumerate(found) if item}
        for item, json in zip(self._items.values(), output, strict=True):
            item.complete(json)

    def _apply_error(self, error: Json) -> None:
        self.error = error
        self.status = "failed"
        self.response = {**self.response, "status": "failed", "error": self.response.get("error") or self.error}
        self.ended = True

    # finding the item ------------------------------------------------------------------------------------------------

    def _start_item(self, data: Json) -> None:
        """Apply `output_item.added`: a new item, unless it was added before or its first events came earlier."""
        json = data.get("item")
        if not isinstance(json, dict):
            return
        item_id, kind = id_of_item(json), type_of(json, "message")
        index = _index(data.get("output_index"))
        item = self._with_id(item_id) if index is None else self._items.get(index)
        if (
            item is None
            or item.is_complete
            or not item.accepts(kind)
            or (item.was_added and not (item_id and item.id == item_id))
        ):
            item = self._new_item(index, kind)
        item.start(json)
        self._latest_item = item

    def _complete_item(self, data: Json) -> None:
        """Apply `output_item.done`: to the item with its id, or the open one at its index, or the last of its type."""
        json = data.get("item")
        if not isinstance(json, dict):
            return
        item_id, kind = id_of_item(json), type_of(json, "message")
        index = _index(data.get("output_index"))
        at = None if index is None else self._items.get(index)
        item = at if at is not None and item_id and at.id == item_id else self._with_id(item_id)
        if item is None and at is not None and not at.is_complete and at.accepts(kind):
            item = at
        if item is None and (index is None or at is not None):
            item = next((other for other in self._open_items(kind) if other.type == kind), None)
        (item or self._new_item(index, kind)).complete(json)

    def _item(self, data: Json, kind: str, *, more: bool = False) -> Item:
        """The item that an event refers to; created if it was not added (API 12.4). `more`: the event extends it."""
        index, item_id = data.get("output_index"), data.get("item_id", "")
        item = self._items.get(index) if type(index) is int else self._latest_item
        if item is not None and item.id == item_id and item.type == kind and not item.is_complete:
            return item  # nearly always
        self._latest_item = self._find_item(_index(index), text(item_id), kind, more=more)
        return self._latest_item

    def _find_item(self, index: int | None, item_id: str, kind: str, *, more: bool) -> Item:
        """The item for an event whose index, id or both may be missing or wrong (API 7.3.2, 12.2).

        A known id decides, because some servers send index 0 for every item. An unknown id is ignored, because gateways
        change ids between events. A complete item can't be extended, but an event with a late full value may refer to
        it.
        """
        at = None if index is None else self._items.get(index)
        item = self._with_id(item_id) if at is None or at.id != item_id or at.is_complete else at
        if item is not None and item.accepts(kind):
            return item
        if not more:
            late = at if at is not None and item_id in ("", at.id) else self._with_id(item_id, complete=True)
            if late is not None and late.is_complete:
                return late
        if at is not None and not at.is_complete and at.accepts(kind):
            return at
        if index is None or at is not None:
            last = next(iter(self._open_items(kind)), None)
            if last is not None and (not item_id or not last.id or last.was_added):
                return last
        item = self._new_item(index, kind)
        item.id = item_id
        return item

    def _with_id(self, item_id: str, *, complete: bool = False) -> Item | None:
        if not item_id:
            return None
        items = self._items.values()
        return next((item for item in items if item.id == item_id and item.is_complete == complete), None)

    def _open_items(self, kind: str) -> list[Item]:
        """The incomplete items that an event of this kind can refer to, the last opened first."""
        return [item for item in reversed(self._items.values()) if not item.is_complete and item.accepts(kind)]

    def _new_item(self, index: int | None, kind: str) -> Item:
        if index is None or index in self._items:
            index = max(self._items, default=-1) + 1
        self._items[index] = Item(kind)
        return self._items[index]

    # reading the answer ----------------------------------------------------------------------------------------------

    @property
    def items(self) -> list[Item]:
        """The items in the order of the output."""
        return [self._items[n] for n in sorted(self._items)]

    @property
    def output(self) -> list[Json]:
        """The output items as JSON: the terminal response's, or the ones that the events built if it has none."""
        if not self._items:
            return listed(self.response.get("output"))
        return [item.as_dict() for item in self.items]

    @property
    def text(self) -> str:
        return text_of(self.output)

    @property
    def reasoning(self) -> str:
        """Reasoning summaries, or the reasoning text where there is no summary; a blank line between parts."""
        items = [item for item in self.items if item.type == "reasoning"]
        return "\n\n".join(part for item in items for part in item.texts("summary") or item.texts("content"))

    @property
    def usage(self) -> Json:
        return obj(self.response.get("usage"))

    @property
    def refused(self) -> bool:
        return any(part.get("type") == "refusal" for item in self.output for part in listed(item.get("content")))

    @property
    def open_calls(self) -> list[Json]:
        """The calls that only the client can answer (API 6.3)."""
        return open_calls(self.output)

    @property
    def incomplete_reason(self) -> str:
        """Why the answer was cut, or "". A `completed` response with an incomplete message counts as cut (API 12.5)."""
        if self.status == "incomplete":
            return str(obj(self.response.get("incomplete_details")).get("reason") or "no reason given")
        messages = (item for item in self.output if item.get("type") == "message")
        if self.status == "completed" and any(item.get("status") == "incomplete" for item in messages):
            return "an item is incomplete"
        return ""

    def as_response(self) -> Json:
        """The response object as the server sent it; `output` is filled in if it is missing or empty."""
        if listed(self.response.get("output")):
            return dict(self.response)
        return {**self.response, "output": self.output}

    # showing the text ------------------------------------------------------------------------------------------------

    def read_new_text(self) -> str:
        """The text that is new since the last call, in the order of the output: an item waits for those before it.

        Text that was returned can't be changed. If the final text continues it, the rest is returned; if the final
        text differs, `contradicted` is set at the end and nothing more is returned. Half of a surrogate pair is kept
        until the other half comes. With `rest_only`, a part that started before the first event ends with its deltas.
        """
        if self.ended and not self.rest_only:
            final, read = self.text, join_surrogates(self._read.getvalue())
            self.contradicted = not final.startswith(read)
            new = "" if self.contradicted else final[len(read) :]
        else:
            new = self._unread.getvalue()
            if new:
                self._unread = StringIO()
                if not new.isascii():
                    new = join_surrogates(new)
                    if "\ud800" <= new[-1] <= "\udbff":
                        self._unread.write(new[-1])
                        new = new[:-1]
        self._read.write(new)
        if self.ended and self.rest_only:
            self.contradicted = not self.text.endswith(join_surrogates(self._read.getvalue()))
        return new

    def _move_to_next_part(self) -> None:
        """Make the next part with text to show the current one, after those that are closed."""
        for n in sorted(self._items):
            item = self._items[n]
            if item.type != "message" or n < self._position[0]:
                continue
            for c, part in sorted(item.parts.get("content", {}).items()):
                if (n, c) < self._position or part.type not in ANSWER_PARTS:
                    continue
                if part is not self._current:
                    self._position, self._current = (n, c), part
                    self._unread.write(part.streamed.getvalue())
                if not part.is_closed:
                    return
                full, streamed = part.text, join_surrogates(part.streamed.getvalue())
                if full.startswith(streamed) and (item.was_added or not self.rest_only):
                    part.streamed.write(full[len(streamed) :])
                    self._unread.write(full[len(streamed) :])
            if not item.is_closed:
                return
