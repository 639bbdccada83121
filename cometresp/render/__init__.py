"""The only package that imports rich, and only where a terminal is there. `choose` picks a renderer."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

from cometresp.answer import Answer
from cometresp.content import Upload
from cometresp.events import Event
from cometresp.terminal import Terminal

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
    live: bool  # deltas leave at once
    to_terminal: bool  # the sink is one
    reasoning: bool  # on stderr
    redraw: bool  # a region at the foot of a terminal
    upload: Upload | None = None  # a body on its way
    ours: Callable[[dict[str, Any]], bool] = lambda _: False  # calls that run here
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


def choose(view: View, sink: Sink, terminal: Terminal) -> Screen:
    """The renderer for a view, with its aside where anything is to be shown there."""
    if view.redraw:
        from cometresp.render.live import LiveView

        text = view.kind == "markdown" and view.to_terminal
        region = LiveView(sink, terminal, view, text=text)
        return region if text else Beside(region, _answer_screen(view, sink, terminal))
    answer = _answer_screen(view, sink, terminal)
    if not (view.reasoning or terminal.stderr_tty or terminal.verbose):
        return answer
    from cometresp.render.aside import Aside

    return Beside(Aside(terminal, reasoning=view.reasoning, ours=view.ours), answer)


def _answer_screen(view: View, sink: Sink, terminal: Terminal) -> Screen:
    match view.kind:
        case "nothing":
            return Nothing()
        case "json":
            from cometresp.render.document import Document

            return Document(sink, to_terminal=view.to_terminal)
        case "events":
            from cometresp.render.lines import Lines

            return Lines(sink, to_terminal=view.to_terminal)
        case "markdown":
            from cometresp.render.markdown import Markdown

            structured = view.structured if view.to_terminal else False
            return Markdown(sink, terminal, to_terminal=view.to_terminal, live=view.live, structured=structured)
    from cometresp.render.plain import Plain

    return Plain(sink, terminal, live=view.live, to_terminal=view.to_terminal)
