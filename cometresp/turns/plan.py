"""The place of a turn in its conversation, and what it takes over from its chain.

Reads records and decides; nothing is sent and nothing is written here.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING

from cometresp.errors import Hint, Next, RequestRefusedError, UsageError
from cometresp.options.asked import Asked
from cometresp.options.tables import ChainOptions
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.records import BROKEN, COMPACTED, Chain, Heads, Settings, Turn
from cometresp.text import escape_line, shell_arguments, shell_flag
from cometresp.tuples import NamedTuple
from cometresp.turns.outputs import Calls, waiting_calls
from cometresp.wire.json import Json, text

if TYPE_CHECKING:
    from cometresp.state.state import State


class Plan(NamedTuple):
    """A turn's place in its conversation.

    `restarts` the chain, or continues `parent`, whose open calls are `open_calls`; `shown_parent` is its short id.
    `replay` sends the recorded items in place of the id; `replay_if_complete` only where the record is complete.
    `expected` are the chain's heads. `repeats` is the short id of a turn that is sent again.
    """

    chain: str
    restarts: bool = True
    parent: Turn | None = None
    shown_parent: str = ""
    previous_id: str | None = None
    replay: bool = False
    replay_if_complete: bool = False
    settings: Settings = Settings()
    model: str | None = None
    expected: Heads | None = None
    open_calls: Calls = MappingProxyType({})
    repeats: str = ""


def plan_turn(asked: Asked, runtime: Runtime) -> Plan:
    """The place of the turn. Raises UsageError with nothing to continue, OutputError where nothing can be recorded."""
    name = chain_name(runtime.chain)
    given = asked.chain
    if not asked.continues:
        return Plan(name, previous_id=_previous_id(given.previous_response_id, runtime))
    state = runtime.open_state(create=False, required=True)
    if state is None:
        raise _nothing(name)
    with state:
        if not given.no_save and not asked.asks_no_model and runtime.config.record != "none":
            state.check_writable()
        plan = continuation(state, name, given.from_, runtime.base_url, replay=given.replay)
        left = state.turns.pending_after(plan.parent, name) if plan.parent and given.from_ is None else []
        names = [state.turns.shown_id(turn.id) for turn in left]
    for turn, turn_id in zip(left, names, strict=True):
        get, go_on = (
            Next("get", (shell_arguments(turn_id), "--wait")),
            Next("continue", (shell_flag("--from", turn_id),)),
        )
        runtime.terminal.warn(
            f"{escape_line(turn_id)} continues the same response and was {turn.status} when last looked at"
            + runtime.hint(": ", get, ", then ", go_on)
        )
    return plan._replace(settings=changed_settings(plan.settings, given))


def _previous_id(given: str | None, runtime: Runtime) -> str | None:
    """The response that --previous-response-id names."""
    if not given:
        return given
    from cometresp.turns.lookup import recorded_id

    return recorded_id(given, runtime, "--previous-response-id")


def continuation(state: "State", name: str, from_id: str | None, base_url: str, *, replay: bool = False) -> Plan:
    """The place after the head of the chain, or after any recorded response. Raises UsageError where there is none."""
    chain = state.chains.get(name)
    if from_id is not None:
        from cometresp.turns.lookup import find

        parent = find(state, from_id, "--from")
        if parent is None:
            hint: Hint = (Next("log"), " lists what is; --previous-response-id takes any id")
            raise UsageError(f"--from: {from_id!r} is not recorded here", hint=hint)
    else:
        parent = _head(name, chain, state)
    return place_after(state, name, parent, base_url, replay=replay)


def place_after(state: "State", name: str, parent: Turn, base_url: str, *, replay: bool = False) -> Plan:
    """The place after a recorded response, in a chain."""
    chain = state.chains.get(name)
    conversation = parent.settings.conversation
    if conversation and replay:
        raise UsageError(f"--replay: the turns of {name} are kept by the server, in {conversation}")
    if conversation and parent.base_url != base_url:
        raise RequestRefusedError(f"{name} is kept in {conversation} of {parent.base_url}, which {base_url} can't know")
    kept = parent.base_url == base_url and parent.settings.store is not False and parent.status != COMPACTED
    replay = not conversation and (replay or not kept)
    return Plan(
        name,
        restarts=False,
        parent=parent,
        shown_parent=state.turns.shown_id(parent.id),
        previous_id=None if conversation else parent.id,
        replay=replay,
        replay_if_complete=not conversation and not replay and state.servers.takes_no_previous(base_url),
        settings=parent.settings,
        model=parent.wanted_model,
        expected=chain.heads if chain else None,
        open_calls=waiting_calls(parent),
    )


def _head(name: str, chain: Chain | None, state: "State") -> Turn:
    if chain is None:
        raise _nothing(name)
    if chain.head:
        return chain.head
    before, pending = chain.before, chain.pending
    back: Hint = (Next("ask", "…"), " starts it again")
    if before is not None:
        back = (Next("continue", (shell_flag("--from", state.turns.shown_id(before.id)),)), " goes back")
    if pending is not None:
        raise _unfinished(name, pending, state.turns.shown_id(pending.id), back, goes_back=before is not None)
    if before is None:
        raise _nothing(name)
    raise UsageError(f"nothing to continue: {name} was restarted by a request that failed", hint=back)


def _unfinished(name: str, pending: Turn, shown_id: str, back: Hint, *, goes_back: bool) -> UsageError:
    """The error where a turn restarted the chain and didn't complete; its hint starts with the command that helps.

    `back` is another way on: it `goes_back`, or else starts the chain again.
    """
    from cometresp.wire.events import may_go_on

    broken = pending.status in BROKEN
    at_work = may_go_on(pending.status) and not broken
    turn_id, status = escape_line(shown_id), escape_line(pending.status)
    ended = "is still" if at_work else "ended as" if not broken else "was"
    error = UsageError(f"nothing to continue: {turn_id}, which restarted {name}, {ended} {status}")
    get = Next("get", (shell_arguments(shown_id), "--wait"))
    if pending.status == "interrupted":  # the server may have gone on, as with one in the background
        return error.and_hint(back).and_hint((get, " fetches it if it went on"))
    if at_work or broken:
        error.and_hint((get, " fetches it"))
    elif pending.status == "incomplete":
        error.and_hint((Next("continue", (shell_flag("--from", shown_id),)), " continues it all the same"))
    return error.and_hint(back) if goes_back or not error.hint else error


def _nothing(name: str) -> UsageError:
    return UsageError(f"nothing to continue: chain {name} has no response yet", hint=(Next("ask", "…"), " starts it"))


def changed_settings(settings: Settings, given: ChainOptions) -> Settings:
    """The settings of the chain with what the flags drop or change."""
    dropped = {"instructions": given.no_instructions, "tools": given.no_tools}
    settings = settings._replace(forgotten=tuple(name for name in settings.forgotten if not dropped[name]))
    if given.no_instructions:
        settings = settings._replace(instructions=None)
    if given.no_tools:
        settings = settings._replace(tools=None)
    return settings if given.store is None else settings._replace(store=given.store)


_RECORDED_APART = {"model", "input", "instructions", "tools", "store", "conversation", "previous_response_id"}


def request_of(body: Json) -> Json:
    """The fields of a body that are recorded so that the same turn can be sent again; the others stand elsewhere."""
    return {name: value for name, value in body.items() if name not in _RECORDED_APART}


def settings_of(body: Json) -> Settings:
    """The settings in a body that the next turn of the chain will send again."""
    conversation = body.get("conversation")
    return Settings(
        instructions=body.get("instructions"),
        tools=body.get("tools"),
        store=body.get("store"),
        conversation=text(conversation.get("id") if isinstance(conversation, dict) else conversation) or None,
    )
