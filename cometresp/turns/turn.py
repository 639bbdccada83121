"""One turn of a run: sent, shown and recorded, whatever ends it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import is_good
from cometresp.errors import CometrespError, ConfigError, OutputError, StoppedError, UsageError
from cometresp.render.screen import Screen
from cometresp.terminal import Terminal
from cometresp.tuples import NamedTuple
from cometresp.turns.display import Display
from cometresp.turns.record import Recorder
from cometresp.wire.events import Event
from cometresp.wire.json import Json

_HEARTBEAT_SECONDS = 60.0
_UNSENT = (UsageError, ConfigError, OutputError)  # raised before a request is sent

OnId = Callable[[str], None]  # is called with the response id as soon as it is known


# Sends one turn: its events are applied to the answer and shown on the screen.
Send = Callable[[Answer, Screen, OnId], None]


class Finished(NamedTuple):
    """How a turn ended. `error` ended it before its response did, or kept it from being shown.

    `usage`, `first_text_at` (seconds of `time.monotonic`; None: there was no text) and `cost` (USD; None: not known, or
    not needed) are those of all turns so far.
    """

    answer: Answer
    error: Exception | None
    usage: Json
    first_text_at: float | None
    cost: float | None = None

    @property
    def status(self) -> str:
        """The status that is recorded: the response's, or "cut" or "interrupted"."""
        if not self.answer.was_cut:
            return self.answer.status
        return "interrupted" if isinstance(self.error, StoppedError) else "cut"

    def after(self, earlier: "Finished") -> "Finished":
        """The same, with what the turns before it used."""
        from cometresp.calls.conversation import add_usage

        first = earlier.first_text_at if earlier.first_text_at is not None else self.first_text_at
        cost = None if earlier.cost is None or self.cost is None else earlier.cost + self.cost
        return self._replace(usage=add_usage(earlier.usage, self.usage), first_text_at=first, cost=cost)


def run_turn(send: Send, display: Display, recorder: Recorder) -> Finished:
    """Send one turn; what came of it is shown and recorded, whatever ended it."""
    answer, screen = Answer(recorder.secrets), Timed(display.screen())
    outlets, terminal = display.outlets, display.terminal
    error: Exception | None = None

    def on_response_id(response_id: str) -> None:
        if answer.fallback_model is not None:
            recorder.on_fallback(answer.fallback_model)
        recorder.report.on_response_id(response_id)
        recorder.on_response_id(response_id)
        if outlets.id_file:
            outlets.id_file.write(response_id)

    try:
        with heartbeat(terminal):
            timed = display.layout.summary or recorder.report.flags.writes
            send(answer, screen if timed else screen.inner, on_response_id)
    except Exception as caught:  # noqa: BLE001 - whatever it is, the text is kept; `conclude` raises it
        error = caught
        if not answer.ended:
            answer.close(cut=True)
    try:
        error = _first(
            error,
            lambda: screen.finish(answer if not display.layout.prints_only_id else Answer()),
            lambda: _save_images(answer, display),
        )
    finally:
        done = Finished(answer, error, answer.usage, screen.first_text_at)
        try:
            done = done._replace(cost=display.costs.of(answer, recorder.model))
            report_turn(done, display, recorder)
        finally:  # no figure that could be missing keeps a turn from being recorded
            good = is_good(answer, allow_incomplete=display.output.allow_incomplete)
            recorder.finish(answer, done.status, good=good, sent=not isinstance(error, _UNSENT), cost=done.cost)
        display.warn_of_refused_id(answer)
    return done


def report_turn(done: Finished, display: Display, recorder: Recorder) -> None:
    """Keep the facts of a turn of which anything came."""
    answer, report = done.answer, recorder.report
    if answer.id or not answer.is_blank:
        report.on_turn(done.status, answer.response, answer.usage, done.cost)
    if report.first_text_seconds is None and done.first_text_at is not None:
        report.first_text_seconds = done.first_text_at - display.started


def _first(error: Exception | None, *steps: Callable[[], None]) -> Exception | None:
    """Take every step; returns `error`, or else the first error of a step."""
    for step in steps:
        try:
            step()
        except CometrespError as late:
            error = error or late
    return error


def _save_images(answer: Answer, display: Display) -> None:
    if display.outlets.images is None:
        display.tell_of_images(answer)
        return
    from cometresp.turns.images import save_images

    save_images(answer.output, display.outlets.images, display.terminal.note, display.terminal.warn)


class Timed:
    """A screen that notes when the first text came to it."""

    def __init__(self, inner: Screen) -> None:
        self.inner = inner
        self.first_text_at: float | None = None
        self.show = self._show
        self.finish = inner.finish

    def _show(self, event: Event, answer: Answer) -> None:
        if event.type.startswith("response.output_text."):
            self.first_text_at = time.monotonic()
            self.show = self.inner.show
        self.inner.show(event, answer)


@contextmanager
def heartbeat(terminal: Terminal, seconds: float = _HEARTBEAT_SECONDS) -> Iterator[None]:
    """With `CI` set, print a line to stderr once a minute while the block runs, so that no runner takes it for hung."""
    if not terminal.environ.get("CI") or terminal.quiet:
        yield
        return
    stop, started = threading.Event(), time.monotonic()

    def beat() -> None:
        while not stop.wait(seconds):
            terminal.aside(f"cometresp: still waiting after {time.monotonic() - started:.0f} s\n")

    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        stop.set()
