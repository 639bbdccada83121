"""Waiting for a response and following it, against a server whose replies are given."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cometresp.answer.answer import Answer
from cometresp.client.following import Fetched, Follow, Poll
from cometresp.errors import CometrespError, ErrorDetails, RequestRefusedError, SilenceError, UnreachableError
from cometresp.wire.events import Event
from tests.one_response import END, STREAM, WHOLE
from tests.scripted import ended, response


@dataclass
class Fake:
    """A server whose replies are given: an event for `get`, a list for `follow`, or what is to be raised."""

    replies: Sequence[Event | list[Event] | CometrespError]
    left: float | None = None
    retry_after: float | None = None
    asked: list[str] = field(default_factory=list)

    def _next(self, what: str) -> Event | list[Event] | CometrespError:
        self.asked.append(what)
        given = self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(given, CometrespError):
            raise given
        return given

    @contextmanager
    def get(self, response_id: str, **_: Any) -> Iterator[Iterator[Event]]:
        given = self._next(f"get {response_id}")
        assert isinstance(given, Event)
        yield iter([given])

    @contextmanager
    def follow(self, response_id: str, after: int | None, **_: Any) -> Iterator[Iterator[Event]]:
        given = self._next(f"follow {response_id} {after}")
        assert isinstance(given, list)
        yield iter(given)


def event(data: dict[str, Any], *, whole: bool = False) -> Event:
    return Event(data["type"], data, json.dumps(data), whole=whole)


PENDING = event(ended(response(response_id="r1", status="in_progress")), whole=True)
DONE = event(ended(WHOLE), whole=True)
DOWN = UnreachableError("HTTP 503", details=ErrorDetails(status=503), passing=True)
NOWHERE = UnreachableError("no such host", passing=True)


def test_the_pauses_of_a_wait_grow_from_2_to_15_seconds_less_a_quarter() -> None:
    paused: list[float] = []
    server = Fake([PENDING] * 6 + [DOWN] * 6 + [DONE])
    assert Poll(Fetched(server, "r1", sleep=paused.append)).until_ended() == DONE
    full = [min(2.0 * 1.4**n, 15.0) for n in range(12)]
    assert [0.75 * most <= took <= most for took, most in zip(paused, full, strict=True)] == [True] * 12


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    paused: list[float] = []
    server = Fake([PENDING, DOWN, DONE], retry_after=7.0)
    Poll(Fetched(server, "r1", sleep=paused.append)).until_ended()
    assert paused == [7.0, 7.0]


def test_the_last_look_is_taken_before_the_time_is_up() -> None:
    paused: list[float] = []
    server = Fake([PENDING], left=30.0)

    def sleep(seconds: float) -> None:
        paused.append(seconds)
        assert server.left is not None
        server.left -= seconds

    assert Poll(Fetched(server, "r1", sleep=sleep)).until_ended() == PENDING
    assert (round(server.left or 0, 6), len(server.asked)) == (1.0, len(paused) + 1)


def test_a_server_that_was_never_reached_is_given_up_unless_the_time_is_bounded() -> None:
    server = Fake([NOWHERE] * 5 + [DONE])
    with pytest.raises(UnreachableError, match="no such host"):
        Poll(Fetched(server, "r1", tries=2, sleep=lambda _: None)).until_ended()
    assert len(server.asked) == 3
    bounded = Fake([NOWHERE] * 5 + [DONE], left=1000.0)
    assert Poll(Fetched(bounded, "r1", tries=2, sleep=lambda _: None)).until_ended() == DONE
    reached = Fake([DOWN] + [NOWHERE] * 5 + [DONE])
    assert Poll(Fetched(reached, "r1", tries=2, sleep=lambda _: None)).until_ended() == DONE


def unknown(status: str) -> Event:
    return event(ended(response(response_id="r1", status=status)), whole=True)


@pytest.mark.parametrize("status", ["requires_action", "cancelling", "processing"])
def test_a_status_that_may_go_on_is_waited_for_without_end(status: str) -> None:
    server = Fake([unknown(status)] * 50 + [DONE])
    assert Poll(Fetched(server, "r1", sleep=lambda _: None)).until_ended() == DONE


@pytest.mark.parametrize("status", ["expired", "canceled", "error"])
def test_a_word_for_an_end_ends_a_wait(status: str) -> None:
    server = Fake([PENDING, unknown(status)])
    assert Poll(Fetched(server, "r1", sleep=lambda _: None)).until_ended().status == status
    assert len(server.asked) == 2


def test_an_unknown_status_is_waited_for_until_it_stays_the_same_for_20_polls() -> None:
    server = Fake([unknown("wobbling")] * 19 + [unknown("dangling")] * 19 + [PENDING, unknown("dangling")])
    assert Poll(Fetched(server, "r1", sleep=lambda _: None)).until_ended().status == "dangling"
    assert len(server.asked) == 19 + 19 + 1 + 20
    bounded = Fake([unknown("wobbling")] * 50 + [DONE], left=10_000.0)
    assert Poll(Fetched(bounded, "r1", sleep=lambda _: None)).until_ended() == DONE


# following --------------------------------------------------------------------------------------------------------

EVENTS = [event(data) for data in [*STREAM, END]]


def followed(server: Fake, after: int | None = None, tries: int = 2) -> list[Event]:
    """The events up to the one that ends the answer, as the loop takes them."""
    taken: list[Event] = []
    answer = Answer()
    fetched = Fetched(server, "r1", tries=tries, sleep=lambda _: None)
    for each in Follow(fetched, Poll(fetched).until_ended).events(after):
        taken.append(each)
        answer.apply(each)
        if answer.ended:
            break
    return taken


def test_following_goes_on_where_the_connection_ended_and_drops_what_comes_twice() -> None:
    twice = [each for each in EVENTS[:3] for _ in range(2)]
    server = Fake([twice, EVENTS[1:4], DOWN, [], EVENTS])
    assert followed(server) == EVENTS
    assert server.asked == ["follow r1 None", "follow r1 2", "follow r1 3", "follow r1 3", "follow r1 3"]


def test_following_that_brings_nothing_new_falls_back_to_polling() -> None:
    server = Fake([EVENTS[:2], [], [], [], PENDING, DONE])
    assert followed(server) == [*EVENTS[:2], DONE]
    assert server.asked == ["follow r1 None", *["follow r1 1"] * 3, "get r1", "get r1"]


@pytest.mark.parametrize(
    "refusal",
    [
        RequestRefusedError("HTTP 400", details=ErrorDetails(status=400)),
        [PENDING],
        [event({"type": "error", "message": "cannot be streamed"})],
    ],
)
def test_where_following_isnt_offered_it_is_polled(refusal: Any) -> None:
    server = Fake([refusal, PENDING, DONE])
    assert followed(server, 3) == [DONE]
    assert server.asked == ["follow r1 3", "get r1", "get r1"]


def test_a_whole_reply_to_a_follow_is_the_answer() -> None:
    server = Fake([[DONE]])
    assert (followed(server), server.asked) == ([DONE], ["follow r1 None"])


def test_after_a_silence_the_response_is_looked_at() -> None:
    silent = SilenceError("silence", passing=True)
    slow: list[Any] = [silent, PENDING] * 4
    assert followed(Fake([*slow, EVENTS])) == EVENTS
    cancelled: Event = event(ended(response(response_id="r1", status="cancelled")), whole=True)
    assert followed(Fake([silent, cancelled])) == [cancelled]


def test_servers_that_dont_count_their_events_lose_none() -> None:
    zeros = [event({**data, "sequence_number": 0}) for data in STREAM]
    assert followed(Fake([[*zeros, DONE]])) == [*zeros, DONE]


def test_no_event_waits_for_one_that_may_be_dropped() -> None:
    assert followed(Fake([[each._replace(more=True) for each in EVENTS]])) == EVENTS
