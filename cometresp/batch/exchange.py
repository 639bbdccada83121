"""One request: sent, its events reduced to an answer, and what that amounts to. A stream that is cut is followed."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import verdict
from cometresp.batch.bodies import Entry
from cometresp.batch.budget import Prices
from cometresp.batch.result import Result
from cometresp.client.following import Fetched, Follow
from cometresp.errors import (
    CometrespError,
    KeyProblemError,
    ProtocolError,
    RateLimitedError,
    RequestRefusedError,
    UnreachableError,
)
from cometresp.text import Say
from cometresp.wire.events import GOOD, Event, may_go_on
from cometresp.wire.items import format_of
from cometresp.wire.json import Json, text

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.wire.masking import Secrets

_NOT_OFFERED = (RequestRefusedError, ProtocolError, KeyProblemError, RateLimitedError)


class NotAnsweredError(Exception):
    """The request got no 2xx reply; `error` is that of the client, and says whether trying again may help."""

    def __init__(self, error: CometrespError) -> None:
        super().__init__(error.message)
        self.error = error


class Exchange:
    """Asks with one client; each thread has its own."""

    def __init__(
        self,
        client: "Client",
        secrets: "Secrets",
        prices: Prices,
        warn: Say,
        *,
        retries: int,
        allow_incomplete: bool,
        as_text: bool,
        record: Callable[[Entry, Answer, float | None], None] | None = None,
    ) -> None:
        self.client = client
        self._secrets = secrets
        self._prices = prices
        self._warn = warn
        self._retries = retries
        self._allow_incomplete = allow_incomplete
        self._as_text = as_text
        self._record = record

    @property
    def is_too_late(self) -> bool:
        """Whether the time of --max-time is over: what fails then hasn't failed by itself."""
        left = self.client.left
        return left is not None and left <= 0

    def ask(self, entry: Entry) -> Result:
        """How the request ended. Raises NotAnsweredError where it got no reply: it may be sent again then."""
        answer = Answer(self._secrets)
        self.client.request_ids.clear()
        fault: CometrespError | None = None
        replied = whole = False
        try:
            with self.client.create(entry.body) as events:
                replied = True
                whole = _apply(events, answer)
        except UnreachableError as error:
            if not replied:
                raise NotAnsweredError(error) from error
            fault = error
        except CometrespError as error:
            if not replied:
                raise NotAnsweredError(error) from error
            return self._result(entry, answer, error)
        request_id = self.client.request_id
        if not answer.ended and not whole and answer.id and self._retries:
            try:
                fault = self._follow(answer) or fault
            except CometrespError as error:
                fault = fault or error
        if not answer.ended:
            answer.close(cut=not whole)
        elif fault is not None:
            fault = None
        return self._result(entry, answer, fault, request_id)

    def _follow(self, answer: Answer) -> CometrespError | None:
        """Continue an answer that was cut, where the server keeps it; returns why that failed."""
        fetched = Fetched(self.client, answer.id, tries=self._retries)
        after = answer.last_sequence
        try:
            events = iter([fetched.now()]) if after is None else Follow(fetched, fetched.now).events(after)
            for event in events:
                same = event.response.get("id") in (None, answer.id)
                if same and not (event.whole and may_go_on(event.status)):
                    answer.apply(event)
                if answer.ended:
                    return None
        except _NOT_OFFERED:
            return None  # what came is all there is
        except UnreachableError as error:
            return error
        return None

    def _result(
        self, entry: Entry, answer: Answer, error: CometrespError | None, request_id: str | None = None
    ) -> Result:
        outcome = error or verdict(answer, allow_incomplete=self._allow_incomplete) or self._mismatch(entry, answer)
        if answer.is_blank and not answer.response:
            return failed(entry, outcome) if outcome is not None else Result(entry.number, entry.custom_id)
        usage, model = answer.usage, text(entry.body.get("model"))
        cost = self._prices.cost(usage, model or text(answer.response.get("model")))
        if self._record is not None:
            self._record(entry, answer, cost)
        return Result(
            entry.number,
            entry.custom_id,
            outcome,
            200,
            request_id or self.client.request_id,
            None if self._as_text else answer.as_response(),
            answer.text if self._as_text else "",
            usage,
            cost,
            answer.id,
        )

    def _mismatch(self, entry: Entry, answer: Answer) -> CometrespError | None:
        """The error of an answer that doesn't match the schema that was asked for."""
        shape: Json = format_of(entry.body.get("text"))
        if shape.get("type") != "json_schema" or answer.status not in GOOD:
            return None
        from cometresp.schema.check import mismatch

        return mismatch(shape, answer.id or "the response", answer.text, self._warn)


def failed(entry: Entry, error: CometrespError) -> Result:
    """The result of a request that got no answer."""
    details = error.details
    return Result(entry.number, entry.custom_id, error, details.status, details.request_id, details.body)


def _apply(events: Iterator[Event], answer: Answer) -> bool:
    """Apply the events up to the one that ends the answer; returns whether the last one was a whole reply."""
    whole = False
    for event in events:
        answer.apply(event)
        whole = event.whole
        if answer.ended:
            break
    return whole
