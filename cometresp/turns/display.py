"""How a command shows and records its exchanges, and ends: shared by the asking commands and `get`."""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import is_good, verdict
from cometresp.errors import CometrespError, ExitCode, OutputError, StoppedError, TurnError, UnreachableError
from cometresp.options.values import kind_of
from cometresp.render.choose import choose
from cometresp.render.screen import Kind, Screen, Sink, View
from cometresp.runtime import Runtime
from cometresp.terminal import Terminal
from cometresp.text import escape_json, json_bytes, to_bytes
from cometresp.turns.conclude import Extraction, unfit
from cometresp.turns.files import FileSink, image_folder, save_images
from cometresp.turns.record import Recorder
from cometresp.wire.events import Event
from cometresp.wire.items import answered_by, format_of
from cometresp.wire.payload import Upload, megabytes

if TYPE_CHECKING:
    from cometresp.calls.settle import Outcome


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
    """The answers of one run on their way to the user: one, or in a tool loop one for each turn.

    `only_id` prints just the id of what was accepted (`--background`). `text` is that field of the request (API 5.1);
    None where only the response knows what was asked for (`get`). `ours` says which calls run here.
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
        ours: Callable[[dict[str, Any]], bool] = lambda _: False,
    ) -> None:
        self._tier = tier  # the service tier that was asked for
        self._shape = None if text is None else format_of(text)
        terminal, output = runtime.terminal, runtime.output
        self._runtime = runtime
        self._record = record
        self._began = time.monotonic()
        self._ours = ours
        self._live = live
        self._usage: dict[str, Any] = {}
        self._first = 0.0  # when the first text of an earlier turn came
        self.fault: Exception | None = None
        if output.id_file is not None and not os.access(os.path.dirname(output.id_file) or ".", os.W_OK):  # noqa: PTH120
            raise OutputError(f"--id-file: {output.id_file} can't be written: its folder isn't there or is read-only")
        self._images = image_folder(output.save_images) if output.save_images is not None else None
        self._file = FileSink(output.output) if output.output is not None else None
        self._kind = kind_of(output, terminal)
        self._upload = Upload()
        self._only_id = only_id and self._kind in ("text", "markdown")
        self._sink: Sink = self._file or terminal
        self._to_terminal = to_terminal = terminal.stdout_tty and self._file is None
        self._drawn = self._redraws()
        self._extraction: Extraction | None = None
        if output.extract or output.extract_last:
            self._extraction = Extraction(self._sink, terminal, last=output.extract_last, to_terminal=to_terminal)
        self.screen = self._screen()

    def _screen(self) -> Screen:
        """Where one turn is shown. What is printed only of the last answer, and whole, isn't shown there."""
        whole = self._only_id or self._kind == "json"
        screen = choose(
            self._view("nothing" if whole else cast("Kind", self._kind)), self._sink, self._runtime.terminal
        )
        terminal = self._runtime.terminal
        return Timed(screen) if terminal.stderr_tty and not terminal.quiet else screen

    def _view(self, kind: Kind) -> View:
        terminal, asked = self._runtime.terminal, self._runtime.output.show_reasoning
        return View(
            kind=kind,
            live=self._live,
            to_terminal=self._to_terminal,
            reasoning=asked if asked is not None else terminal.stderr_tty and not terminal.quiet,
            redraw=self._drawn,
            upload=self._upload,
            ours=self._ours,
            structured=self._structured(),
        )

    def _redraws(self) -> bool:
        """A region is drawn where lines can be, and where nothing else writes to that screen in the meantime."""
        terminal, kind = self._runtime.terminal, self._kind
        flows = kind == "events" or (kind == "text" and self._live)
        if not terminal.redraws or self._runtime.plain or (self._to_terminal and flows):
            return False
        return (kind == "markdown" and self._to_terminal) or (terminal.stderr_tty and not terminal.quiet)

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

    def next(self, record: Recorder, outcomes: "list[Outcome]") -> None:
        """Another turn follows, with what the calls of the last one came to."""
        self._record = record
        if isinstance(self.screen, Timed):
            self._first = self._first or self.screen.first
        self.screen = self._screen()
        self.tell(outcomes)

    def tell(self, outcomes: "list[Outcome]") -> None:
        """With --events a line for each result."""
        for outcome in outcomes if self._kind == "events" else ():
            line = json.dumps({"type": "cometresp.tool_output", **outcome.as_dict()}, ensure_ascii=False)
            self._sink.write(json_bytes((escape_json(line) if self._to_terminal else line) + "\n"))

    def run(self, converse: Callable[[Answer], None]) -> Answer:
        """Hold one turn; whatever ends it, what came is shown and recorded."""
        answer = Answer()
        terminal = self._runtime.terminal
        heartbeat = Heartbeat(terminal) if terminal.environ.get("CI") and not terminal.quiet else None
        try:
            converse(answer)
        except Exception as fault:  # noqa: BLE001 - whatever it is, what came is kept; `conclude` raises it
            self.fault = fault
            if not answer.ended:
                answer.close(cut=True)
        if heartbeat is not None:
            heartbeat.stop()
        try:
            self.screen.finish(answer if not self._only_id else Answer())
            for path in save_images(answer.output, self._images) if self._images else ():
                self._runtime.terminal.note(f"image saved: {path}")
        except CometrespError as fault:
            self.fault = self.fault or fault
        finally:
            good = is_good(answer, allow_incomplete=self._runtime.output.allow_incomplete)
            self._record.finish(answer, self._status(answer), good=good)
        self._add(answer.usage)
        return answer

    def _add(self, usage: dict[str, Any]) -> None:
        """Count a turn's usage; that of the only one stays as it came."""
        if self._usage:
            from cometresp.calls.conversation import summed

            usage = summed(self._usage, usage)
        self._usage = usage

    def _status(self, answer: Answer) -> str:
        if isinstance(self.fault, StoppedError) and answer.was_cut:
            return "interrupted"
        return "cut" if answer.was_cut else answer.status

    def conclude(self, answer: Answer, *, allow_pending: bool = False, instead: Exception | None = None) -> None:
        """What is printed of the last answer alone, and the lines after it; then the error of it all is raised.

        `instead` says why a tool loop ended, where the answer itself would only say that calls are open.
        """
        output, terminal = self._runtime.output, self._runtime.terminal
        told = instead or verdict(answer, allow_incomplete=output.allow_incomplete, background=allow_pending)
        if isinstance(told, TurnError) and told.exit_code == ExitCode.CALL_OPEN:
            told.hint = self._way_on(answer, told.hint)
        self._print_whole(answer, good=self.fault is None and told is None)
        fault = self._raised(answer) or told or self._unfit(answer) or self._record.trouble
        if self._file and fault is None:
            self._file.commit()
        elif self._file and (kept := self._file.abandon()):
            terminal.note(kept)
        if answer.id and isinstance(self.screen, Timed):
            from cometresp.render.summary import Run, summary, tell_summary

            first = self._first or self.screen.first
            run = Run(
                "interrupted" if isinstance(instead, StoppedError) else self._status(answer),
                time.monotonic() - self._began,
                first - self._began if first else None,
                self._usage,
                self._record.where,
                self._tier,
            )
            tell_summary(terminal, summary(answer, run))
        if output.usage:
            from cometresp.render.summary import usage_line

            terminal.aside(usage_line(self._usage) + "\n")
        if fault is not None:
            raise fault

    def _way_on(self, answer: Answer, hint: str) -> str:
        """How to go on from open calls: without their record they can be answered by hand only."""
        if self._record.keeps and self._runtime.config.record == "full":
            return hint
        by_hand = answered_by(answer.open_calls)
        if self._record.keeps:
            return f"cometresp continue {by_hand}"
        stored = answer.id and answer.response.get("store") is not False
        return f"cometresp ask --previous-response-id {answer.id} {by_hand}" if stored else ""

    def _print_whole(self, answer: Answer, *, good: bool) -> None:
        """What is printed of the last answer alone: its id, its JSON, or a block of it."""
        try:
            if self._only_id and answer.id:
                self._sink.write(to_bytes(answer.id + "\n"))
            elif self._extraction:
                self._extraction.print(answer, good=good)
            elif self._kind == "json":
                from cometresp.render.document import Document

                Document(self._sink, to_terminal=self._to_terminal).finish(answer)
        except CometrespError as fault:
            self.fault = self.fault or fault

    def _unfit(self, answer: Answer) -> CometrespError | None:
        """What an answer that ended well lacks: the block to extract, or a fit to its schema."""
        if self._extraction:
            return self._extraction.fault(answer)
        return None if self._only_id else unfit(answer, self._shape, self._runtime.terminal.warn)

    def _raised(self, answer: Answer) -> Exception | None:
        """What ended the exchange; an interrupt says what was kept, a lost connection where to ask for the rest."""
        if isinstance(self.fault, UnreachableError) and answer.id and not self.fault.hint:
            self.fault.hint = f"cometresp get {answer.id} shows what became of it"
        if isinstance(self.fault, StoppedError) and answer.id and self._record.keeps and not self.fault.hint:
            self.fault.hint = f"what came is kept: cometresp log {answer.id}"
        return self.fault
