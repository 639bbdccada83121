"""The end of a run: what is printed of its last answer alone, the lines after it, and the error that it amounts to."""

import time
from functools import partial

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import emptiness, name_of, verdict
from cometresp.errors import (
    CometrespError,
    ExitCode,
    Hint,
    Next,
    ProtocolError,
    StoppedError,
    TurnError,
    UnreachableError,
)
from cometresp.text import escape, escape_line, shell_arguments, shell_flag, to_bytes
from cometresp.turns.display import Display
from cometresp.turns.record import Recorder
from cometresp.turns.turn import Finished
from cometresp.wire.events import GOOD, may_go_on
from cometresp.wire.ids import refusal_of
from cometresp.wire.items import answering_flags, format_of
from cometresp.wire.json import Json


def conclude(
    done: Finished,
    display: Display,
    recorder: Recorder,
    *,
    shape: Json | None = None,
    tier: str | None = None,
    allow_pending: bool = False,
    instead: CometrespError | None = None,
) -> None:
    """Print what is printed of the last answer alone, and the lines after it; then raise the error of the run.

    `shape` is the `text.format` that was asked for, None where only the response knows; `tier` the service tier.
    `allow_pending`: a response that is still at work is accepted (--background).
    `instead` is why a run with calls ended, where the answer itself would only show that calls are open.
    """
    answer, output = done.answer, display.output
    outcome = instead or verdict(
        answer, allow_incomplete=output.allow_incomplete, background=allow_pending, shown_id=recorder.shown_id
    )
    last = _Last(display)
    error = done.error
    good = error is None and outcome is None
    for step in (partial(last.print, answer, good=good), recorder.catch_up):
        try:
            step()
        except CometrespError as late:
            error = error or late
    is_open = outcome is not None and outcome.exit_code in (ExitCode.CALL_OPEN, ExitCode.COST_LIMIT)
    if outcome is not None and is_open and not recorder.keeps_text:
        outcome.with_hint(_by_hand(answer, recorder))
    lacking = last.error(answer, shape) or last.without_id(answer, required=allow_pending)
    final = _explained(error, answer, recorder) or outcome or lacking or _trouble(display, recorder)
    if final is None and not display.layout.prints_only_id and (empty := emptiness(answer)):
        display.terminal.warn(escape_line(empty))
    status = "interrupted" if isinstance(instead, StoppedError) else ""
    _report(last, answer, recorder, status)
    _place_file(display, good=final is None)
    _print_summary(done, display, recorder, tier, status=status)
    if final is not None:
        raise final


class _Last:
    """What is printed of the last answer alone: its id, its JSON, one field of that, or a block of code."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._extracts = display.output.extract or display.output.extract_last
        self._selects = display.output.select is not None
        self._part: str | None = None  # that was printed: a block of code, or a field
        self._lacking: CometrespError | None = None  # the error of a field that isn't there

    def print(self, answer: Answer, *, good: bool) -> None:
        """`good`: the answer ended well. Otherwise a block of code in it may be half of one."""
        layout, sink = self._display.layout, self._display.outlets.sink
        if layout.prints_only_id and answer.id:
            sink.write(to_bytes(answer.id + "\n"))
        elif layout.prints_only_id:
            self._print_aside(answer.printed_text)
        elif self._extracts:
            self._extract(answer, good=good)
        elif self._selects:
            self._select(answer)
        elif layout.kind == "json":
            from cometresp.render.document import Document

            Document(sink, to_terminal=layout.to_terminal).finish(answer)

    def _extract(self, answer: Answer, *, good: bool) -> None:
        """One fenced block in place of the answer; where there is none, the text goes to stderr."""
        from cometresp.answer.extract import fenced_block

        text, last = answer.printed_text, self._display.output.extract_last
        block = fenced_block(text, last=last, complete=not answer.incomplete_reason) if good else None
        self._part = block
        if block is None:
            self._print_aside(text)
            return
        block += "" if block.endswith(("\n", "\r")) or not block else "\n"
        self._display.outlets.sink.write(to_bytes(escape(block) if self._display.layout.to_terminal else block))

    def _select(self, answer: Answer) -> None:
        """One field of the response; its JSON is that of --json."""
        if not answer.response and not answer.items:
            return
        from cometresp.render.document import document_of
        from cometresp.wire.select import printed, select

        to_terminal = self._display.layout.to_terminal
        try:
            values = select(document_of(answer), self._display.output.select or "", name_of(answer))
        except TurnError as error:
            self._lacking = error
            return
        self._part = printed(values, to_terminal=False).decode(errors="replace")
        self._display.outlets.sink.write(printed(values, to_terminal=to_terminal))

    def text_of(self, answer: Answer) -> tuple[str, str | None]:
        """The answer, or the part of it that was printed; and its language where it is code, None for Markdown.

        "" where a part was asked for that isn't there.
        """
        if self._part is not None:
            return self._part.removesuffix("\n"), ""
        if self._extracts or self._selects:  # nothing was printed: the answer isn't what was asked for
            return "", None
        structured = format_of(answer.response.get("text")).get("type") in ("json_schema", "json_object")
        return answer.printed_text, "json" if structured else None

    def _print_aside(self, text: str) -> None:
        self._display.terminal.aside(text if text.endswith("\n") or not text else text + "\n")

    def without_id(self, answer: Answer, *, required: bool) -> CometrespError | None:
        """The error of a response that can't be fetched later, although it was started for that (--background)."""
        if answer.id or not required or not (self._display.layout.prints_only_id or may_go_on(answer.status)):
            return None
        reason = refusal_of(answer.refused_id) if answer.refused_id else "the reply has no response id"
        return ProtocolError(f"not the Responses API: {reason}")

    def error(self, answer: Answer, shape: Json | None) -> CometrespError | None:
        """What an answer that ended well lacks: the block to extract, or a match with its schema."""
        if self._extracts and self._part is None:
            message = f"{name_of(answer)} has no fenced code block to extract"
            return TurnError(ExitCode.MISMATCH, message, hint="its text is above" if answer.text else "")
        if self._lacking is not None:
            return self._lacking
        if self._extracts or self._display.layout.prints_only_id or answer.status not in GOOD:
            return None
        shape = format_of(answer.response.get("text")) if shape is None else shape
        if shape.get("type") != "json_schema":
            return None
        from cometresp.schema.check import mismatch

        return mismatch(shape, name_of(answer), answer.text, self._display.terminal.warn)


def _by_hand(answer: Answer, recorder: Recorder) -> Hint:
    """How to continue from open calls whose text isn't recorded: they can only be answered by hand."""
    flags = answering_flags(answer.open_calls)
    if recorder.keeps:
        return Next("continue", flags)
    stored = answer.id and answer.response.get("store") is not False
    return Next("ask", (shell_flag("--previous-response-id", answer.id), *flags)) if stored else ""


def _explained(error: Exception | None, answer: Answer, recorder: Recorder) -> Exception | None:
    """The error that ended the exchange, with a hint: what was kept, or where to ask for the rest."""
    if not isinstance(error, CometrespError):
        return error
    if recorder.before is not None:
        return error.and_hint(("to go back: ", Next("continue", (shell_flag("--from", recorder.before),))))
    if not answer.id or error.hint:
        return error
    name = shell_arguments(recorder.shown_id or answer.id)
    if isinstance(error, UnreachableError):
        return error.with_hint((Next("get", (name,)), " shows what became of it"))
    if isinstance(error, StoppedError) and recorder.keeps:
        return error.with_hint(("what came is kept: ", Next("log", (name,))))
    return error


def _trouble(display: Display, recorder: Recorder) -> CometrespError | None:
    id_file = display.outlets.id_file
    return (id_file.error if id_file else None) or recorder.error


def _report(last: _Last, answer: Answer, recorder: Recorder, status: str) -> None:
    """The facts of the run that are known only now; the others came with its turns."""
    report = recorder.report
    report.place = recorder.recorded_place or report.place
    report.text, report.language = last.text_of(answer)
    report.status = status or report.status


def _place_file(display: Display, *, good: bool) -> None:
    """The file of --output gets its name, or its text is kept beside it."""
    file = display.outlets.file
    if file and good:
        file.commit()
    elif file:
        display.close()


def _print_summary(done: Finished, display: Display, recorder: Recorder, tier: str | None, *, status: str) -> None:
    """The summary where there is a response and a terminal; --usage, which has the details there."""
    answer, terminal = done.answer, display.terminal
    summarized = bool(answer.id) and display.layout.summary
    if not (summarized or display.output.usage):
        return
    from cometresp.render.summary import Run, details, print_summary, usage_line

    first, started = done.first_text_at, display.started
    chain, turn = recorder.place or ("", 0)
    cost = _written_cost(done.cost)
    run = Run(
        status or done.status,
        time.monotonic() - started,
        None if first is None else first - started,
        done.usage,
        chain,
        turn,
        recorder.shown_id or answer.id,
        recorder.model,
        tier,
        answer.request_id,
        cost,
    )
    if summarized:
        print_summary(terminal, answer, run)
    if display.output.usage or (terminal.verbose and summarized):
        line = usage_line(done.usage, answer.request_id, details(answer, run) if summarized else (), cost=cost)
        terminal.aside(line + "\n")
    if display.output.usage and (notice := display.costs.notice(recorder.model)):
        terminal.note(notice)


def _written_cost(cost: float | None) -> str:
    if cost is None:
        return ""
    from cometresp.catalogue.price import written

    return written(cost)
