"""The way back to an answer whose stream broke, or that runs in the background (API 7.5, 12.9)."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cometresp.answer import Answer
from cometresp.errors import KeyProblemError, ProtocolError, RateLimitedError, RequestRefusedError
from cometresp.events import Event
from cometresp.fetching import PENDING, Fetching, status_of

if TYPE_CHECKING:
    from cometresp.client import Client


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
