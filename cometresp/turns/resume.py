"""An answer brought to where its record left it, so that the events that follow go on from there."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cometresp.answer.answer import FIELD_DELTAS, PART_DELTAS, Answer
from cometresp.client.following import Fetching
from cometresp.errors import KeyProblemError, ProtocolError, RateLimitedError, RequestRefusedError
from cometresp.state.records import Turn
from cometresp.wire.events import PENDING, Event, status_of
from cometresp.wire.items import TEXT_KEY, type_of
from cometresp.wire.json import listed

if TYPE_CHECKING:
    from cometresp.client.client import Client

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


class WayBack:
    """A `Resume` of the exchange: follow from the last event that was seen, else fetch until the response has ended.

    `background`: it goes on without us, so that it is asked for again and again. `wait`: also where nothing broke.
    `retries` is how often it is tried without anything new; 0 is never.
    """

    def __init__(
        self,
        client: "Client",
        *,
        background: bool,
        wait: bool,
        retries: int,
        timeout: float | None,
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._background = background
        self._wait = wait
        self._retries = retries
        self._timeout = timeout
        self._say = say
        self._taken = False

    def __call__(self, answer: Answer, cut: bool) -> Iterator[Event] | None:
        if self._taken or not (self._retries if cut else self._wait):
            return None
        left = self._client.left
        if cut and left is not None and left <= 0:
            return None
        self._taken = True
        return self._events(answer, cut=cut)

    def _events(self, answer: Answer, *, cut: bool) -> Iterator[Event]:
        fetching = Fetching(
            self._client,
            answer.id,
            timeout=self._timeout,
            tries=self._retries,
            patient=self._background,
            say=self._say,
        )
        try:
            if not cut or answer.last_sequence is None:  # a stream without numbers can't be gone on with
                events = iter([fetching.until_ended()])
            else:
                self._say(f"the stream of {answer.id} broke; taking it up again")
                events = fetching.followed(answer.last_sequence)
            for event in events:
                if _is_of(event, answer) and not (cut and event.whole and status_of(event) in PENDING):
                    yield event
        except (RequestRefusedError, ProtocolError, KeyProblemError, RateLimitedError):
            return  # the server doesn't offer it, or has forgotten it: what came is what there is


def _is_of(event: Event, answer: Answer) -> bool:
    """Whether an event is of that response: some servers answer for another one."""
    response = event.data.get("response")
    return not isinstance(response, dict) or response.get("id") in (None, answer.id)
