"""The loop: events -> answer -> renderer; and what an ended answer means as an exit code (design section 4)."""

from collections.abc import Callable, Iterable
from typing import Protocol

from cometresp.answer.answer import Answer
from cometresp.errors import UnreachableError
from cometresp.wire.events import Event


class Renderer(Protocol):
    """Something to show an answer to, after each event was applied."""

    def show(self, event: Event, answer: Answer) -> None: ...


# More events of an answer that was cut, or that is still at work (not cut); None where there is no way back to it.
Resume = Callable[[Answer, bool], Iterable[Event] | None]


def exchange(
    events: Iterable[Event],
    answer: Answer,
    renderer: Renderer,
    seen: Callable[[str], None],
    resume: Resume | None = None,
) -> None:
    """Apply and show every event up to the one that ends the answer.

    `seen` gets the response id as soon as it is known, before any text is shown. Where events end too early, `resume`
    is asked for more. Bytes that end before a terminal event leave `answer.was_cut` set; what the client raises passes
    through, but for a broken stream that was taken up again.
    """
    known = ""
    while True:
        whole = False
        fault: UnreachableError | None = None
        try:
            for event in events:
                answer.apply(event)
                if answer.id and answer.id != known:
                    known = answer.id
                    seen(known)
                renderer.show(event, answer)
                if answer.ended:
                    return
                whole = event.whole
        except UnreachableError as error:
            fault = error
        more = resume(answer, not whole) if resume is not None and answer.id else None
        if more is not None:
            events = more
            continue
        if fault is not None:
            raise fault
        answer.close(cut=not whole)
        return
