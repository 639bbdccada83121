"""The endpoints (API 1) without HTTP: a request in, JSON or a stream of events out."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cometresp.emulator import catalogue
from cometresp.emulator.answer import answer
from cometresp.emulator.context import Context, check_calls, normalise
from cometresp.emulator.errors import ApiError, invalid, not_found
from cometresp.emulator.events import QUEUED_SHARE, timeline
from cometresp.emulator.response import build_response, conversation_id, pending
from cometresp.emulator.rules import Json
from cometresp.emulator.store import Record, Store
from cometresp.emulator.validation import check_request

Query = Mapping[str, str]

_BACKGROUND = 1.0  # seconds that a background response takes
_SLOW_BACKGROUND = 10.0
_SLOW_PACE = 0.1  # seconds between the deltas of a slow stream
_POLL = 0.1  # seconds between checks for a cancel by another process
_PAGE = 20
_LONGEST_PAGE = 100


def _new_id(prefix: str) -> str:
    return f"{prefix}_{os.urandom(16).hex()}"


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


class Stream(Iterator[Json]):
    """Events, each returned when it is due; `whole` returns all of them without waiting, to see what will come."""

    def __init__(self, due: Iterator[Json], whole: Callable[[], Iterator[Json]]) -> None:
        self._due = due
        self.whole = whole

    def __next__(self) -> Json:
        return next(self._due)


Reply = Json | Stream


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints over one store.

    `wait` waits for a number of seconds and returns whether to continue; `delay` is the pause between streamed deltas,
    in seconds.
    """

    store: Store
    delay: float = 0.0
    clock: Callable[[], float] = time.time
    wait: Callable[[float], bool] = field(default=_sleep)

    def handle(
        self, method: str, path: str, query: Query, body: bytes = b"", forced: frozenset[str] = frozenset()
    ) -> Reply:
        """The reply to a request. Raises ApiError. `forced` are `emulate:` words for a created response (Context)."""
        allowed = set()
        for route_method, pattern, endpoint in _ROUTES:
            if found := re.fullmatch(pattern, path):
                if route_method == method:
                    return endpoint(self, Call(found.groups(), query, body, forced))
                allowed.add(route_method)
        if allowed or method not in ("GET", "POST", "DELETE"):
            raise ApiError(405, f"Method {method} is not allowed for {path}", code="method_not_allowed")
        raise ApiError(404, f"Invalid URL ({method} {path})", code="not_found")

    def create(self, body: bytes, forced: frozenset[str] = frozenset()) -> Reply:
        request = _parse(body)
        check_request(request)
        items = normalise(request.get("input"), _new_id)
        context = Context(items, self._earlier(request), request.get("instructions"), forced)
        check_calls(context)
        outcome = answer(request, context, _new_id)
        streamed, background = bool(request.get("stream")), bool(request.get("background"))
        if outcome.error_event and not streamed and not background:
            raise ApiError(500, f"The emulator failed because {context.steered_by()} asked it to.", code="server_error")
        now = self.clock()
        slow = "slow" in context.words()
        duration = (_SLOW_BACKGROUND if slow else _BACKGROUND) if background else 0.0
        record = Record(
            response=build_response(request, context, outcome, _new_id("resp"), (now, now + duration)),
            items=items,
            created=now,
            duration=duration,
            pace=max(self.delay, _SLOW_PACE) if slow else self.delay,
            streamed=streamed,
            obfuscated=(request.get("stream_options") or {}).get("include_obfuscation") is not False,
            error_event=outcome.error_event,
            conversation=conversation_id(request),
        )
        # A background response can be fetched even with `store: false` (API 2); a conversation keeps every turn.
        if record.response["store"] or background or record.conversation is not None:
            self.store.add(record)
        return self.follow(record) if streamed else self.view(record)

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

    def _paced(self, record: Record, events: Iterator[tuple[float, Json]]) -> Iterator[Json]:
        """Each event when it is due. The stream of a cancelled response ends without a final event (API 7.4)."""
        for due, event in events:
            if record.cancelled is not None and due > record.cancelled:
                return
            while (left := due - self.clock()) > 0:
                if not self.wait(min(left, _POLL)) or (record.background and not self.store.is_running(record.id)):
                    return
            yield event

    def stored(self, response_id: str) -> Record:
        """A response that can be fetched. Raises ApiError (404)."""
        record = self.store.get(response_id)
        if record is None or not (record.response["store"] or record.background):
            raise not_found(response_id)
        return record

    def _earlier(self, request: Json) -> list[Json]:
        """The items of the turns before this one, oldest first."""
        conversation, previous = conversation_id(request), request.get("previous_response_id")
        if conversation is not None:
            records = self.store.in_conversation(conversation)
        else:
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


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an endpoint: the parts of its path, its query, its body and the forced `emulate:` words."""

    parts: tuple[str, ...]
    query: Query
    body: bytes
    forced: frozenset[str]


def _create(api: Api, call: Call) -> Reply:
    return api.create(call.body, call.forced)


def _retrieve(api: Api, call: Call) -> Reply:
    record = api.stored(call.parts[0])
    if not _flag(call.query, "stream"):
        return api.view(record)
    if not record.streamed:
        text = f"Response with id '{record.id}' cannot be streamed because it was not created with stream=true."
        raise invalid("stream", text)
    after = _whole(call.query, "starting_after", -1)
    return api.follow(record, after, obfuscated=_flag(call.query, "include_obfuscation"))


def _delete(api: Api, call: Call) -> Reply:
    record = api.stored(call.parts[0])
    api.store.delete(record.id)
    return {"id": record.id, "object": "response", "deleted": True}


def _cancel(api: Api, call: Call) -> Reply:
    record = api.stored(call.parts[0])
    if not record.background:
        raise invalid("response_id", "Cannot cancel a synchronous response.")
    if api.view(record)["status"] in ("queued", "in_progress"):
        api.store.cancel(record.id, api.clock())
    return api.view(api.stored(record.id))


def _input_items(api: Api, call: Call) -> Reply:
    items = api.stored(call.parts[0]).items
    order = call.query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid("order", f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.")
    limit = _whole(call.query, "limit", _PAGE)
    if not 1 <= limit <= _LONGEST_PAGE:
        raise invalid("limit", f"Invalid 'limit': expected 1 to {_LONGEST_PAGE}, but got {limit}.")
    items = items if order == "asc" else items[::-1]
    if (after := call.query.get("after")) is not None:
        place = next((index for index, item in enumerate(items) if item["id"] == after), None)
        if place is None:
            raise invalid("after", f"Item with id '{after}' not found.")
        items = items[place + 1 :]
    page = items[:limit]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": "", "last_id": ""}
    return {"object": "list", "data": page, **ends, "has_more": len(items) > limit}


def _parse(body: bytes) -> Json:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        request: Any = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        text = "We could not parse the JSON body of your request."
        raise ApiError(400, f"{text} ({error})", code="bad_request_body") from error
    if not isinstance(request, dict):
        raise ApiError(400, "Invalid body: expected an object.", code="invalid_type")
    return request


def _flag(query: Query, name: str) -> bool | None:
    value = query.get(name)
    if value is None:
        return None
    if value.lower() not in ("true", "false", "1", "0"):
        raise invalid(
            name, f"Invalid type for '{name}': expected a boolean, but got '{value}' instead.", "invalid_type"
        )
    return value.lower() in ("true", "1")


def _whole(query: Query, name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise invalid(
            name, f"Invalid type for '{name}': expected an integer, but got '{value}' instead.", "invalid_type"
        )
    return int(value)


_RESPONSE = r"/v1/responses/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[[Api, Call], Reply]], ...] = (
    ("POST", r"/v1/responses", _create),
    ("GET", _RESPONSE, _retrieve),
    ("DELETE", _RESPONSE, _delete),
    ("POST", _RESPONSE + "/cancel", _cancel),
    ("GET", _RESPONSE + "/input_items", _input_items),
    ("GET", r"/v1/models", lambda _api, _call: catalogue.list_models()),
    ("GET", r"/v1/models/(.+)", lambda _api, call: catalogue.get_model(call.parts[0])),
    ("GET", r"/api/models", lambda _api, _call: catalogue.list_catalogue()),
)
