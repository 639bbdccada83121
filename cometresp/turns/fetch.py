"""A run of `get`: a response fetched once, waited for, followed, or taken from the record."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from cometresp.answer.answer import Answer
from cometresp.client.following import Fetching
from cometresp.errors import CometrespError, ProtocolError, RequestRefusedError, UnreachableError, UsageError
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.options.values import kind_of
from cometresp.runtime import Runtime
from cometresp.state.records import UNENDED
from cometresp.text import escape_line
from cometresp.turns.lookup import explained, is_missing, only_shows, recorded, resolve
from cometresp.turns.resume import take_up
from cometresp.wire.events import TERMINAL, Event
from cometresp.wire.json import listed

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.state.records import Turn

_SILENCE = 100.0  # seconds that a poll or a followed stream may be silent, where --timeout says nothing else


class Fetch(NamedTuple):
    id: str
    wait: bool
    stream: bool
    starting_after: int | None
    include: tuple[str, ...]
    output: OutputOptions
    connection: ConnectionOptions


def run(fetch: Fetch) -> None:
    runtime = Runtime(fetch.connection, fetch.output)
    kind_of(fetch.output, runtime.terminal)
    if fetch.starting_after is not None and not fetch.stream:
        raise UsageError("--starting-after goes with --stream")
    if fetch.starting_after is not None and fetch.starting_after < 0:
        raise UsageError(f"--starting-after: must be at least 0, not {fetch.starting_after}")
    response_id = resolve(fetch.id, runtime)
    turn = recorded(runtime, response_id)
    after = _place(fetch, turn)
    query = [("stream", "true")] if fetch.stream else []
    query += [("include[]", name) for name in fetch.include]
    query += [("starting_after", str(after))] if after is not None else []
    if only_shows(runtime, "get", "GET", response_id, query=query):
        return
    runtime.check_sendable()
    _Get(fetch, runtime, response_id, turn, after).run()


def _place(fetch: Fetch, turn: "Turn | None") -> int | None:
    """The event behind which following begins: where the record was left, if it has the text until there."""
    if not fetch.stream or fetch.starting_after is not None:
        return fetch.starting_after
    if turn is None or turn.output is None or turn.status not in UNENDED:
        return None
    return turn.sequence


class _Get:
    """One run: what the server says, or where it doesn't offer to fetch responses, what was recorded."""

    def __init__(
        self, fetch: Fetch, runtime: Runtime, response_id: str, turn: "Turn | None", after: int | None
    ) -> None:
        self._fetch = fetch
        self._runtime = runtime
        self._id = response_id
        self._turn = turn
        self._after = after
        self._followed = False  # whether following brought anything

    def run(self) -> None:
        from cometresp.turns.display import Showing
        from cometresp.turns.record import Recorder

        self._showing = Showing(self._runtime, Recorder(self._runtime, None), live=self._fetch.stream)
        self._showing.conclude(self._showing.run(self._converse))

    def _converse(self, answer: Answer) -> None:
        with self._runtime.client() as client:
            try:
                self._ask(client, answer)
            except (RequestRefusedError, ProtocolError, UnreachableError) as error:
                if self._followed and answer.status in UNENDED and client.left is not None and client.left <= 0:
                    answer.close(cut=False)  # the wait ran out, the response goes on
                elif self._followed or not is_missing(error):
                    raise
                else:
                    self._show_recorded(answer, explained(self._runtime, error, self._id, "fetch"))

    def _ask(self, client: "Client", answer: Answer) -> None:
        from cometresp.turns.exchange import exchange

        given = self._fetch.connection
        patient = self._fetch.wait or self._fetch.stream
        fetching = Fetching(
            client,
            self._id,
            include=self._fetch.include,
            timeout=_SILENCE if patient and given.timeout is None else None,
            tries=given.retries if given.retries is not None else 2,
            say=lambda line: self._runtime.terminal.note(escape_line(line)),
        )
        screen, seen = self._showing.screen, self._showing.seen
        if not self._fetch.stream:
            exchange(iter([fetching.until_ended() if patient else fetching.once()]), answer, screen, seen)
            return
        if self._after is not None:
            take_up(answer, self._id, self._after, self._turn)
        exchange(self._following(fetching, answer), answer, screen, _nobody if answer.rest_only else seen)
        if answer.rest_only and not answer.was_cut:
            self._complete(fetching, answer)

    def _following(self, fetching: Fetching, answer: Answer) -> Iterator[Event]:
        for event in fetching.followed(self._after):
            if event.whole and not self._followed:
                answer.rest_only = False  # following isn't offered: what was shown before isn't known
            self._followed |= not event.whole
            yield event

    def _complete(self, fetching: Fetching, answer: Answer) -> None:
        """What was followed from the middle is recorded only if its last event tells it whole, or the server does."""
        if not listed(answer.response.get("output")):
            with suppress(RequestRefusedError, ProtocolError, UnreachableError):
                answer.apply(fetching.once())
        if listed(answer.response.get("output")):
            self._showing.seen(answer.id)

    def _show_recorded(self, answer: Answer, error: CometrespError) -> None:
        """The recorded answer, which is left as it is; raises `error` where there is no whole one."""
        from cometresp.turns.exchange import exchange

        event = _recorded_event(self._turn)
        if event is None:
            raise error
        self._runtime.terminal.warn(escape_line(f"{error.message}; this is what was recorded"))
        exchange(iter([event]), answer, self._showing.screen, _nobody)


def _nobody(_: str) -> None:
    return


def _recorded_event(turn: "Turn | None") -> Event | None:
    if turn is None or turn.output is None or turn.status not in TERMINAL:
        return None
    response = {
        "id": turn.id,
        "object": "response",
        "created_at": int(turn.created),
        "status": turn.status,
        "model": turn.model,
        "previous_response_id": turn.previous_id,
        "output": turn.output,
        "usage": turn.usage or None,
    }
    kind = f"response.{turn.status}"
    whole = {"type": kind, "response": response}
    return Event(kind, whole, json.dumps(whole, ensure_ascii=False), whole=True)
