"""What a turn takes over from its chain, and the replay of recorded turns (design section 5).

Reads records and decides; nothing is sent and nothing is written here.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from cometresp.errors import RequestRefusedError, UsageError
from cometresp.request.secrets import secrets
from cometresp.state.records import ChainRow, Settings, Stand, Turn
from cometresp.wire.headers import MASK

if TYPE_CHECKING:
    from cometresp.state.state import State


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
