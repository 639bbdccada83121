"""Asking for a response until it has ended, and following it: through whatever happens on the way (API 7.5, 12.9)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from cometresp.errors import (
    CometrespError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    SilenceError,
    UnreachableError,
)
from cometresp.wire.events import PENDING, Event, status_of
from cometresp.wire.replies import knows_no_path

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 2.0, 15.0, 1.4

_LONGEST_ASKED = 120.0  # what a server may ask for in a reply that isn't an error

_SHORTEST_ASKED = 0.05

_LAST_LOOK = 1.0  # seconds before --max-time


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
        starting_after: int | None,
        *,
        include: Sequence[str],
        retries: int | None,
        timeout: float | None,
    ) -> AbstractContextManager[Iterator[Event]]: ...


class Fetching:
    """One response of a server. `timeout` bounds each silence, in seconds; `say` hears what is waited for.

    `tries` is how often following is taken up again without anything new, and how often a server that was never reached
    is tried again where no --max-time bounds it all. Unless `patient`, what is still at work isn't waited for.
    """

    def __init__(
        self,
        server: Server,
        response_id: str,
        *,
        include: Sequence[str] = (),
        timeout: float | None = None,
        tries: int = 2,
        patient: bool = True,
        say: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server = server
        self._id = response_id
        self._include = include
        self._timeout = timeout
        self._tries = tries
        self._patient = patient
        self._say = say
        self._sleep = sleep
        self._pause = _FIRST_PAUSE
        self._reached = False
        self._after: int | None = None

    def once(self, *, retries: int | None = None) -> Event:
        """The response as it is now."""
        with self._server.get(self._id, include=self._include, retries=retries, timeout=self._timeout) as events:
            last = None
            for event in events:
                if event.whole or isinstance(event.data.get("response"), dict) or event.data.get("error"):
                    last = event
        if last is None:
            raise ProtocolError("not the Responses API: the reply holds no response")
        self._reached = True
        return last

    # asking again ---------------------------------------------------------------------------------------------------

    def until_ended(self) -> Event:
        """The response when it has ended, or as it was last when --max-time is up.

        Pauses of 2 s grow to 15 s, unless the server asks for others. Failures that may pass don't count.
        """
        if not self._patient:
            return self.once()
        last: Event | None = None
        failures = 0
        while True:
            fault: CometrespError | None = None
            try:
                event = self.once(retries=0)
            except (UnreachableError, RateLimitedError) as error:
                if last is not None and self._is_time_up():
                    return last
                failures += 1
                self._reached |= error.said.status is not None
                if not self._may_pass(error, failures):
                    raise
                fault, why = error, error.message
            else:
                if status_of(event) not in PENDING:
                    return event
                last, failures, why = event, 0, f"{self._id} is {status_of(event)}"
            if not self._rest(why):
                if last is None and fault is not None:
                    raise fault
                return last or event

    def _is_time_up(self) -> bool:
        left = self._server.left
        return left is not None and left <= 0

    def _may_pass(self, error: CometrespError, failures: int) -> bool:
        bounded = self._reached or self._server.left is not None
        return error.passing and not knows_no_path(error) and (bounded or failures <= self._tries)

    def _rest(self, why: str) -> bool:
        """Wait a while; False where --max-time leaves none."""
        asked, left = self._server.retry_after, self._server.left
        if asked is not None:
            seconds = min(max(asked, _SHORTEST_ASKED), _LONGEST_ASKED)
        else:
            seconds = _jittered(self._pause)
            self._pause = min(self._pause * _GROWTH, _LONGEST_PAUSE)
            if left is not None:
                seconds = min(seconds, left - _LAST_LOOK)
        if seconds <= 0 or (left is not None and seconds >= left):
            return False
        self._say(f"{why}; asking again in {seconds:.1f} s")
        self._sleep(seconds)
        return True

    # following ------------------------------------------------------------------------------------------------------

    def followed(self, after: int | None) -> Iterator[Event]:
        """The events above number `after` until the response has ended, none twice.

        A connection that ends early is taken up again at the last number. Where that brings nothing new, or isn't
        offered, the last event is the whole response once it has ended.
        """
        self._after = after
        failures = 0
        while failures <= self._tries:
            before = self._after
            try:
                yield from self._connection()
            except (UnreachableError, RateLimitedError) as error:
                if not error.passing:
                    raise
                ended = self._ended_meanwhile() if isinstance(error, SilenceError) else None
                if isinstance(ended, Event):
                    yield ended
                    return
                failures = 0 if ended is False or self._after != before else failures + 1
                self._take_breath(error, failures)
            except (RequestRefusedError, ProtocolError):
                break
            else:
                break
        self._say(f"{self._id} can't be followed; asking for it instead")
        yield self.until_ended()

    def _connection(self) -> Iterator[Event]:
        """The new events of one connection. Returns where it doesn't follow, raises where it ends."""
        fresh = False
        options: dict[str, Any] = {"include": self._include, "retries": 0, "timeout": self._timeout}
        with self._server.follow(self._id, self._after, **options) as events:
            for event in events:
                number = event.data.get("sequence_number")
                if type(number) is int:
                    if self._is_old(event, number):
                        continue
                    self._after = number
                if event.whole and status_of(event) not in (None, *PENDING):
                    yield event
                if event.whole or (not fresh and (event.type == "error" or event.data.get("error"))):
                    return
                fresh = True
                yield event
        raise _cut()

    def _is_old(self, event: Event, number: int) -> bool:
        """Whether it came before. Servers that don't count say 0 each time (API 12.2)."""
        if number and self._after is not None:
            return number <= self._after
        return self._after is not None and (self._after > 0 or event.type == "response.created")

    def _ended_meanwhile(self) -> Event | Literal[False] | None:
        """After a silence: the response if it has ended, False if it hasn't; None if nobody knows."""
        try:
            event = self.once()
        except (UnreachableError, RateLimitedError, RequestRefusedError, ProtocolError):
            return None
        return False if status_of(event) in PENDING else event

    def _take_breath(self, error: CometrespError, failures: int) -> None:
        """Pause before following is taken up again; none where it went on until now (API 8.3)."""
        self._say(f"{error.message}; taking {self._id} up again")
        if not failures or failures > self._tries:
            return
        asked, left = self._server.retry_after, self._server.left
        own = _jittered(min(0.5 * 2 ** (failures - 1), 8))
        seconds = own if asked is None else max(asked, _SHORTEST_ASKED)
        if left is not None and seconds >= left:
            raise error
        self._sleep(seconds)


def _jittered(seconds: float) -> float:
    """Less up to a quarter, so that many who wait don't ask at once."""
    import random

    return seconds * (1 - 0.25 * random.random())  # noqa: S311 - not a secret


def _cut() -> UnreachableError:
    error = UnreachableError("the connection ended before the answer was complete")
    error.passing = True
    return error
