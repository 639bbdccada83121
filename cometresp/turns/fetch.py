"""A run of `get`: a response fetched once, waited for, followed, or taken from the record."""

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.client.following import Fetched, Follow, Poll
from cometresp.errors import CometrespError, Next, ProtocolError, RequestRefusedError, StoppedError, UnreachableError
from cometresp.options.values import retries_of
from cometresp.runtime import Runtime
from cometresp.state.records import UNENDED
from cometresp.text import escape_line, shell_arguments
from cometresp.tuples import NamedTuple
from cometresp.turns.attention import attended
from cometresp.turns.conclude import conclude
from cometresp.turns.cost import Costs
from cometresp.turns.display import Display, draw_waits, layout_of, open_outlets
from cometresp.turns.exchange import exchange
from cometresp.turns.lookup import explained, is_missing, shown_id
from cometresp.turns.record import Recorder
from cometresp.turns.resume import resume_from_record
from cometresp.turns.turn import run_turn
from cometresp.wire.events import PENDING, TERMINAL, Event
from cometresp.wire.json import listed

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.render.screen import Screen
    from cometresp.state.records import Turn
    from cometresp.turns.turn import OnId

_SILENCE = 100.0  # seconds without data that a poll or a followed stream may take, unless --timeout says otherwise


class Wanted(NamedTuple):
    """A response and how it is fetched: once, until it has ended (`wait`), or as a stream after event `after`.

    `turn` is what is recorded of it.
    """

    id: str
    wait: bool
    stream: bool
    after: int | None
    include: tuple[str, ...]
    turn: "Turn | None"

    @property
    def is_patient(self) -> bool:
        """Whether the end of the response is waited for."""
        return self.wait or self.stream


def run_fetch(wanted: Wanted, runtime: Runtime) -> None:
    """Fetch the response, show and record it. Raises the error that it amounts to."""
    output, terminal = runtime.output, runtime.terminal
    draw_waits(runtime)
    layout = layout_of(output, terminal, plain=runtime.plain, streaming=wanted.stream)
    costs = Costs(runtime, wanted.turn.model if wanted.turn is not None else None)
    display = Display(layout, output, open_outlets(runtime), terminal, costs, hint=runtime.hint)
    recorder = Recorder(runtime, None)
    if wanted.turn is not None:
        runtime.report.model = wanted.turn.model
        runtime.report.place = (wanted.turn.chain, wanted.turn.number)
    with attended(runtime), closing(display):
        done = run_turn(_Fetcher(wanted, runtime, display, recorder), display, recorder)
        conclude(done, display, recorder)


class _Fetcher:
    """A `Send` of `run_turn`. Where the server doesn't offer to fetch responses, the recorded answer is shown."""

    def __init__(self, wanted: Wanted, runtime: Runtime, display: Display, recorder: Recorder) -> None:
        self._wanted = wanted
        self._runtime = runtime
        self._display = display
        self._recorder = recorder
        self._followed = False  # whether following brought anything

    def __call__(self, answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        with self._runtime.client() as client:
            try:
                self._fetch(client, answer, screen, on_response_id)
                answer.request_id = client.request_id
            except StoppedError as stopped:
                if self._wanted.is_patient and not answer.ended:
                    stopped.with_hint(("to come back: ", self._again()))
                raise
            except (RequestRefusedError, ProtocolError, UnreachableError) as error:
                if client.left is not None and client.left <= 0 and self._is_at_work(answer):
                    answer.close(cut=False)  # the wait is over, the response isn't
                elif self._followed or not is_missing(error):
                    raise
                else:
                    self._show_recorded(answer, screen, explained(self._runtime, error, self._wanted.id, "fetch"))

    def _again(self) -> Next:
        """The command that waits for the response again."""
        name = shown_id(self._runtime, self._wanted.id)
        return Next("get", (shell_arguments(name), "--stream" if self._wanted.stream else "--wait"))

    def _is_at_work(self, answer: Answer) -> bool:
        """Whether the response had not ended when it was heard of last: by its events, or else by the record."""
        turn = self._wanted.turn
        if self._wanted.is_patient and not answer.id and turn is not None and turn.status in PENDING:
            response = {"id": turn.id, "object": "response", "status": turn.status}
            answer.apply(Event(f"response.{turn.status}", {"response": response}, ""))
            return True
        return self._followed and answer.status in UNENDED

    def _fetch(self, client: "Client", answer: Answer, screen: "Screen", on_response_id: "OnId") -> None:
        wanted, given = self._wanted, self._runtime.connection
        fetched = Fetched(
            client,
            wanted.id,
            include=wanted.include,
            timeout=_SILENCE if wanted.is_patient and given.timeout is None else None,
            tries=retries_of(given),
            say=lambda line: self._runtime.terminal.note(escape_line(line)),
            on_poll=self._display.on_poll,
        )
        until_ended = Poll(fetched).until_ended
        if not wanted.is_patient:
            with client.get(wanted.id, include=wanted.include) as events:  # a stream, from some servers
                exchange(events, answer, screen, on_response_id)
            return
        if not wanted.stream:
            exchange(iter([until_ended()]), answer, screen, on_response_id)
            return
        if wanted.after is not None:
            resume_from_record(answer, wanted.id, wanted.after, wanted.turn)
        events = self._following(Follow(fetched, until_ended), answer)
        exchange(events, answer, screen, self._on_unrecorded_id if answer.rest_only else on_response_id)
        if answer.rest_only and not answer.was_cut:
            _complete(fetched, answer, self._recorder.on_response_id)

    def _following(self, follow: Follow, answer: Answer) -> Iterator[Event]:
        for event in follow.events(self._wanted.after):
            if event.whole and not self._followed:  # following isn't offered
                answer.show_all()
            self._followed |= not event.whole
            yield event

    def _show_recorded(self, answer: Answer, screen: "Screen", error: CometrespError) -> None:
        """The recorded answer, which is left as it is; raises `error` where there is no whole one."""
        event = _recorded_event(self._wanted.turn)
        if event is None:
            raise error
        self._runtime.terminal.warn(escape_line(f"{error.message}; this is what was recorded"))
        exchange(iter([event]), answer, screen, self._on_unrecorded_id)

    def _on_unrecorded_id(self, response_id: str) -> None:
        """The id of a response whose record stays as it is, at least for now."""
        self._runtime.report.on_response_id(response_id)
        if self._display.outlets.id_file is not None:
            self._display.outlets.id_file.write(response_id)


def _complete(fetched: Fetched, answer: Answer, on_response_id: "OnId") -> None:
    """Record what was followed from its middle, if its last event or the server has the whole response."""
    if not listed(answer.response.get("output")):
        with suppress(RequestRefusedError, ProtocolError, UnreachableError):
            answer.apply(fetched.now())
    if listed(answer.response.get("output")):
        on_response_id(answer.id)


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
        "incomplete_details": {"reason": turn.reason} if turn.reason else None,
    }
    kind = f"response.{turn.status}"
    whole = {"type": kind, "response": response}
    return Event(kind, whole, json.dumps(whole, ensure_ascii=False), whole=True)
