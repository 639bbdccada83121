"""The interface of renderers, and how an answer is to be shown."""

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
    """A renderer of an answer. `show` is called after each applied event; `finish` once, however the answer ended."""

    def show(self, event: Event, answer: Answer) -> None: ...

    def finish(self, answer: Answer) -> None: ...


class View(NamedTuple):
    """How an answer is to be shown."""

    kind: Kind
    streaming: bool  # deltas are printed as they come
    to_terminal: bool  # the sink is a terminal
    reasoning: bool  # reasoning is printed on stderr
    redraw: bool  # a region at the bottom of the terminal is redrawn
    upload: Upload | None = None  # the progress of the request body
    runs_here: Callable[[Json], bool] = lambda _: False  # whether this program runs a call
    structured: bool | None = False  # highlighted JSON instead of Markdown; None: if the response's format is JSON


class Beside(NamedTuple):
    """Two renderers: of the answer, and of the output next to it, which is called first to erase what it drew."""

    aside: Screen
    answer: Screen

    def show(self, event: Event, answer: Answer) -> None:
        self.aside.show(event, answer)
        self.answer.show(event, answer)

    def finish(self, answer: Answer) -> None:
        self.aside.finish(answer)
        self.answer.finish(answer)


class Nothing:
    """Shows nothing: other code prints the answer at its end."""

    def show(self, event: Event, answer: Answer) -> None:
        pass

    def finish(self, answer: Answer) -> None:
        pass
