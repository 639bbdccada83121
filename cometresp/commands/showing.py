"""How a command shows and records an exchange, and ends: shared by the asking commands and `get`."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from cometresp.answer import Answer
from cometresp.commands.ending import Extraction, format_of, unfit
from cometresp.commands.formats import kind_of
from cometresp.commands.recording import Recorder
from cometresp.commands.runtime import Runtime
from cometresp.content import Upload, megabytes
from cometresp.errors import CometrespError, OutputError, StoppedError
from cometresp.events import Event
from cometresp.exchange import is_good, verdict
from cometresp.output import FileSink, image_folder, save_images
from cometresp.render import Kind, Screen, Sink, View, choose
from cometresp.terminal import Terminal, to_bytes


class Heartbeat:
    """With `CI` set, a run that takes long says so once a minute on stderr, so that no runner takes it for dead."""

    def __init__(self, terminal: Terminal, seconds: float = 60.0) -> None:
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._terminal = terminal
        self._seconds = seconds
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds):
            self._terminal.aside(f"cometresp: still waiting after {time.monotonic() - self._began:.0f} s\n")

    def stop(self) -> None:
        self._stop.set()


class Timed:
    """A screen, and when the first text came to it."""

    def __init__(self, screen: Screen) -> None:
        self.first = 0.0
        self.show = self._show
        self.finish = screen.finish
        self._screen = screen

    def _show(self, event: Event, answer: Answer) -> None:
        self._screen.show(event, answer)
        if event.type.startswith("response.output_text."):
            self.first = time.monotonic()
            self.show = self._screen.show


class Showing:
    """One answer on its way to the user. `only_id` prints just the id of what was accepted (`--background`).

    `text` is that field of the request (API 5.1); None where only the response knows what was asked for (`get`).
    """

    def __init__(
        self,
        runtime: Runtime,
        record: Recorder,
        *,
        live: bool,
        only_id: bool = False,
        tier: str | None = None,
        text: Any = None,
    ) -> None:
        self._tier = tier  # the service tier that was asked for
        self._shape = None if text is None else format_of(text)
        terminal, output = runtime.terminal, runtime.output
        self._runtime = runtime
        self._record = record
        self._began = time.monotonic()
        self._fault: Exception | None = None
        if output.id_file is not None and not os.access(os.path.dirname(output.id_file) or ".", os.W_OK):  # noqa: PTH120
            raise OutputError(f"--id-file: {output.id_file} can't be written: its folder isn't there or is read-only")
        self._images = image_folder(output.save_images) if output.save_images is not None else None
        self._file = FileSink(output.output) if output.output is not None else None
        kind = kind_of(output, terminal)
        self._upload = Upload()
        self._only_id = only_id and kind in ("text", "markdown")
        sink: Sink = self._file or terminal
        to_terminal = terminal.stdout_tty and self._file is None
        self._drawn = self._redraws(to_terminal=to_terminal, kind=kind, live=live)
        self._extraction: Extraction | None = None
        if output.extract or output.extract_last:
            self._extraction = Extraction(sink, terminal, last=output.extract_last, to_terminal=to_terminal)
        shown = cast("Kind", "text" if self._only_id else kind)
        self.screen: Screen = choose(self._view(shown, live=live, to_terminal=to_terminal), sink, terminal)
        if terminal.stderr_tty and not terminal.quiet:
            self.screen = Timed(self.screen)
        self._sink = sink

    def _view(self, kind: Kind, *, live: bool, to_terminal: bool) -> View:
        terminal, asked = self._runtime.terminal, self._runtime.output.show_reasoning
        return View(
            kind=kind,
            live=live,
            to_terminal=to_terminal,
            reasoning=asked if asked is not None else terminal.stderr_tty and not terminal.quiet,
            redraw=self._drawn,
            upload=self._upload,
            structured=self._structured(),
        )

    def _redraws(self, *, to_terminal: bool, kind: str, live: bool) -> bool:
        """A region is drawn where lines can be, and where nothing else writes to that screen in the meantime."""
        terminal = self._runtime.terminal
        if (
            not terminal.redraws
            or self._runtime.plain
            or (to_terminal and (kind == "events" or (kind == "text" and live)))
        ):
            return False
        return (kind == "markdown" and to_terminal) or (terminal.stderr_tty and not terminal.quiet)

    def _structured(self) -> bool | None:
        """Whether JSON was asked for, where nobody asked for a format to show it in; None: the response knows."""
        if self._runtime.output.format != "auto":
            return False
        return None if self._shape is None else self._shape.get("type") in ("json_schema", "json_object")

    def sending(self, sent: int, length: int) -> None:
        """How far the body is on its way: drawn where lines can be redrawn, else told once, where it takes long."""
        self._upload.sent, self._upload.length = sent, length
        if not sent and self._upload.under_way and not self._drawn:
            self._runtime.terminal.note(f"sending {megabytes(length)}")

    def seen(self, response_id: str) -> None:
        self._record.seen(response_id)
        if (path := self._runtime.output.id_file) is not None:
            try:
                with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as the user wrote it
                    file.write(response_id + "\n")
            except OSError as error:
                fault = OutputError(f"--id-file: {path} can't be written: {error.strerror}")
                self._runtime.terminal.warn(fault.message)
                self._record.trouble = fault

    def run(self, converse: Callable[[Answer], None]) -> Answer:
        """Hold the conversation; whatever ends it, what came is shown and recorded."""
        answer = Answer()
        terminal = self._runtime.terminal
        heartbeat = Heartbeat(terminal) if terminal.environ.get("CI") and not terminal.quiet else None
        try:
            converse(answer)
        except Exception as fault:  # noqa: BLE001 - whatever it is, what came is kept; `conclude` raises it
            self._fault = fault
            if not answer.ended:
                answer.close(cut=True)
        if heartbeat is not None:
            heartbeat.stop()
        try:
            if not self._only_id:
                self.screen.finish(answer)
            elif answer.id:
                self.screen.finish(Answer())
                self._sink.write(to_bytes(answer.id + "\n"))
            if self._extraction:
                allowed = self._runtime.output.allow_incomplete
                good = self._fault is None and verdict(answer, allow_incomplete=allowed) is None
                self._extraction.print(answer, good=good)
            for path in save_images(answer.output, self._images) if self._images else ():
                self._runtime.terminal.note(f"image saved: {path}")
        except CometrespError as fault:
            self._fault = self._fault or fault
        finally:
            good = is_good(answer, allow_incomplete=self._runtime.output.allow_incomplete)
            self._record.finish(answer, self._status(answer), good=good)
        return answer

    def _status(self, answer: Answer) -> str:
        if isinstance(self._fault, StoppedError) and answer.was_cut:
            return "interrupted"
        return "cut" if answer.was_cut else answer.status

    def conclude(self, answer: Answer, *, allow_pending: bool = False) -> None:
        """The lines after the answer; then the error that the whole amounts to, if any, is raised."""
        output, terminal = self._runtime.output, self._runtime.terminal
        fault = self._raised(answer) or verdict(
            answer, allow_incomplete=output.allow_incomplete, background=allow_pending
        )
        fault = fault or self._unfit(answer) or self._record.trouble
        if self._file and fault is None:
            self._file.commit()
        elif self._file and (kept := self._file.abandon()):
            terminal.note(kept)
        if answer.id and isinstance(self.screen, Timed):
            from cometresp.render.aside import summary, tell_summary

            first = self.screen.first - self._began if self.screen.first else None
            seconds = time.monotonic() - self._began
            tell_summary(
                terminal, summary(answer, self._status(answer), seconds, first, self._record.where, self._tier)
            )
        if output.usage:
            from cometresp.render.aside import usage_line

            terminal.aside(usage_line(answer.usage) + "\n")
        if fault is not None:
            raise fault

    def _unfit(self, answer: Answer) -> CometrespError | None:
        """What an answer that ended well lacks: the block to extract, or a fit to its schema."""
        if self._extraction:
            return self._extraction.fault(answer)
        return None if self._only_id else unfit(answer, self._shape, self._runtime.terminal.warn)

    def _raised(self, answer: Answer) -> Exception | None:
        """What ended the exchange; an interrupt says what was kept."""
        if isinstance(self._fault, StoppedError) and answer.id and self._record.keeps:
            self._fault.hint = f"what came is kept: cometresp log {answer.id}"
        return self._fault
