"""An answer brought to where its record left it, so that the events that follow go on from there."""

from collections.abc import Iterator
from typing import Any

from cometresp.answer import FIELD_DELTAS, PART_DELTAS, Answer
from cometresp.events import Event
from cometresp.items import TEXT_KEY, listed, type_of
from cometresp.records import Turn

_FIELD_EVENTS = {holder: (event, key) for event, (holder, key) in FIELD_DELTAS.items()}
_TEXT_EVENTS = {kind: event for event, (_, _, kind, _) in PART_DELTAS.items()}
_LISTS = {
    "content": ("response.content_part", "content_index"),
    "summary": ("response.reasoning_summary_part", "summary_index"),
}


def take_up(answer: Answer, response_id: str, after: int | None, turn: Turn | None) -> None:
    """Make `answer` what it was after event `after`; its text until then counts as shown.

    Without a record of exactly that place, what comes is all that can be shown (`rest_only`).
    """
    answer.apply(_event("response.in_progress", response={"id": response_id, "status": "in_progress"}))
    if after is None:
        return
    if turn is None or turn.sequence != after or turn.output is None:
        answer.rest_only = True
    else:
        for n, item in enumerate(turn.output):
            for event in _events(n, item, last=n == len(turn.output) - 1):
                answer.apply(event)
        answer.take()
    answer.last_sequence = after


def _event(kind: str, **data: Any) -> Event:
    return Event(kind, data, "")


def _events(n: int, item: dict[str, Any], *, last: bool) -> Iterator[Event]:
    """The events of one item; one that is still growing comes piece by piece."""
    status = item.get("status")
    if status == "completed" or (status is None and not last):
        yield _event("response.output_item.done", output_index=n, item=item)
        return
    place = {"output_index": n, "item_id": item.get("id", "")}
    grown, key = _FIELD_EVENTS.get(type_of(item, "message"), ("", ""))
    begun = {**item, **{name: [] for name in _LISTS if name in item}, **({key: ""} if key in item else {})}
    yield _event("response.output_item.added", output_index=n, item=begun)
    if text := item.get(key):
        yield _event(grown, **place, delta=text)
    for where in _LISTS:
        parts = listed(item.get(where))
        for index, part in enumerate(parts):
            yield from _part(place, where, (index, part), last=index == len(parts) - 1)


def _part(place: dict[str, Any], where: str, numbered: tuple[int, dict[str, Any]], *, last: bool) -> Iterator[Event]:
    name, index = _LISTS[where]
    n, part = numbered
    kind = type_of(part, "output_text")
    key = TEXT_KEY.get(kind, "text")
    yield _event(f"{name}.added", **place, **{index: n}, part={**part, key: ""})
    if kind in _TEXT_EVENTS and part.get(key):
        yield _event(_TEXT_EVENTS[kind], **place, **{index: n}, delta=part[key])
    if not last:
        yield _event(f"{name}.done", **place, **{index: n}, part=part)
