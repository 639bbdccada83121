"""The loop over the events of one answer: each is applied, then shown."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.deadline import alarm, has_alarm
from cometresp.errors import UnreachableError
from cometresp.wire.events import Event

if TYPE_CHECKING:
    from cometresp.render.screen import Screen

# More events of an answer that was cut (True), or that is still at work (False); None where there are none to be had.
Resume = Callable[[Answer, bool], Iterable[Event] | None]

_REASON_SECONDS = 1.0  # in which a reason may follow a failed response


def exchange(
    events: Iterable[Event],
    answer: Answer,
    screen: "Screen",
    on_response_id: Callable[[str], None],
    resume: Resume | None = None,
) -> None:
    """Apply and show every event up to the one that ends the answer.

    `on_response_id` gets the response id as soon as it is known, before any text is shown. Where events end too early,
    `resume` is asked for more. Bytes that end before a terminal event leave `answer.was_cut` set. Raises what the
    client raises, but for a broken stream that could be resumed; of several faults the first is the cause.
    """
    shown = _Shown(answer, screen, on_response_id)
    first_fault: UnreachableError | None = None
    resumed = False
    while True:
        fault = shown.until_ended(iter(events))
        if answer.ended:
            return
        if not resumed:
            first_fault = fault
        more = resume(answer, not shown.whole) if resume is not None and answer.id else None
        if more is None:
            break
        events, resumed = more, True
    if first_fault is not None:
        raise first_fault
    queued = answer.status == "queued" and answer.is_blank  # it wasn't begun: nothing is lost
    answer.close(cut=not shown.whole and not queued)


class _Shown:
    """Applies events and shows them; `whole` is whether the last one was a whole reply."""

    def __init__(self, answer: Answer, screen: "Screen", on_response_id: Callable[[str], None]) -> None:
        self.whole = False
        self._answer = answer
        self._screen = screen
        self._on_response_id = on_response_id
        self._known = ""

    def until_ended(self, events: Iterator[Event]) -> UnreachableError | None:
        """Apply and show every event up to the one that ends the answer; returns the fault that ended them before."""
        answer, screen = self._answer, self._screen
        try:
            for event in events:
                answer.apply(event)
                if answer.id and answer.id != self._known:
                    self._known = answer.id
                    self._on_response_id(answer.id)
                screen.show(event, answer)
                if answer.ended:
                    if answer.lacks_reason and not event.whole:
                        _read_reason(events, answer, screen)
                    return None
                self.whole = event.whole
        except UnreachableError as error:
            return error
        return None


def _read_reason(events: Iterator[Event], answer: Answer, screen: "Screen") -> None:
    """Apply the error that follows a failed response which gives no reason (API 7.4); it must come soon."""
    if not has_alarm():
        return
    with suppress(TimeoutError, UnreachableError), alarm(_REASON_SECONDS, TimeoutError):
        for event in events:
            if event.failure is not None:
                answer.apply(event)
                screen.show(event, answer)
                return
