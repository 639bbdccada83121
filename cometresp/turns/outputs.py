"""The outputs of calls that a turn brings, and the calls that it would leave open (API 3.2)."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from cometresp.errors import Next, UsageError
from cometresp.options.tables import ChainOptions
from cometresp.request.inputs import Inputs
from cometresp.state.records import Turn
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import CLIENT_CALLS, answering_flags, id_answered, id_of_call, open_calls
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.calls.settle import Call, Runner

_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")

Calls = Mapping[str, Json]  # open calls by their ids


def given_outputs(chain: ChainOptions, inputs: Inputs) -> dict[str, str]:
    """The texts of --tool-output and --tool-output-file by call id."""
    outputs: dict[str, str] = {}
    for flag, given in (("--tool-output", chain.tool_output), ("--tool-output-file", chain.tool_output_file)):
        for pair in given or ():
            call_id, equals, value = pair.partition("=")
            if not equals or not call_id:
                raise UsageError(f"{flag}: {pair!r} must be CALL_ID={'PATH' if flag.endswith('file') else 'TEXT'}")
            if call_id in outputs:
                raise UsageError("--tool-output: a call has one output; one was given twice")
            outputs[call_id] = inputs.file_text(flag, value) if flag.endswith("file") else value
    return outputs


def waiting_calls(parent: Turn | None) -> Calls:
    """The open calls of the turn that is continued; none where its output isn't recorded."""
    if parent is None or parent.output is None:
        return {}
    return {id_of_call(call): call for call in open_calls(parent.output)}


def kept_outputs(parent: Turn | None, waiting: Calls, answered: Collection[str]) -> list[Json]:
    """The recorded outputs of calls that an earlier run settled and couldn't send; but for those `answered` now."""
    kept = parent.outputs if parent is not None else []
    return [item for item in kept if id_answered(item) in waiting and id_answered(item) not in answered]


def callable_here(parent: Turn | None, left: Iterable[Json], runner: "Runner | None") -> "list[Call]":
    """The calls that are left to answer, where all of them can be answered by this program; otherwise none."""
    left = list(left)
    if not left or parent is None:
        return []
    from cometresp.calls.settle import local_calls

    return local_calls(left, runner, parent.settings.tools) or []


def output_items(given: dict[str, str], parent: Turn | None, waiting: Calls) -> list[Json]:
    """The items of `--tool-output`, of the type that the call asks for (API 3.2). Raises UsageError.

    Where the turn that is continued is recorded, only its open calls can be answered.
    """
    if parent is not None and parent.output is not None:
        for call_id in given:
            if call_id not in waiting:
                known = f"open are {', '.join(waiting)}" if waiting else "no call is open"
                raise UsageError(f"--tool-output: {parent.id} has no open call {call_id}; {known}")
    return [_output_item(call_id, text, waiting.get(call_id, {})) for call_id, text in given.items()]


def check_answered(parent: Turn | None, waiting: Calls, items: list[Json], others: Collection[str]) -> None:
    """Raises UsageError where neither the items nor `others` answer an open call: servers refuse such a turn."""
    if not waiting or parent is None:
        return
    answered = {id_answered(item) for item in items}.union(others)
    missing = {call_id: call for call_id, call in waiting.items() if call_id not in answered}
    if missing:
        raise UsageError(
            f"{abridged_id(parent.id)} waits for the output of {', '.join(missing)}",
            hint=(
                Next("continue", answering_flags(list(missing.values()))),
                " gives it; --functions FILE runs functions of your own",
            ),
        )


def _output_item(call_id: str, text: str, call: Json) -> Json:
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
