"""What a turn takes over from its chain, and the replay of recorded turns (design section 5).

Reads records and decides; nothing is sent and nothing is written here.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cometresp.errors import RequestRefusedError, UsageError
from cometresp.masking import MASK
from cometresp.records import ChainRow, Settings, Stand, Turn
from cometresp.terminal import escape_line
from cometresp.tools import secrets

if TYPE_CHECKING:
    from cometresp.state import State
    from cometresp.toolloop import Call, Runner

_MAX_NAME = 100
_YES, _NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")
STAND_IN = "cometresp_stand_in"  # in a recorded part whose bytes were not: where they are, and what they were
# Where the bytes of a part stand, by the part's type (API 3.1).
_BYTES_KEY = {"input_file": "file_data", "input_image": "image_url", "input_text": "text"}


class Plan(NamedTuple):
    """Where a turn stands in its conversation."""

    name: str
    anew: bool = True
    parent: Turn | None = None
    previous_id: str | None = None
    replay: bool = False
    spare: bool = False  # replayed only since the server was seen to refuse ids: without a whole record, the id is sent
    settings: Settings = Settings()
    model: str | None = None
    stood: Stand | None = None


def chain_name(given: str) -> str:
    """The name under which a chain is kept: `tty` is one per terminal, `.` one per directory (its git root)."""
    if given == "tty":
        return f"tty:{_tty()}"
    if given == ".":
        try:
            here = Path.cwd()
        except OSError as error:
            raise UsageError(f"--chain: the current directory is gone: {error.strerror}") from error
        root = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
        return "dir:" + str(root).encode(errors="surrogateescape").decode(errors="replace")
    if not given or len(given) > _MAX_NAME or not given.isprintable() or given != given.strip():
        raise UsageError(
            f"--chain: {given!r} is not a name: 1 to {_MAX_NAME} printable characters, no blank at its ends"
        )
    return given


def _tty() -> str:
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor)
        except (OSError, AttributeError):
            continue
    return "none"


def plan_continue(state: "State", name: str, from_id: str | None, base_url: str, *, replay: bool) -> Plan:
    """Go on with the chain, or from any recorded response. Raises UsageError where there is nothing to go on from."""
    row = state.chain(name)
    if from_id is not None:
        parent = state.turn(from_id)
        if parent is None:
            raise UsageError(
                f"--from: {from_id!r} is not recorded here",
                hint="cometresp log lists what is; --previous-response-id takes any id",
            )
    else:
        parent = _head(name, row)
    conversation = parent.settings.conversation
    if conversation and replay:
        raise UsageError(f"--replay: the turns of {name} are kept by the server, in {conversation}")
    if conversation and parent.base_url != base_url:
        raise RequestRefusedError(f"{name} goes on in {conversation} of {parent.base_url}, which {base_url} can't know")
    return Plan(
        name=name,
        anew=False,
        parent=parent,
        previous_id=None if conversation else parent.id,
        replay=not conversation and (replay or parent.base_url != base_url or parent.settings.store is False),
        settings=parent.settings,
        model=parent.model,
        stood=row.stand if row else None,
    )


def _head(name: str, row: ChainRow | None) -> Turn:
    if row and row.head:
        return row.head
    if row and row.pending:
        pending = row.pending
        ended = "is still" if pending.status in ("queued", "in_progress") else "ended as"
        raise UsageError(
            f"nothing to continue: {name} was begun anew by {pending.id}, which {ended} {pending.status}",
            hint=f"cometresp get {pending.id} --wait fetches it; --from ID goes on from another response",
        )
    raise UsageError(f"nothing to continue: chain {name} has no response yet", hint="cometresp ask … begins it")


def with_flags(plan: Plan, *, no_instructions: bool, no_tools: bool, store: bool | None) -> Plan:
    """The plan with what the flags drop or change of the chain's settings."""
    settings = plan.settings
    if no_instructions:
        settings = settings._replace(instructions=None)
    if no_tools:
        settings = settings._replace(tools=None)
    dropped = {"instructions": no_instructions, "tools": no_tools}
    settings = settings._replace(forgotten=tuple(name for name in settings.forgotten if not dropped[name]))
    if store is not None:
        settings = settings._replace(store=store)
    return plan._replace(settings=settings)


def check_secrets(tools: Any) -> None:
    """A chain's MCP tool whose secret was given as text can't be sent again: the text was never recorded."""
    for place, key in secrets(tools):
        if place[key] == MASK:
            raise UsageError(
                f"the chain's MCP tool has a secret ({key}) that was not recorded",
                hint="give --tool again, or name it as env:NAME",
            )


def settings_of(body: dict[str, Any]) -> Settings:
    """What of a body the next turn will send again; secrets are masked."""
    conversation = body.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    return Settings(
        instructions=body.get("instructions"),
        tools=body.get("tools"),
        store=body.get("store"),
        conversation=conversation,
    )


def waiting(parent: Turn | None) -> dict[str, dict[str, Any]]:
    """The open calls of the turn that is gone on from, by their ids; none where its output isn't recorded."""
    if parent is None or parent.output is None:
        return {}
    from cometresp.items import id_of_call, open_calls

    return {id_of_call(call): call for call in open_calls(parent.output)}


def callable_here(parent: Turn | None, given: Collection[str], runner: "Runner | None") -> "list[Call]":
    """The open calls, but for those that are given, where all of them can be answered here; else none."""
    left = [call for call_id, call in waiting(parent).items() if call_id not in given]
    if not left or parent is None:
        return []
    from cometresp.toolloop import own_calls

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
    from cometresp.items import answered_by, id_answered

    answered = {id_answered(item) for item in items}.union(others)
    missing = {call_id: call for call_id, call in calls.items() if call_id not in answered}
    if missing:
        raise UsageError(
            f"{parent.id} waits for the output of {', '.join(missing)}",
            hint=f"give it: {answered_by(list(missing.values()))}",
        )


def _output_item(call_id: str, text: str, call: dict[str, Any]) -> dict[str, Any]:
    from cometresp.answer import CLIENT_CALLS

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


# the record -------------------------------------------------------------------------------------------------------


def recorded(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items as they are kept: large attachments by path, size and digest (design section 5)."""
    return [
        {**item, "content": [_kept_part(part) for part in item["content"]]}
        if isinstance(item.get("content"), list)
        else item
        for item in items
    ]


def _kept_part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    from cometresp import content

    key = _BYTES_KEY.get(str(part.get("type")), "")
    value = part.get(key)
    if isinstance(value, str) and key != "text" and value.startswith("data:"):  # given in --input or --body
        if len(value) * 3 // 4 > content.HELD_BYTES and (shorter := content.given_stand_in(value)) != value:
            return {**part, key: shorter, STAND_IN: {}}
    elif isinstance(value, content.DataUrl | content.FencedText):
        source = value.source
        if source.size <= content.HELD_BYTES:
            return {**part, key: content.whole_text(value)}
        kept = {"path": source.path, "size": source.size, "sha256": source.sha256}
        return {**part, key: content.with_stand_ins(value), STAND_IN: kept}
    return part


def _restored(item: dict[str, Any], turn: Turn) -> dict[str, Any]:
    """A recorded item as it was sent: large attachments are read from their files again."""
    parts = item.get("content")
    if not isinstance(parts, list) or not any(isinstance(part, dict) and STAND_IN in part for part in parts):
        return item
    return {**item, "content": [_restored_part(part, turn) for part in parts]}


def _restored_part(part: Any, turn: Turn) -> Any:
    if not isinstance(part, dict) or STAND_IN not in part:
        return part
    kept = part[STAND_IN] if isinstance(part[STAND_IN], dict) else {}
    path, name = kept.get("path"), escape_line(str(part.get("filename") or part.get("type")))
    if not path:
        raise _incomplete(f"an attachment of {turn.id} ({name}) was too large to record, and came from no file")
    from cometresp import attachments

    key = _BYTES_KEY[part["type"]]
    try:
        source = attachments.open_file("--file", path)
        if (source.size, source.sha256) != (kept.get("size"), kept.get("sha256")):
            raise _incomplete(f"{source.shown}, attached to {turn.id}, has changed since")
        again = attachments.again(source, part[key], lambda _: None)
    except UsageError as error:
        raise _incomplete(f"an attachment of {turn.id}: {error.message.removeprefix('--file: ')}") from error
    return {**{name: value for name, value in part.items() if name != STAND_IN}, key: again}


def replayed(lineage: list[Turn], base_url: str, model: str | None) -> list[dict[str, Any]]:
    """The items of the whole conversation, in place of an id. Raises RequestRefusedError (65) for half a record.

    Reasoning is left out where it isn't encrypted, or was another model's or server's (API 3.3).
    """
    from cometresp.items import can_be_sent_back

    root = lineage[0]
    if root.previous_id is not None or root.settings.conversation is not None or root.parent is not None:
        before = root.previous_id or root.settings.conversation or "its beginning"
        raise _incomplete(f"what came before {root.id} ({before}) was not recorded here")
    items: list[dict[str, Any]] = []
    for turn in lineage:
        if turn.input is None or turn.output is None:
            raise _incomplete(f"the text of {turn.id} was not recorded, or is older than what is kept")
        if turn.status not in ("completed", "incomplete"):
            raise _incomplete(f"{turn.id} ended as {turn.status}: what is recorded of it is not a whole answer")
        same = turn.base_url == base_url and turn.model == model
        items += [_restored(item, turn) for item in turn.input]
        items += [item for item in turn.output if can_be_sent_back(item) and (same or item.get("type") != "reasoning")]
    return items


def _incomplete(what: str) -> RequestRefusedError:
    return RequestRefusedError(f"the conversation can't be replayed: {what}", hint="begin anew with: cometresp ask …")
