"""What an ended answer amounts to: the error, and with it the exit code."""

from typing import Any

from cometresp.answer.answer import Answer
from cometresp.errors import CometrespError, ExitCode, ServerSaid, TurnError, UnreachableError
from cometresp.text import escape_line
from cometresp.wire.items import answered_by
from cometresp.wire.replies import in_stream_error

_SHOWN_ARGUMENTS = 80

TAKE_UP = "cometresp continue takes the run up, with --functions again where it was given"


def verdict(answer: Answer, *, allow_incomplete: bool = False, background: bool = False) -> CometrespError | None:
    """The error that an ended answer amounts to, or None: the same for a streamed, whole, fetched or background one."""
    name = answer.id or "the response"
    if answer.was_cut:
        return UnreachableError(
            "the stream ended before the answer was complete",
            hint=f"cometresp get {answer.id} shows what became of it" if answer.id else "",
        )
    match answer.status:
        case "failed":
            message, said = in_stream_error(answer.error or {})
            code = f" ({said.code})" if said.code else ""
            return TurnError(ExitCode.FAILED, f"{name} failed{code}: {message}", said=said)
        case "cancelled":
            return TurnError(ExitCode.CANCELLED, f"{name} was cancelled")
        case "queued" | "in_progress":
            if background:
                return None
            hint = f"cometresp get {answer.id} --wait"
            return TurnError(ExitCode.PENDING, f"{name} is still {answer.status.replace('_', ' ')}", hint=hint)
    if reason := answer.incomplete_reason:
        if reason == "content_filter":
            return TurnError(ExitCode.FILTERED, f"{name} was stopped by the content filter", said=_code(reason))
        if not allow_incomplete:
            hint = (
                "--max-output-tokens sets the limit; --allow-incomplete takes what there is" if "max" in reason else ""
            )
            return TurnError(ExitCode.INCOMPLETE, f"{name} is incomplete: {reason}", hint=hint, said=_code(reason))
    if answer.refused:
        return TurnError(ExitCode.FILTERED, f"{name} is a refusal", said=_code("refusal"))
    if calls := answer.open_calls:
        return _open_calls(calls)
    return None


def _code(code: str) -> ServerSaid:
    return ServerSaid(code=code)


def _open_calls(calls: list[dict[str, Any]]) -> CometrespError:
    """What the model waits for, a call each, and how to answer by hand."""
    shown = [describe_call(call) for call in calls]
    of_what = f"output of {shown[0]}" if len(shown) == 1 else "\n  ".join([f"outputs of {len(shown)} calls:", *shown])
    hint = f"cometresp continue {answered_by(calls)}"
    return TurnError(ExitCode.CALL_OPEN, f"waiting for the {of_what}", hint=hint)


def describe_call(call: dict[str, Any]) -> str:
    """`call_9 get_weather {"city":"Oslo"}`, cut, on one line."""
    arguments = call.get("arguments") or call.get("input") or ""
    name = call.get("name") or call.get("type")
    label = f"{call['server_label']}/{name}" if call.get("server_label") else name
    words = (call.get("call_id") or call.get("id"), label, arguments)
    return " ".join(escape_line(str(word), _SHOWN_ARGUMENTS) for word in words if word)


def is_good(answer: Answer, *, allow_incomplete: bool) -> bool:
    """Whether the turn may become the head of its chain (design section 5)."""
    if answer.was_cut or answer.status not in ("completed", "incomplete"):
        return False
    return not answer.incomplete_reason or (allow_incomplete and answer.incomplete_reason != "content_filter")
