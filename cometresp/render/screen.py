"""What an answer is shown to, and how it is to be shown."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from cometresp.answer.answer import Answer
from cometresp.wire.events import Event
from cometresp.wire.json import Json
from cometresp.wire.payload import Upload

Kind = Literal["text", "markdown", "json", "events", "nothing"]


class Sink(Protocol):
    """Where the answer's bytes go: stdout, or the file of --output."""

    def write(self, data: bytes) -> None: ...


class Screen(Protocol):
    """What an answer is shown to. `show` comes after each event was applied; `finish` once, however it ended."""

    def show(self, event: Event, answer: Answer) -> None: ...

    def finish(self, answer: Answer) -> None: ...


class View(NamedTuple):
    """How an answer is to be shown."""

    kind: Kind
    streaming: bool  # deltas leave at once
    to_terminal: bool  # the sink is one
    reasoning: bool  # on stderr
    redraw: bool  # a region at the foot of a terminal
    upload: Upload | None = None  # a body on its way
    runs_here: Callable[[Json], bool] = lambda _: False  # calls that run here
    structured: bool | None = False  # Markdown gives way to JSON, highlighted; None: if the response says so


class Beside(NamedTuple):
    """The answer and what stands beside it. The aside goes first, so that what it drew is away by then."""

    aside: Screen
    answer: Screen

    def show(self, event: Event, answer: Answer) -> None:
        self.aside.show(event, answer)
        self.answer.show(event, answer)

    def finish(self, answer: Answer) -> None:
        self.aside.finish(answer)
        self.answer.finish(answer)


class Nothing:
    """For an answer that something else prints at its end."""

    def show(self, event: Event, answer: Answer) -> None:
        pass

    def finish(self, answer: Answer) -> None:
        pass
