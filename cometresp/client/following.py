"""A response asked for until it has ended, or followed as a stream: through errors that pass (API 7.5, 12.9)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from cometresp.deadline import DEFAULT_RETRIES, SHORTEST_ASKED, Pauses, backoff
from cometresp.errors import (
    Cause,
    CometrespError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    SilenceError,
    UnreachableError,
)
from cometresp.tuples import NamedTuple
from cometresp.wire.events import Event, is_known, may_go_on
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import open_calls, output_of

_LONGEST_ASKED = 120.0  # what a server may ask for in a reply that isn't an error
_MOST_UNKNOWN = 20  # polls of a status that isn't known here


class Server(Protocol):
    """What is needed of the client."""

    @property
    def left(self) -> float | None: ...

    @property
    def retry_after(self) -> float | None: ...

    def get(
        self, response_id: str, *, include: Sequence[str], retries: int | None, timeout: float | None
    ) -> AbstractContextManager[Iterator[Event]]: ...

    def follow(
        self,
        response_id: str,
        after: int | None,
        *,
        include: Sequence[str],
        retries: int | None,
        timeout: float | None,
    ) -> AbstractContextManager[Iterator[Event]]: ...


class Polled(NamedTuple):
    """A poll that didn't end the wait: the response's `status`, or the `problem` where there was no answer.

    `seconds` are those until the next one. `patient`: the server is asked until it answers, however often that takes.
    """

    status: str
    problem: str
    seconds: float
    patient: bool


class Fetched(NamedTuple):
    """A response of a server, and how to ask for it.

    `timeout` bounds the seconds without data. `tries` is how often following is resumed without anything new, and how
    often a server that was never reached is tried again where there is no --max-time. `say` gets a sentence about what
    is waited for, `on_poll` each poll with the id of the response.
    """

    server: Server
    id: str
    include: Sequence[str] = ()
    timeout: float | None = None
    tries: int = DEFAULT_RETRIES
    say: Callable[[str], None] = lambda _: None
    on_poll: Callable[[str, Polled], None] = lambda *_: None
    sleep: Callable[[float], None] = time.sleep

    def now(self, *, retries: int | None = None) -> Event:
        """The response as it is now."""
        with self.server.get(self.id, include=self.include, retries=retries, timeout=self.timeout) as events:
            last = None
            for event in events:
                if event.whole or event.response or (last is None and event.error is not None):
                    last = event
                elif last is not None and last.status == "failed" and event.error is not None:
                    last = last.with_reason(event.error)
        if last is None:
            raise ProtocolError("not the Responses API: the reply holds no response", cause=Cause.PATH)
        return last


class Poll:
    """Asks for a response until it has ended.

    Without --max-time it stops after `most` polls of the same status, for 20 of one that isn't known here.
    """

    def __init__(self, fetched: Fetched, *, most: int | None = None) -> None:
        self._fetched = fetched
        self._most = most
        self._pauses = Pauses(2.0, 15.0, 1.4, longest_asked=_LONGEST_ASKED)
        self._reached = False
        self._status: object = None  # the last one, and how often it came
        self._times = 0

    def until_ended(self) -> Event:
        """The response when it has ended, or as it was last when it is no longer waited for.

        Pauses of 2 s grow to 15 s, unless the server asks for others. Failures that may pass don't count.
        """
        last: Event | None = None
        failures = 0
        while True:
            error: CometrespError | None = None
            try:
                event = self._fetched.now(retries=0)
            except (UnreachableError, RateLimitedError) as fault:
                if last is not None and self._is_time_up():
                    return last
                failures += 1
                self._reached |= fault.details.status is not None
                if not self._is_worth_retrying(fault, failures):
                    raise
                error, status = fault, ""
            else:
                self._reached = True
                if _has_ended(event) or self._is_stuck(event):
                    return event
                last, failures, status = event, 0, str(event.status)
            if not self._wait(status, error.message if error else ""):
                if last is None and error is not None:
                    raise error
                return last or event

    def _is_stuck(self, event: Event) -> bool:
        """Whether the status has stayed the same for so long that it isn't waited for any longer."""
        if self._fetched.server.left is not None:
            return False
        self._times = self._times + 1 if event.status == self._status else 1
        self._status = event.status
        most = self._most if is_known(event.status) else self._most or _MOST_UNKNOWN
        return most is not None and self._times >= most

    def _is_time_up(self) -> bool:
        left = self._fetched.server.left
        return left is not None and left <= 0

    def _is_worth_retrying(self, error: CometrespError, failures: int) -> bool:
        return error.passing and error.cause is not Cause.PATH and (self._patient or failures <= self._fetched.tries)

    @property
    def _patient(self) -> bool:
        """Whether failures don't count: the server was reached, or the time is limited."""
        return self._reached or self._fetched.server.left is not None

    def _wait(self, status: str, problem: str) -> bool:
        """Wait before the next poll; False where --max-time leaves no time for one."""
        server = self._fetched.server
        seconds = self._pauses.next(asked=server.retry_after, left=server.left)
        if seconds is None:
            return False
        self._fetched.on_poll(self._fetched.id, Polled(status, problem, seconds, self._patient))
        self._fetched.sleep(seconds)
        return True


def _has_ended(event: Event) -> bool:
    """Whether the response has ended, or waits for outputs of the client (API 6.2)."""
    if event.status == "requires_action":
        return bool(open_calls(output_of(event.response)))
    return not may_go_on(event.status)


class Follow:
    """Follows a response as a stream, over as many connections as it takes."""

    def __init__(self, fetched: Fetched, instead: Callable[[], Event]) -> None:
        """`instead` fetches the response where following isn't offered."""
        self._fetched = fetched
        self._instead = instead
        self._after: int | None = None

    def events(self, after: int | None) -> Iterator[Event]:
        """The events above number `after` until the response has ended, none twice.

        A connection that ends early is resumed at the last number. Where that brings nothing new, or isn't offered, the
        last event is the whole response once it has ended.
        """
        self._after = after
        failures = 0
        while failures <= self._fetched.tries:
            before = self._after
            try:
                yield from self._connection()
            except (UnreachableError, RateLimitedError) as error:
                if not error.passing:
                    raise
                now = self._current() if isinstance(error, SilenceError) else None
                if now is not None and not may_go_on(now.status):
                    yield now
                    return
                failures = 0 if now is not None or self._after != before else failures + 1
                self._wait(error, failures)
            except (RequestRefusedError, ProtocolError):
                break
            else:
                break
        self._fetched.say(f"{abridged_id(self._fetched.id)} can't be followed; asking for it instead")
        yield self._instead()

    def _connection(self) -> Iterator[Event]:
        """The new events of one connection. Returns where it doesn't follow, raises where it ends."""
        given, fresh = self._fetched, False
        with given.server.follow(
            given.id, self._after, include=given.include, retries=0, timeout=given.timeout
        ) as events:
            for event in events:
                number = event.data.get("sequence_number")
                if type(number) is int:
                    if self._is_old(event, number):
                        continue
                    self._after = number
                if event.whole and event.status is not None and not may_go_on(event.status):
                    yield event
                if event.whole or (not fresh and event.error is not None):
                    return
                fresh = True
                yield event._replace(more=False) if event.more else event  # the next one may be old
        raise UnreachableError("the connection ended before the answer was complete", passing=True)

    def _is_old(self, event: Event, number: int) -> bool:
        """Whether the event came before. Servers that don't count send 0 each time (API 12.2)."""
        if number and self._after is not None:
            return number <= self._after
        return self._after is not None and (self._after > 0 or event.type == "response.created")

    def _current(self) -> Event | None:
        """The response as it is now; None where it can't be fetched."""
        try:
            return self._fetched.now()
        except (UnreachableError, RateLimitedError, RequestRefusedError, ProtocolError):
            return None

    def _wait(self, error: CometrespError, failures: int) -> None:
        """Pause before following is resumed; not at all where something new came (API 8.3)."""
        self._fetched.say(f"{error.message}; resuming {abridged_id(self._fetched.id)}")
        if not failures or failures > self._fetched.tries:
            return
        asked, left = self._fetched.server.retry_after, self._fetched.server.left
        seconds = backoff(failures - 1) if asked is None else max(asked, SHORTEST_ASKED)
        if left is not None and seconds >= left:
            raise error
        self._fetched.sleep(seconds)
