"""How the answers of a run are shown: the layout, decided before anything is sent, and a screen for each turn."""

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cometresp.options.tables import OutputOptions
from cometresp.signals import deferred
from cometresp.terminal import Terminal
from cometresp.text import escape_json, escape_line, json_bytes
from cometresp.tuples import NamedTuple
from cometresp.wire.ids import abridged_id, refusal_of
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cometresp.answer.answer import Answer
    from cometresp.calls.settle import Outcome
    from cometresp.client.following import Polled
    from cometresp.render.screen import Kind, Screen, Sink, View
    from cometresp.runtime import Runtime
    from cometresp.sinks import FileSink
    from cometresp.turns.cost import Costs
    from cometresp.turns.files import IdFile

    OnPoll = Callable[[str, Polled], None]  # is called with the response id and each poll of it

_SHOWN_STATUS = 40  # characters
_TOLD_OF = 2  # polls without an answer


def _kind(output: OutputOptions, terminal: Terminal) -> "Kind":
    """The format that the flags name; `auto` is Markdown on a terminal, else text.

    With --extract and --select it is "nothing": they print a part of the response by themselves.
    """
    if output.extract or output.extract_last or output.select is not None:
        return "nothing"
    if output.json or output.events:
        return "json" if output.json else "events"
    if output.format != "auto":
        return output.format
    return "markdown" if terminal.stdout_tty and output.file is None else "text"


def draw_waits(runtime: "Runtime") -> None:
    """From here on, what is waited for before anything is sent stands in a status line, on terminals that redraw."""
    terminal = runtime.terminal
    if not terminal.stderr_tty or terminal.quiet or not terminal.redraws or runtime.plain:
        return

    def waiting(message: str) -> "AbstractContextManager[object]":
        from cometresp.render.waiting import Waiting

        return Waiting(terminal, message)

    terminal.waits = waiting


class Layout(NamedTuple):
    """How a run shows its answers.

    `streaming`: deltas are printed as they come. `redraw`: a region at the foot of the terminal is drawn repeatedly.
    `prints_only_id`: just the id of the response is printed (--background). `structured`: JSON is highlighted in
    place of Markdown; None leaves that to the response. `summary`: a line about the run comes after the answer.
    """

    kind: "Kind"
    streaming: bool
    to_terminal: bool
    redraw: bool
    reasoning: bool
    prints_only_id: bool
    structured: bool | None
    summary: bool

    @property
    def whole(self) -> bool:
        """Whether only the last answer is printed, at its end."""
        return self.prints_only_id or self.kind == "json"


def layout_of(
    output: OutputOptions,
    terminal: Terminal,
    *,
    plain: bool,
    streaming: bool,
    prints_only_id: bool = False,
    shape: Json | None = None,
) -> Layout:
    """The layout that the flags and the terminal amount to.

    `shape` is the `text.format` of the request (API 5.1); None where only the response knows what was asked for.
    """
    kind = _kind(output, terminal)
    to_terminal = terminal.stdout_tty and output.file is None
    beside = terminal.stderr_tty and not terminal.quiet
    structured = None if shape is None else shape.get("type") in ("json_schema", "json_object")
    flows = kind == "events" or (kind == "text" and streaming)  # prints lines that a redrawn region would overwrite
    undrawn = not terminal.redraws or plain or (to_terminal and flows)
    return Layout(
        kind=kind,
        streaming=streaming,
        to_terminal=to_terminal,
        redraw=not undrawn and ((kind == "markdown" and to_terminal) or beside),
        reasoning=output.show_reasoning if output.show_reasoning is not None else beside,
        prints_only_id=prints_only_id and kind in ("text", "markdown"),
        structured=False if output.format != "auto" else structured,
        summary=beside,
    )


class Outlets(NamedTuple):
    """Where a run writes to: `sink` gets the answer's bytes, the others are None where no flag names them."""

    sink: "Sink"
    file: "FileSink | None" = None
    id_file: "IdFile | None" = None
    images: "Path | None" = None


def open_outlets(runtime: "Runtime") -> Outlets:
    """Make what the flags name. Raises OutputError before anything is sent, UnreachableError after --max-time."""
    output, terminal = runtime.output, runtime.terminal
    if output.id_file is None and output.save_images is None and output.file is None:
        return Outlets(terminal)
    from cometresp.sinks import FileSink
    from cometresp.turns.files import IdFile
    from cometresp.turns.images import image_folder

    with runtime.reading.within_max_time("opening the output files"):
        id_file = IdFile(output.id_file, terminal) if output.id_file is not None else None
        images = image_folder(output.save_images) if output.save_images is not None else None
        file = FileSink(output.file, terminal) if output.file is not None else None
    return Outlets(file or terminal, file, id_file, images)


class Display:
    """Makes the screens of a run.

    `costs` are those of the run; `runs_here(item)` is whether a call of the model is run by this program; `hint` is
    that of the `Runtime`.
    """

    def __init__(
        self,
        layout: Layout,
        output: OutputOptions,
        outlets: Outlets,
        terminal: Terminal,
        costs: "Costs",
        *,
        runs_here: Callable[[Json], bool] = lambda _: False,
        hint: Callable[..., str],
    ) -> None:
        from cometresp.render.screen import Polling
        from cometresp.wire.payload import Upload

        self.layout = layout
        self.output = output
        self.outlets = outlets
        self.terminal = terminal
        self.costs = costs
        self.started = time.monotonic()
        self._upload = Upload()
        self._polling = Polling()
        self._status = ""  # of the last poll that was answered
        self._unanswered = 0  # polls since then
        self._runs_here = runs_here
        self._hint = hint
        self._warned_of_id = False

    def screen(self) -> "Screen":
        """The screen of one turn. What is printed only of the last answer, and whole, isn't shown there."""
        from cometresp.render.choose import choose

        self._polling.set("", 0)
        return choose(self._view(), self.outlets.sink, self.terminal)

    def _view(self) -> "View":
        from cometresp.render.screen import View

        layout = self.layout
        return View(
            kind="nothing" if layout.whole else layout.kind,
            streaming=layout.streaming,
            to_terminal=layout.to_terminal,
            reasoning=layout.reasoning,
            redraw=layout.redraw,
            upload=self._upload,
            polling=self._polling,
            runs_here=self._runs_here,
            structured=layout.structured,
        )

    @deferred()  # what is kept is also told
    def close(self) -> None:
        """Close the files; what a run that ended unexpectedly has written to that of --output is kept."""
        if self.outlets.id_file:
            self.outlets.id_file.close()
        if self.outlets.file and (kept := self.outlets.file.abandon()):
            self.terminal.warn(kept)

    def on_upload(self, sent: int, length: int) -> None:
        """Show how much of the body was sent: drawn where lines can be redrawn, else one notice for a large body."""
        from cometresp.wire.payload import megabytes

        self._upload.sent, self._upload.length = sent, length
        if not sent and self._upload.under_way and not self.layout.redraw:
            self.terminal.note(f"sending {megabytes(length)}")

    def tell_of_images(self, answer: "Answer") -> None:
        """Say how generated images are kept, which nothing else prints as files; JSON has them whole."""
        if not self.terminal.stderr_tty or self.layout.kind in ("json", "events"):
            return
        from cometresp.turns.images import how_to_keep

        if line := self._hint(*how_to_keep(answer)):
            self.terminal.note(line)

    def on_poll(self, response_id: str, poll: "Polled") -> None:
        """Show a poll: in the status line, and as a line only where the status has changed.

        A server that doesn't answer twice is warned of once, until it has answered again.
        """
        name = abridged_id(response_id)
        status = escape_line(poll.status.replace("_", " "), _SHOWN_STATUS)
        self._polling.set(status or "no answer", poll.seconds)
        if poll.problem:
            self._unanswered += 1
            if self._unanswered == _TOLD_OF and poll.patient:
                again = f"asking for {name} again until there is an answer"
                self.terminal.warn(escape_line(f"{poll.problem}; {again}"))
            return
        if poll.status != self._status and (self._status or not self.layout.redraw):
            self.terminal.note(escape_line(f"{name} is {status}"))
        self._status, self._unanswered = poll.status, 0

    def warn_of_refused_id(self, answer: "Answer") -> None:
        """Warn once in a run of an id that isn't taken; where only the id is printed, that is an error instead."""
        if not answer.refused_id or self._warned_of_id or self.layout.prints_only_id:
            return
        self._warned_of_id = True
        left = "it is not used" if answer.id else "the turn is not recorded, and can't be continued"
        self.terminal.warn(f"{refusal_of(answer.refused_id)}; {left}")

    def show_outcomes(self, outcomes: "Iterable[Outcome]") -> None:
        """With --events a line for each result of a call."""
        for outcome in outcomes if self.layout.kind == "events" else ():
            line = json.dumps(outcome.as_event(), ensure_ascii=False)
            shown = escape_json(line) if self.layout.to_terminal else line
            self.outlets.sink.write(json_bytes(shown + "\n"))
