"""Settling open calls: which of them run here, whether they may run, and their outcomes.

No I/O of its own: the caller passes what asks the user and what runs a function.
"""

import json
from collections.abc import Callable, Iterable
from typing import Protocol, TypedDict

from cometresp.answer.verdict import RESUME_RUN
from cometresp.calls.approval import Approval
from cometresp.calls.names import ToolName
from cometresp.errors import CometrespError, ExitCode, Hint, Next, TurnError
from cometresp.text import escape_line, shell_flag
from cometresp.tuples import NamedTuple
from cometresp.wire.items import Output, arguments_of, id_of_call, output_text
from cometresp.wire.json import Json, listed

_OUTPUT_TYPES = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_APPROVAL = "mcp_approval_request"


class Call(NamedTuple):
    """A call that the model made: of a function, or with `label` of a tool of that MCP server, to be approved."""

    item: Json
    id: str
    name: str
    arguments: str  # JSON as the model wrote it; for a custom tool {"input": TEXT}
    label: str | None = None

    @property
    def approval(self) -> bool:
        return self.label is not None

    @property
    def tool(self) -> ToolName:
        return ToolName(self.name, self.label)


class ToolOutput(TypedDict):
    """The outcome of a call as a line of `--events`."""

    type: str
    call_id: str
    name: str
    ok: bool
    seconds: float
    output: Output


class Outcome(NamedTuple):
    """The outcome of a call. `output` is for the model."""

    call: Call
    output: Output
    ok: bool
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The function, or `LABEL/TOOL` of an MCP server."""
        return self.call.tool.written if self.call.approval else self.call.name

    def as_event(self) -> ToolOutput:
        return {
            "type": "cometresp.tool_output",
            "call_id": self.call.id,
            "name": self.name,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "output": self.output,
        }

    def item(self) -> Json:
        """The item that answers the call (API 3.2)."""
        if self.call.approval:
            answer: Json = {"type": "mcp_approval_response", "approval_request_id": self.call.id, "approve": self.ok}
            return answer if self.ok else answer | {"reason": output_text(self.output)}
        return {"type": _OUTPUT_TYPES[str(self.call.item["type"])], "call_id": self.call.id, "output": self.output}


class Runner(Protocol):
    """Functions that can run here. Read-only ones need no approval; `source` says where a function is from."""

    def knows(self, name: str) -> bool: ...
    def is_read_only(self, name: str) -> bool: ...
    def source(self, name: str) -> str: ...
    def run(self, calls: list[Call]) -> list[Outcome]: ...


def local_calls(calls: Iterable[Json], runner: Runner | None, tools: object) -> list[Call] | None:
    """The open calls of an answer if all of them can be answered here, else None.

    A function without a program is answered by the user; one that was not offered is answered with an error.
    """
    offered = offered_names(tools)
    local = []
    for item in calls:
        name = str(item.get("name") or "")
        if item.get("type") == _APPROVAL:
            label = str(item.get("server_label") or "")
            local.append(Call(item, str(item.get("id")), name, arguments_of(item), label))
        elif item.get("type") in _OUTPUT_TYPES and runner is not None and (runner.knows(name) or name not in offered):
            arguments = arguments_of(item)
            if item["type"] == "custom_tool_call":
                arguments = json.dumps({"input": arguments}, ensure_ascii=False)
            local.append(Call(item, id_of_call(item), name, arguments))
        else:
            return None
    return local


def offered_names(tools: object) -> set[str]:
    """The names of the function and custom tools in `tools`, including those in namespaces (API 4.1)."""
    names = set()
    for tool in listed(tools):
        if tool.get("type") in ("function", "custom"):
            names.add(str(tool.get("name")))
        elif tool.get("type") == "namespace":
            names |= offered_names(tool.get("tools"))
    return names


def settle(calls: list[Call], runner: Runner | None, approval: Approval) -> list[Outcome]:
    """Decide about each call and run those that may run. The outcomes are in the order of the calls.

    Raises TurnError (5) if nothing should be sent: the user stopped the run, or calls were refused without asking and
    there is no result or answer of the user to send with the refusals. Such a turn would only cost money.
    """
    decisions = []  # a list, since a model may use an id twice
    for call in calls:
        decisions.append(_decision(call, runner, approval))
        if decisions[-1] == "stop":
            raise _left_open(f"stopped before {escape_line(call.tool.written)} ran", calls)
    if not {"run", "no"} & set(decisions) and "refused" in decisions:
        refused = [call for call, decision in zip(calls, decisions, strict=True) if decision == "refused"]
        names = list(dict.fromkeys(call.tool.written for call in refused))
        shown = ", ".join(map(escape_line, names))
        message = f"{shown} {'was' if len(names) == 1 else 'were'} not allowed to run: {approval.why_not}"
        allowed = tuple(shell_flag("--allow-tool", name) for name in names)
        raise _left_open(message, calls, Next("continue", allowed, resumes=True))
    to_run = [call for call, decision in zip(calls, decisions, strict=True) if _runs(call, decision)]
    results = iter(runner.run(to_run) if runner is not None and to_run else ())
    return [
        next(results) if _runs(call, decision) else _outcome_without_run(call, decision)
        for call, decision in zip(calls, decisions, strict=True)
    ]


def _decision(call: Call, runner: Runner | None, approval: Approval) -> str:
    if call.approval:
        return approval.decide(call.tool, call.arguments, "a remote MCP tool", read_only=False)
    if runner is None or not runner.knows(call.name):
        return "unknown"  # the runner's outcome says that there is no such function
    read_only = runner.is_read_only(call.name)
    return approval.decide(call.tool, call.arguments, runner.source(call.name), read_only=read_only)


def _runs(call: Call, decision: str) -> bool:
    return decision in ("run", "unknown") and not call.approval


def _outcome_without_run(call: Call, decision: str) -> Outcome:
    """The outcome of a call that doesn't run here: an approval, or a refusal."""
    if decision == "run":
        return Outcome(call, "approved", ok=True)
    reason = "the user refused this call" if decision == "no" else "this call is not allowed here"
    return Outcome(call, reason if call.approval else json.dumps({"error": reason}), ok=False)


def _left_open(message: str, calls: list[Call], hint: Hint = RESUME_RUN) -> CometrespError:
    call_ids = ", ".join(escape_line(call.id) for call in calls)
    return TurnError(ExitCode.CALL_OPEN, f"{message}; still open: {call_ids}", hint=hint)


def run_calls(
    calls: list[Call], is_parallel: Callable[[str], bool], run: Callable[[Call], Outcome], stop: Callable[[], None]
) -> list[Outcome]:
    """Run calls in their order. Neighbours whose functions are safe for it run at the same time.

    An exception, such as an interrupt, calls `stop` first, because the threads end only when their functions do.
    """
    from concurrent.futures import ThreadPoolExecutor
    from itertools import groupby

    outcomes: list[Outcome] = []
    for together, group in groupby(calls, lambda call: is_parallel(call.name)):
        batch = list(group)
        with ThreadPoolExecutor(len(batch) if together else 1) as pool:
            try:
                outcomes += pool.map(run, batch)
            except BaseException:
                stop()
                raise
    return outcomes
