"""Faults that change a response where it is sent: what some servers send, though the API doesn't (API 12).

Each is a pair: what it does to a response, and to an event of a stream. The stored response stays as it is.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from cometresp.emulator.response import pending
from cometresp.emulator.rules import Json

OTHER_ID = "resp_emulated_other"
_STATUS = "expired"
_ENDS = ("response.completed", "response.incomplete", "response.failed")
_ENDED = ("completed", "incomplete", "failed")
_ITEM: Json = {"id": "unknown_emulated", "type": "emulated_unknown", "status": "completed", "note": "of no known type"}
# Without sequence numbers, so that those of the other events remain right for following.
_UNKNOWN_EVENTS: list[Json] = [{"type": "response.emulated_unknown", "note": "of no known type"}, {"type": "keepalive"}]

OfResponse = Callable[[Json, str | None], Json]
OfEvent = Callable[[Json, str | None], Iterator[Json]]


def odd_response(response: Json, faults: dict[str, str | None]) -> Json:
    """A response as it is sent with these faults: their kinds and arguments."""
    for kind, argument in faults.items():
        response = KINDS[kind][0](response, argument)
    return response


def odd_events(event: Json, faults: dict[str, str | None], *, first: bool) -> list[Json]:
    """The events that are sent in place of an event of a stream."""
    events = [event]
    for kind, argument in faults.items():
        events = [sent for each in events for sent in KINDS[kind][1](each, argument)]
    return [*events, *_UNKNOWN_EVENTS] if first and "unknown" in faults else events


def _in_events(change: OfResponse) -> OfEvent:
    """The same change to the response in each event that has one."""

    def changed(event: Json, argument: str | None) -> Iterator[Json]:
        yield {**event, "response": change(event["response"], argument)} if "response" in event else event

    return changed


def _same_response(response: Json, _: str | None) -> Json:
    return response


def _same_event(event: Json, _: str | None) -> Iterator[Json]:
    yield event


def _bare(event: Json, _: str | None) -> Iterator[Json]:
    if event["type"] in _ENDS:
        event = {key: value for key, value in event.items() if key != "response"} | event["response"]
    yield event


def _status(response: Json, status: str | None) -> Json:
    return {**response, "status": status or _STATUS} if response["status"] in _ENDED else response


def _failed_null(response: Json, _: str | None) -> Json:
    if response["status"] not in _ENDED:
        return response
    failed = {"status": "failed", "error": None, "completed_at": None, "incomplete_details": None}
    return {key: value for key, value in response.items() if key != "usage"} | failed


def _failed_null_event(event: Json, _: str | None) -> Iterator[Json]:
    if event["type"] not in _ENDS:
        yield event
        return
    yield {**event, "type": "response.failed", "response": _failed_null(event["response"], None)}
    error = {"code": "server_error", "message": "The emulator failed because --fault asked it to.", "param": None}
    yield {"type": "error", "sequence_number": event["sequence_number"] + 1, "error": error}


def _no_output(response: Json, _: str | None) -> Json:
    return {**response, "output": []}


def _no_output_event(event: Json, _: str | None) -> Iterator[Json]:
    if "output_index" not in event:
        yield from _in_events(_no_output)(event, None)


def _with_item(item: Json | None) -> tuple[OfResponse, OfEvent]:
    """One more item at the end of the output, in a stream with its events; without one the last item again."""

    def of_response(response: Json, _: str | None) -> Json:
        return {**response, "output": [*response["output"], *([item] if item else response["output"][-1:])]}

    def of_event(event: Json, _: str | None) -> Iterator[Json]:
        if event["type"] in _ENDS:
            before = event["response"]["output"]
            event = {**event, "response": of_response(event["response"], None)}
            for index, added in enumerate(event["response"]["output"][len(before) :], len(before)):
                for state in ("added", "done"):
                    yield {"type": f"response.output_item.{state}", "output_index": index, "item": added}
        yield event

    return of_response, of_event


def _unknown(response: Json, _: str | None) -> Json:
    return _with_item(_ITEM)[0]({**response, "emulated_unknown": True}, None)


def _object_arguments(item: Json) -> Json:
    if not isinstance(item.get("arguments"), str):
        return item
    try:
        return {**item, "arguments": json.loads(item["arguments"])}
    except ValueError:
        return item  # a broken call


def _nan(value: Json) -> Json:
    """Logprobs that aren't numbers, in an item, in a part of it or in an event with text."""
    if isinstance(value.get("content"), list):
        return {**value, "content": [_nan(part) for part in value["content"]]}
    if "logprobs" not in value:
        return value
    token = value.get("text", value.get("delta"))
    return {**value, "logprobs": [{"token": token, "logprob": float("nan"), "bytes": [], "top_logprobs": []}]}


def _everywhere(change: Callable[[Json], Json]) -> tuple[OfResponse, OfEvent]:
    """The same change to each item, wherever it comes, and to the parts and fields of it in events."""

    def of_response(response: Json, _: str | None) -> Json:
        return {**response, "output": [change(item) for item in response["output"]]}

    def of_event(event: Json, _: str | None) -> Iterator[Json]:
        inner: dict[str, Any] = {key: change(event[key]) for key in ("item", "part") if key in event}
        if "response" in event:
            inner["response"] = of_response(event["response"], None)
        yield change({**event, **inner})

    return of_response, of_event


def _other_id(response: Json, _: str | None) -> Json:
    return {**response, "id": OTHER_ID}


def _queued(response: Json, _: str | None) -> Json:
    return pending(response, "queued")


# In the order in which they apply, whatever the order of the flags.
KINDS: dict[str, tuple[OfResponse, OfEvent]] = {
    "object_arguments": _everywhere(_object_arguments),
    "nan": _everywhere(_nan),
    "twin": _with_item(None),
    "unknown": (_unknown, _with_item(_ITEM)[1]),
    "no_output": (_no_output, _no_output_event),
    "status": (_status, _in_events(_status)),
    "failed_null": (_failed_null, _failed_null_event),
    "queued": (_queued, _same_event),
    "other_id": (_other_id, _in_events(_other_id)),
    "bare": (_same_response, _bare),
}
