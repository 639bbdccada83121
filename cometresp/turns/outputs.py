"""The outputs of calls that a turn brings, and the calls that it leaves open (API 3.2)."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from cometresp.errors import UsageError
from cometresp.state.records import Turn

if TYPE_CHECKING:
    from cometresp.calls.settle import Call, Runner

_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")


def waiting(parent: Turn | None) -> dict[str, dict[str, Any]]:
    """The open calls of the turn that is gone on from, by their ids; none where its output isn't recorded."""
    if parent is None or parent.output is None:
        return {}
    from cometresp.wire.items import id_of_call, open_calls

    return {id_of_call(call): call for call in open_calls(parent.output)}


def callable_here(parent: Turn | None, given: Collection[str], runner: "Runner | None") -> "list[Call]":
    """The open calls, but for those that are given, where all of them can be answered here; else none."""
    left = [call for call_id, call in waiting(parent).items() if call_id not in given]
    if not left or parent is None:
        return []
    from cometresp.calls.settle import own_calls

    return own_calls(left, runner, parent.settings.tools) or []


def tool_outputs(given: Iterable[tuple[str, str]], parent: Turn | None) -> list[dict[str, Any]]:
    """The items of `--tool-output`, of the type that the call asks for (API 3.2). Raises UsageError.

    Where the turn that is gone on from is recorded, no other calls than its open ones can be answered.
    """
    outputs, calls = dict(given), waiting(parent)
    if parent is not None and parent.output is not None:
        for call_id in outputs:
            if call_id not in calls:
                known = f"open are {', '.join(calls)}" if calls else "no call is open"
                raise UsageError(f"--tool-output: {parent.id} has no open call {call_id}; {known}")
    return [_output_item(call_id, text, calls.get(call_id, {})) for call_id, text in outputs.items()]


def check_answered(parent: Turn | None, items: list[dict[str, Any]], others: Collection[str]) -> None:
    """That a turn's items answer every open call, but for `others`: servers refuse a turn that leaves one open."""
    calls = waiting(parent)
    if not calls or parent is None:
        return
    from cometresp.wire.items import answered_by, id_answered

    answered = {id_answered(item) for item in items}.union(others)
    missing = {call_id: call for call_id, call in calls.items() if call_id not in answered}
    if missing:
        raise UsageError(
            f"{parent.id} waits for the output of {', '.join(missing)}",
            hint=f"give it: {answered_by(list(missing.values()))}",
        )


def _output_item(call_id: str, text: str, call: dict[str, Any]) -> dict[str, Any]:
    from cometresp.wire.items import CLIENT_CALLS

    kind = CLIENT_CALLS.get(str(call.get("type")), "function_call_output")
    if kind == "mcp_approval_response":
        word = text.strip().lower()
        if word not in _YES + _NO:
            raise UsageError(f"--tool-output: {call_id} is an approval, which is given by yes or no")
        return {"type": kind, "approval_request_id": call_id, "approve": word in _YES}
    if kind not in ("function_call_output", "custom_tool_call_output"):
        raise UsageError(
            f"--tool-output: {call_id} is a {call.get('type')}, whose output isn't text", hint="use --input"
        )
    return {"type": kind, "call_id": call_id, "output": text}
