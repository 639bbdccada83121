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

from cometresp.answer.index import Items
from cometresp.answer.items import Item
from cometresp.answer.reader import Reader
from cometresp.text import join_surrogates
from cometresp.wire.error_bodies import error_in, message_of
from cometresp.wire.events import (
    FIELD_DELTAS,
    FIELD_DONE,
    PART_DELTAS,
    PART_DONE,
    PART_EVENTS,
    PENDING,
    TERMINAL_EVENTS,
    Event,
    canonical,
    may_go_on,
    response_in,
)
from cometresp.wire.ids import is_plain_id
from cometresp.wire.items import (
    ANSWER_PARTS,
    TEXT_KEY,
    answer_texts,
    as_json_text,
    distinct,
    has_text,
    message_item,
    on_lines,
    open_calls,
    output_of,
    type_of,
)
from cometresp.wire.json import Json, listed, obj, text
from cometresp.wire.masking import Secrets

# Bound once, because `apply` runs for each delta, and CPython is slower to call a method of an imported name.
_part_of_delta = PART_DELTAS.get
_field_of_delta = FIELD_DELTAS.get

_WAITS = "requires_action"
_LARGEST = 1 << 63  # a number of an event; the record has no room for more
_CALL_STATUSES = ("in_progress", "searching", "interpreting", "generating", "calling", "completed", "failed")


def _index(value: object) -> int | None:
    """The value where it is a valid index, else None: servers send null, text and negative numbers too."""
    return value if type(value) is int and value >= 0 else None


def _reason_of(response: Json) -> Json | None:
    """The error of a response; a failed one may have just a `message`."""
    error = error_in(response)
    if error is None and response.get("status") == "failed" and text(response.get("message")):
        return {key: response[key] for key in ("message", "code", "type") if response.get(key)}
    return error


class Answer:
    """The state of one response. Pass each event to `apply`; the properties can be read at any time."""

    def __init__(self, secrets: Secrets | None = None) -> None:
        """`secrets` are masked in the text that is read."""
        self._secrets = secrets or Secrets()
        self.fallback_model: str | None = None  # the model that was asked in place of the first; whoever sends sets it
        self.start_over()

    @property
    def is_blank(self) -> bool:
        """Whether no item has come so far."""
        return not self._items

    def start_over(self) -> None:
        """Forget what came: another try of the request follows."""
        self.id = ""
        self.refused_id = ""  # one that isn't plain: it is neither recorded nor used
        self.request_id: str | None = None  # of the HTTP reply; whoever reads that sets it
        self.status = "in_progress"
        self.error: Json | None = None
        self.response: Json = {}
        self.last_sequence: int | None = None
        self.ended = False
        self.was_cut = False
        self.contradicted = False
        self._items = Items()
        self._last_event: Json = {}
        self._reader = Reader(self._secrets)
        self._read = StringIO()

    # applying events -------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        data, kind = event.data, event.type
        number = data.get("sequence_number")
        if type(number) is int and -1 < number < _LARGEST:
            # Skip a repeated event. Servers that don't count send 0 each time (API 7.5, 12.2).
            if number and number == self.last_sequence and data == self._last_event:
                return
            self.last_sequence, self._last_event = number, data
        if place := _part_of_delta(kind):
            self._apply_delta(data, place)
        elif field := _field_of_delta(kind):
            self._apply_field(data, *field, data.get("delta"))
        else:
            self._apply_other(kind, data)
            if not self.ended or self.rest_only:
                self._reader.move(self._items)

    def _apply_other(self, kind: str, data: Json) -> None:
        if response := response_in(kind, data):
            self._apply_response(response, kind)
        elif (error := error_in(data)) is not None or kind == "error":
            self._apply_error(error or data)
        elif kind in TERMINAL_EVENTS:
            self._apply_response({}, kind)
        elif kind == "response.output_item.added":
            if isinstance(item := data.get("item"), dict):
                self._items.start(item, _index(data.get("output_index")))
        elif kind == "response.output_item.done":
            if isinstance(item := data.get("item"), dict):
                self._reader.comment_whole(self._items.complete(item, _index(data.get("output_index"))))
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
            self._reader.rest_only = True
        else:
            for event in events:
                self.apply(event)
            self.read_new_text()
        self.last_sequence = after

    def show_all(self) -> None:
        """Show the text from its start: a whole response came, although only the rest was requested."""
        self._reader.rest_only = False

    def close(self, *, cut: bool) -> None:
        """Call this after the last event. `cut`: the bytes ended, and a terminal event was expected."""
        self.was_cut = cut and not self.ended
        self._items.settle_repeats()
        self.ended = True

    def _apply_delta(self, data: Json, place: tuple[str, str, str, str]) -> None:
        item_type, key, part_type, index_key = place
        delta = data.get("delta")
        if not isinstance(delta, str):
            return
        item, n = self._item(data, item_type, True), data.get(index_key)
        part = parts.get(n) if type(n) is int and (parts := item.parts.get(key)) else None
        if part is None:
            part = item.part(key, part_type, _index(n))
        if part.is_closed:
            return  # the full text has come
        part.streamed.write(delta)
        reader = self._reader
        if part is reader.current:
            reader.unread.write(delta)
        elif part_type in ANSWER_PARTS:
            if item.is_commentary:
                reader.comment(item, delta)
            else:
                reader.move(self._items)

    def _apply_field(self, data: Json, item_type: str, key: str, value: object, *, full: bool = False) -> None:
        if isinstance(value, dict | list):  # as some servers send arguments
            value = as_json_text(value)
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
        self._take_id(str(response.get("id") or ""))
        self.status = canonical(text(response.get("status"))) or self.status
        if kind in TERMINAL_EVENTS and self.status in PENDING:
            self.response["status"] = self.status = TERMINAL_EVENTS[kind]
        self.error = _reason_of(response) or self.error
        waits = self.status == _WAITS and open_calls(output_of(response) or self.output)
        if kind in TERMINAL_EVENTS or waits or not may_go_on(self.status):
            self.ended = True
            self._items.close()
            if output := self._final_output(response):
                self._items = Items.of_terminal(output, self._items)
            completed = self.status == "completed"
            for item in self._items:
                if not item.is_complete:
                    item.status = "completed" if completed else "incomplete"
            if not self._texts() or answer_texts(self.output, completed=False):  # the commentary isn't the answer
                for item in self._items:
                    self._reader.comment_whole(item)

    def _take_id(self, given: str) -> None:
        if given and is_plain_id(given):
            self.id = given
        elif given:
            self.refused_id = given

    def _final_output(self, response: Json) -> list[Json]:
        """The items of the terminal response; a text that stands beside them alone is a message too (API 12.13)."""
        output = listed(response.get("output")) or ([] if self._items else output_of(response))
        alone = text(response.get("output_text"))
        known = output or self.output
        if alone and not has_text(known):
            return [*known, message_item(alone)]
        if not output and len(alone) > len(came := self.text) and alone.startswith(came):
            return [*(item for item in known if type_of(item, "message") != "message"), message_item(alone)]
        return output

    def _apply_error(self, error: Json) -> None:
        self.error = error
        self.status = "failed"
        self.response = {**self.response, "status": "failed", "error": self.response.get("error") or self.error}
        self.ended = True

    def _item(self, data: Json, kind: str, more: bool = False) -> Item:
        """The item that an event refers to. `more`: the event extends it."""
        items, index, item_id = self._items, data.get("output_index"), data.get("item_id", "")
        item = items.by_index.get(index) if type(index) is int else items.latest
        if item is not None and item.id == item_id and item.type == kind and not item.is_complete:
            return item  # nearly always
        items.latest = items.find(_index(index), text(item_id), kind, more=more)
        return items.latest

    # reading the answer ----------------------------------------------------------------------------------------------

    @property
    def items(self) -> list[Item]:
        """The items in the order of the output."""
        return list(self._items)

    @property
    def open_items(self) -> list[Item]:
        """The items that haven't ended, in the order of the output."""
        return sorted((item for item in self._items.open() if not item.is_closed), key=lambda item: item.index)

    def take_changed_items(self) -> list[Item]:
        """The items that were opened or have ended since the last call, in the order of the output."""
        changed, self._items.changed = self._items.changed, {}
        return sorted(changed, key=lambda item: item.index)

    @property
    def output(self) -> list[Json]:
        """The output items as JSON: the terminal response's, or the ones that the events built if it has none."""
        if not self._items:
            return distinct(output_of(self.response))
        return distinct([item.as_dict() for item in self._items])

    @property
    def text(self) -> str:
        """The texts of the messages that are the answer, joined with nothing."""
        return "".join(self._texts())

    @property
    def printed_text(self) -> str:
        """The text as it is printed: each message starts a line, secrets are masked."""
        return self._secrets.answer(on_lines(self._texts()))

    def _texts(self) -> list[str]:
        return answer_texts(self.output, completed=self.status == "completed")

    @property
    def reasoning(self) -> str:
        """Reasoning summaries, or the reasoning text where there is no summary; a blank line between parts."""
        items = [item for item in self._items if item.type == "reasoning"]
        return "\n\n".join(part for item in items for part in item.texts("summary") or item.texts("content"))

    @property
    def lacks_reason(self) -> bool:
        """Whether it failed, and nothing so far says why."""
        return self.status == "failed" and message_of(self.error or {}) is None

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
    def waits_for_outputs(self) -> bool:
        """Whether it has the status that some servers give to a response with open calls (API 6.2)."""
        return self.status == _WAITS and bool(self.open_calls)

    @property
    def incomplete_reason(self) -> str:
        """Why the answer was cut, or "". A `completed` response with an incomplete message counts as cut (API 12.5)."""
        if self.status == "incomplete":
            return self.given_reason or "no reason given"
        messages = (item for item in self.output if item.get("type") == "message")
        if self.status == "completed" and any(item.get("status") == "incomplete" for item in messages):
            return "an item is incomplete"
        return ""

    @property
    def given_reason(self) -> str | None:
        """The reason that the server gave for an incomplete response."""
        given = self.response.get("incomplete_details")
        reason = text(given) or obj(given).get("reason")
        return str(reason) if reason and self.status == "incomplete" else None

    def as_response(self) -> Json:
        """The response object as the server sent it; `output` is filled in if it is missing or empty."""
        if listed(self.response.get("output")):
            return dict(self.response)
        return {**self.response, "output": self.output}

    # showing the text ------------------------------------------------------------------------------------------------

    @property
    def rest_only(self) -> bool:
        """Whether earlier events were shown by another run, and are not known here."""
        return self._reader.rest_only

    def read_new_text(self) -> str:
        """The text that is new since the last call, in the order of the output: an item waits for those before it.

        Text that was returned can't be changed. If the final text continues it, the rest is returned; if the final
        text differs, `contradicted` is set at the end and nothing more is returned. With `rest_only`, a part that
        started before the first event ends with its deltas.
        """
        if self.ended and not self.rest_only:
            final, read = self.printed_text, join_surrogates(self._read.getvalue())
            self.contradicted = not final.startswith(read)
            new = "" if self.contradicted else final[len(read) :]
        else:
            new = self._reader.take()
        self._read.write(new)
        if self.ended and self.rest_only:
            self.contradicted = not self.printed_text.endswith(join_surrogates(self._read.getvalue()))
        return new

    @property
    def has_new_commentary(self) -> bool:
        return self._reader.has_commentary

    def read_new_commentary(self) -> str:
        """The commentary that is new since the last call."""
        return self._reader.take_commentary()
