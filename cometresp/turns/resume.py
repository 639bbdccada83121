"""Resuming an answer whose stream broke, or that was recorded in part: from the server, from the record (API 7.5)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.client.following import Fetched, Follow, Poll
from cometresp.errors import KeyProblemError, ProtocolError, RateLimitedError, RequestRefusedError
from cometresp.state.records import Turn
from cometresp.text import Say
from cometresp.wire.events import FIELD_DELTAS, PART_DELTAS, Event, may_go_on
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import TEXT_KEY, output_of, text_of, type_of
from cometresp.wire.json import Json, listed

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.turns.display import OnPoll

_FIELD_EVENTS = {holder: (event, key) for event, (holder, key) in FIELD_DELTAS.items()}
_TEXT_EVENTS = {kind: event for event, (_, _, kind, _) in PART_DELTAS.items()}
_LISTS = {
    "content": ("response.content_part", "content_index"),
    "summary": ("response.reasoning_summary_part", "summary_index"),
}


_FOREGROUND_POLLS = 5  # of the same status: about 15 s, unless the server asks for other pauses


class Resumption:
    """A `Resume` of `exchange`: follow after the last event that came, or else fetch the response until it has ended.

    `background`: the server works on it without this program, so it is polled, as is, for a short while, one that is
    still queued. `wait`: it is also fetched where nothing broke. `retries` is how often it is tried without anything
    new; 0 is never. An answer is resumed once.
    """

    def __init__(
        self,
        client: "Client",
        *,
        background: bool,
        wait: bool,
        retries: int,
        timeout: float | None,
        say: Say,
        on_poll: "OnPoll" = lambda *_: None,
    ) -> None:
        self._client = client
        self._background = background
        self._wait = wait
        self._retries = retries
        self._timeout = timeout
        self._say = say
        self._on_poll = on_poll
        self._used = False

    def __call__(self, answer: Answer, cut: bool) -> Iterator[Event] | None:
        cut = cut and (self._background or answer.status != "queued")
        if self._used or not (self._retries if cut else self._wait):
            return None
        left = self._client.left
        if cut and left is not None and left <= 0:
            return None
        self._used = True
        return self._events(answer, cut=cut)

    def _events(self, answer: Answer, *, cut: bool) -> Iterator[Event]:
        fetched = Fetched(
            self._client, answer.id, timeout=self._timeout, tries=self._retries, say=self._say, on_poll=self._on_poll
        )
        polled = self._background or not cut or answer.status == "queued"
        poll = Poll(fetched, most=None if self._background else _FOREGROUND_POLLS)
        whole = poll.until_ended if polled else fetched.now
        try:
            if not cut or answer.last_sequence is None:  # a stream without numbers can't be followed from its middle
                events = iter([whole()])
            else:
                self._say(f"the stream of {abridged_id(answer.id)} broke; resuming it")
                events = Follow(fetched, whole).events(answer.last_sequence)
            for event in events:
                if _is_of(event, answer) and not (cut and event.whole and may_go_on(event.status)):
                    yield event
        except (RequestRefusedError, ProtocolError, KeyProblemError, RateLimitedError):
            return  # the server doesn't offer it, or has forgotten it: what came is all there is


def _is_of(event: Event, answer: Answer) -> bool:
    """Whether an event belongs to the answer. Some servers answer for another response (API 12.9).

    Others give every reply an id of its own (API 12.17): theirs continues what came.
    """
    if event.response.get("id") in (None, answer.id):
        return True
    return event.whole and text_of(output_of(event.response)).startswith(answer.text)


# from the record ----------------------------------------------------------------------------------------------------


def resume_from_record(answer: Answer, response_id: str, after: int | None, turn: Turn | None) -> None:
    """Make `answer` what it was after event `after`; its text until then counts as shown.

    Without a record of exactly that place, only what comes from then on can be shown.
    """
    answer.apply(_event("response.in_progress", response={"id": response_id, "status": "in_progress"}))
    if after is None:
        return
    events: list[Event] | None = None
    if turn is not None and turn.sequence == after and turn.output is not None:
        last = len(turn.output) - 1
        events = [event for n, item in enumerate(turn.output) for event in _events(n, item, last=n == last)]
    answer.resume(events, after)


def _event(kind: str, **data: object) -> Event:
    return Event(kind, data, "")


def _events(n: int, item: Json, *, last: bool) -> Iterator[Event]:
    """The events of one item; one that is still growing comes piece by piece."""
    status = item.get("status")
    if status == "completed" or (status is None and not last):
        yield _event("response.output_item.done", output_index=n, item=item)
        return
    place = {"output_index": n, "item_id": item.get("id", "")}
    grown, key = _FIELD_EVENTS.get(type_of(item, "message"), ("", ""))
    empty = {**item, **{name: [] for name in _LISTS if name in item}, **({key: ""} if key in item else {})}
    yield _event("response.output_item.added", output_index=n, item=empty)
    if delta := item.get(key):
        yield _event(grown, **place, delta=delta)
    for where in _LISTS:
        parts = listed(item.get(where))
        for index, part in enumerate(parts):
            yield from _part_events(place, where, (index, part), last=index == len(parts) - 1)


def _part_events(place: Json, where: str, numbered: tuple[int, Json], *, last: bool) -> Iterator[Event]:
    name, index = _LISTS[where]
    n, part = numbered
    kind = type_of(part, "output_text")
    key = TEXT_KEY.get(kind, "text")
    yield _event(f"{name}.added", **place, **{index: n}, part={**part, key: ""})
    if kind in _TEXT_EVENTS and part.get(key):
        yield _event(_TEXT_EVENTS[kind], **place, **{index: n}, delta=part[key])
    if not last:
        yield _event(f"{name}.done", **place, **{index: n}, part=part)
