"""The error of an ended answer, and with it the exit code (docs/exit-codes.md)."""

from cometresp.answer.answer import Answer
from cometresp.errors import CometrespError, ErrorDetails, ExitCode, Hint, Next, TurnError, UnreachableError
from cometresp.text import escape_line, shell_arguments
from cometresp.wire.error_bodies import explain
from cometresp.wire.events import CANCELLED, GOOD, may_go_on
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import CLIENT_CALLS, answering_flags, arguments_of, id_of_call, label_of_call, type_of
from cometresp.wire.json import Json

_SHOWN = 80  # characters of a call's name and arguments
RESUME_RUN: tuple[str | Next, ...] = (Next("continue", resumes=True), " resumes the run")
RUN_AGAIN = (*RESUME_RUN, "; the calls run again")


def verdict(
    answer: Answer, *, allow_incomplete: bool = False, background: bool = False, shown_id: str = ""
) -> CometrespError | None:
    """The error of an ended answer, or None: the same for streamed, whole, fetched and background responses.

    `background`: a response that hasn't ended is no error. `shown_id` is its short id for commands in hints, if known.
    """
    name = name_of(answer)
    typed = shell_arguments(shown_id or answer.id)
    if answer.was_cut:
        return UnreachableError(
            "the stream ended before the answer was complete",
            hint=(Next("get", (typed,)), " shows what became of it") if answer.id else "",
        )
    if answer.status == "failed":
        message, details = explain(answer.error or {})
        code = f" ({details.code})" if details.code else ""
        return TurnError(ExitCode.FAILED, f"{name} failed{code}: {message}", details=details)
    if answer.status in CANCELLED:
        return TurnError(ExitCode.CANCELLED, f"{name} was cancelled")
    if answer.status not in GOOD and not answer.waits_for_outputs:
        return _unended(answer, name, typed, background=background)
    return _incomplete(answer, name, allowed=allow_incomplete) or _unanswered(answer, name)


def name_of(answer: Answer) -> str:
    """A response in a message: its id, abridged if it is very long."""
    return abridged_id(answer.id) or "the response"


def _unended(answer: Answer, name: str, typed: str | None, *, background: bool) -> CometrespError | None:
    """The error of a response that is still at work, or whose status isn't known here: that is never a success."""
    status = escape_line(answer.status.replace("_", " "), _SHOWN)
    if not may_go_on(answer.status):
        return TurnError(ExitCode.FAILED, f"{name} ended as {status}", details=ErrorDetails(code=answer.status))
    message = f"{name} is still {status}"
    hint: Hint = Next("get", (typed, "--wait")) if answer.id else ""
    return None if background else TurnError(ExitCode.PENDING, message, hint=hint)


def _incomplete(answer: Answer, name: str, *, allowed: bool) -> CometrespError | None:
    reason = escape_line(answer.incomplete_reason, _SHOWN)
    if reason == "content_filter":
        return TurnError(
            ExitCode.FILTERED, f"{name} was stopped by the content filter", details=ErrorDetails(code=reason)
        )
    if not reason or allowed:
        return None
    take = "--allow-incomplete takes what there is"
    hint = f"--max-output-tokens sets the limit; {take}" if _is_length(reason) else take
    message = f"{name} is incomplete: {reason}"
    return TurnError(ExitCode.INCOMPLETE, message, hint=hint, details=ErrorDetails(code=reason))


def _is_length(reason: str) -> bool:
    """Whether an answer is incomplete because it got too long: servers have several words for it (API 6.2)."""
    return any(word in reason.lower() for word in ("length", "max", "token"))


def _unanswered(answer: Answer, name: str) -> CometrespError | None:
    """The error of a refusal, or of open calls: it lists each call, and how to answer by hand."""
    if answer.refused:
        return TurnError(ExitCode.FILTERED, f"{name} is a refusal", details=ErrorDetails(code="refusal"))
    calls = answer.open_calls
    if not calls:
        return None
    lines = [_call_line(call) for call in calls]
    missing = f"output of {lines[0]}" if len(lines) == 1 else "\n  ".join([f"outputs of {len(lines)} calls:", *lines])
    return TurnError(ExitCode.CALL_OPEN, f"waiting for the {missing}", hint=Next("continue", answering_flags(calls)))


def _call_line(call: Json) -> str:
    """A call on one line, shortened: `call_9 get_weather {"city":"Oslo"}`."""
    words = (id_of_call(call), label_of_call(call), arguments_of(call))
    return " ".join(escape_line(word, _SHOWN) for word in words if word)


def is_good(answer: Answer, *, allow_incomplete: bool) -> bool:
    """Whether the turn can become the head of its chain."""
    if answer.was_cut or not (answer.status in GOOD or answer.waits_for_outputs):
        return False
    return not answer.incomplete_reason or (allow_incomplete and answer.incomplete_reason != "content_filter")


def emptiness(answer: Answer) -> str:
    """What is missing from a good response that holds nothing to show, "" for any other."""
    if answer.status not in GOOD or answer.text or any(_is_shown(item) for item in answer.output):
        return ""
    counted = answer.usage.get("output_tokens")
    spent = f", though it used {counted} output tokens" if isinstance(counted, int) and counted > 0 else ""
    return f"{name_of(answer)} {answer.status} without an answer: no text, call or image{spent}"


def _is_shown(item: Json) -> bool:
    """Whether an item that isn't text is something to have: a call for the client, an approval, an image."""
    return type_of(item, "") in CLIENT_CALLS or item.get("type") == "image_generation_call"
