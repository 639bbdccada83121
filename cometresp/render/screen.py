"""The interface of renderers, and how an answer is to be shown."""

import time
from collections.abc import Callable
from math import ceil
from typing import Literal, Protocol

from cometresp.answer.answer import Answer
from cometresp.tuples import NamedTuple
from cometresp.wire.events import Event
from cometresp.wire.json import Json
from cometresp.wire.payload import Upload

Kind = Literal["text", "markdown", "json", "events", "nothing"]


class Sink(Protocol):
    """Where the answer's bytes go: stdout, or the file of --output."""

    def write(self, data: bytes) -> None: ...


class Screen(Protocol):
    """A renderer of an answer. `show` is called after each applied event; `finish` once, however the answer ended."""

    def show(self, event: Event, answer: Answer) -> None: ...

    def finish(self, answer: Answer) -> None: ...


class Polling:
    """The last poll of a response that hasn't ended. The run writes it, the screen reads it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._status = ""
        self._next = 0.0

    def set(self, status: str, seconds: float) -> None:
        """`seconds` are those until the next poll; a status of "" ends the polls."""
        self._status, self._next = status, self._clock() + seconds

    def words(self, elapsed: float) -> str:
        """`in progress · 42 s · asks again in 3 s`; "" where nothing is polled. `elapsed` are the seconds so far."""
        if not self._status:
            return ""
        left = ceil(self._next - self._clock())
        again = f"asks again in {left} s" if left > 0 else "asking"
        return f"{self._status} · {elapsed:.0f} s · {again}"


class View(NamedTuple):
    """How an answer is to be shown."""

    kind: Kind
    streaming: bool  # deltas are printed as they come
    to_terminal: bool  # the sink is a terminal
    reasoning: bool  # reasoning is printed on stderr
    redraw: bool  # a region at the bottom of the terminal is redrawn
    upload: Upload | None = None  # the progress of the request body
    polling: Polling | None = None
    runs_here: Callable[[Json], bool] = lambda _: False  # whether this program runs a call
    structured: bool | None = False  # highlighted JSON instead of Markdown; None: if the response's format is JSON


class Beside(NamedTuple):
    """Two renderers: of the answer, and of the output next to it, which is called first to erase what it drew.

    The answer is written event by event, so that both keep their order where they go to the same place.
    """

    aside: Screen
    answer: Screen

    def show(self, event: Event, answer: Answer) -> None:
        self.aside.show(event, answer)
        self.answer.show(event._replace(more=False) if event.more else event, answer)

    def finish(self, answer: Answer) -> None:
        self.aside.finish(answer)
        self.answer.finish(answer)


class Nothing:
    """Shows nothing: other code prints the answer at its end."""

    def show(self, event: Event, answer: Answer) -> None:
        pass

    def finish(self, answer: Answer) -> None:
        pass
