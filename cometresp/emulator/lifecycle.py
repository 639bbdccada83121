"""The life of a response: created, kept, viewed in its present state, followed event by event."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cometresp.emulator.answer import answer, check_json_mode
from cometresp.emulator.compaction import compact, unfold
from cometresp.emulator.context import Context, NewId, check_calls
from cometresp.emulator.conversations import Conversations
from cometresp.emulator.errors import ApiError, invalid, not_found
from cometresp.emulator.events import QUEUED_SHARE, timeline
from cometresp.emulator.response import build_response, conversation_id, count_input, pending
from cometresp.emulator.rules import Json
from cometresp.emulator.store import Record, Store
from cometresp.emulator.validation import check_compaction, check_request

_BACKGROUND = 1.0  # seconds that a background response takes
_SLOW_BACKGROUND = 10.0
_SLOW_PACE = 0.1  # seconds between the deltas of a slow stream
_POLL = 0.1  # seconds between checks for a cancel by another process


class Stream(Iterator[Json]):
    """Events, each returned when it is due; `whole` returns all of them without waiting, to see what will come."""

    def __init__(self, due: Iterator[Json], whole: Callable[[], Iterator[Json]]) -> None:
        self._due = due
        self.whole = whole

    def __next__(self) -> Json:
        return next(self._due)


Reply = Json | Stream | bytes  # bytes: the content of a file


@dataclass(frozen=True, slots=True)
class Responses:
    """The responses of a store. Each method raises ApiError for a request that the API would refuse."""

    store: Store
    conversations: Conversations
    delay: float
    clock: Callable[[], float]
    wait: Callable[[float], bool]
    new_id: NewId

    def create(self, request: Json, forced: frozenset[str] = frozenset()) -> Json | Stream:
        """The new response, or its stream. `forced` are `emulate:` words that apply in addition to the prompt's."""
        items, context = self._read(request, forced)
        outcome = answer(request, context, self.new_id)
        streamed, background = bool(request.get("stream")), bool(request.get("background"))
        if outcome.error_event and not streamed and not background:
            raise ApiError(500, f"The emulator failed because {context.steered_by()} asked it to.", code="server_error")
        now = self.clock()
        slow = "slow" in context.words()
        duration = (_SLOW_BACKGROUND if slow else _BACKGROUND) if background else 0.0
        record = Record(
            response=build_response(request, context, outcome, self.new_id("resp"), (now, now + duration)),
            items=items,
            created=now,
            duration=duration,
            pace=max(self.delay, _SLOW_PACE) if slow else self.delay,
            streamed=streamed,
            obfuscated=(request.get("stream_options") or {}).get("include_obfuscation") is not False,
            error_event=outcome.error_event,
        )
        self._keep(record, conversation_id(request))
        return self.follow(record) if streamed else self.view(record)

    def count(self, request: Json) -> Json:
        """The input tokens that a response to the same request would report (API 1, #6)."""
        _, context = self._read(request, frozenset())
        return {"object": "response.input_tokens", "input_tokens": count_input(request, context)}

    def compact(self, request: Json) -> Json:
        """The compaction of an input and of the turns before it (API 1, #7). It isn't stored."""
        request = check_compaction(request)
        context = self._context(request, self.conversations.resolved(request.get("input")), frozenset())
        return compact(context, count_input(request, context), self.new_id, self.clock())

    def view(self, record: Record) -> Json:
        """The response in its present state: a background response is queued, then in progress, then ended."""
        if record.cancelled is not None:
            return pending(record.response, "cancelled")
        elapsed = self.clock() - record.created
        if not record.background or elapsed >= record.duration:
            return record.response
        return pending(record.response, "in_progress" if elapsed >= QUEUED_SHARE * record.duration else "queued")

    def follow(self, record: Record, after: int = -1, *, obfuscated: bool | None = None) -> Stream:
        """The events numbered above `after`, each when it is due."""

        def events() -> Iterator[tuple[float, Json]]:
            timed = timeline(record, obfuscated=obfuscated)
            return ((due, event) for due, event in timed if event["sequence_number"] > after)

        return Stream(self._paced(record, events()), lambda: (event for _, event in events()))

    def stored(self, response_id: str) -> Record:
        """A response that can be fetched. Raises ApiError (404)."""
        record = self.store.get(response_id)
        if record is None or not (record.response["store"] or record.background):
            raise not_found(response_id)
        return record

    def cancel(self, record: Record) -> Json:
        if not record.background:
            raise invalid("response_id", "Cannot cancel a synchronous response.")
        if self.view(record)["status"] in ("queued", "in_progress"):
            self.store.cancel(record.id, self.clock())
        return self.view(self.stored(record.id))

    def delete(self, record: Record) -> Json:
        self.store.delete(record.id, self.clock())
        return {"id": record.id, "object": "response", "deleted": True}

    def _read(self, request: Json, forced: frozenset[str]) -> tuple[list[Json], Context]:
        """The items of the request's input, and all that the answer depends on, checked."""
        check_request(request)
        items = self.conversations.resolved(request.get("input"))
        context = self._context(request, items, forced)
        check_json_mode(request, context)
        return items, context

    def _context(self, request: Json, items: list[Json], forced: frozenset[str]) -> Context:
        earlier, unfolded = unfold(self._earlier(request), items)
        context = Context(unfolded, earlier, request.get("instructions"), forced)
        check_calls(context)
        return context

    def _keep(self, record: Record, conversation: str | None) -> None:
        # A background response can be fetched even with `store: false` (API 2). A turn that failed doesn't complete,
        # so it doesn't become part of a conversation.
        stored = record.response["store"] or record.background
        joins = conversation if record.response["status"] != "failed" else None
        if not stored and joins is None:
            return
        ends = record.created + record.duration
        if joins is not None and record.streamed and record.pace:
            ends = max(due for due, _ in timeline(record))
        self.store.add(record, ends, stored=stored, conversation=joins)

    def _paced(self, record: Record, events: Iterator[tuple[float, Json]]) -> Iterator[Json]:
        """Each event when it is due. The stream of a cancelled response ends without a final event (API 7.4)."""
        for due, event in events:
            if record.cancelled is not None and due > record.cancelled:
                return
            while (left := due - self.clock()) > 0:
                if not self.wait(min(left, _POLL)) or (record.background and not self.store.is_running(record.id)):
                    return
            yield event

    def _earlier(self, request: Json) -> list[Json]:
        """The items of the turns before this one, oldest first."""
        if (conversation := conversation_id(request)) is not None:
            return self.conversations.items(conversation, "conversation")
        previous = request.get("previous_response_id")
        records = self._chain(previous) if previous is not None else []
        return [item for record in records for item in record.items + self.view(record)["output"]]

    def _chain(self, response_id: str) -> list[Record]:
        """The turns up to a response, oldest first. Raises ApiError where one of them isn't stored."""
        records: list[Record] = []
        current: str | None = response_id
        while current is not None:
            record = self.store.get(current)
            if record is None or not record.response["store"]:
                text = f"Previous response with id '{current}' not found."
                raise invalid("previous_response_id", text, "previous_response_not_found")
            records.append(record)
            current = record.response["previous_response_id"]
        return records[::-1]
