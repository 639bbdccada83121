"""The loop over the events of one answer: each is applied, then shown."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.errors import UnreachableError
from cometresp.wire.events import Event

if TYPE_CHECKING:
    from cometresp.render.screen import Screen

# More events of an answer that was cut (True), or that is still at work (False); None where there are none to be had.
Resume = Callable[[Answer, bool], Iterable[Event] | None]


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
    client raises, but for a broken stream that could be resumed.
    """
    known = ""
    while True:
        whole = False
        broken: UnreachableError | None = None
        try:
            for event in events:
                answer.apply(event)
                if answer.id and answer.id != known:
                    known = answer.id
                    on_response_id(known)
                screen.show(event, answer)
                if answer.ended:
                    return
                whole = event.whole
        except UnreachableError as error:
            broken = error
        more = resume(answer, not whole) if resume is not None and answer.id else None
        if more is not None:
            events = more
            continue
        if broken is not None:
            raise broken
        answer.close(cut=not whole)
        return
