"""The same turn once more, from the record: what the flags set is changed, everything else is sent as it was."""

from typing import TYPE_CHECKING

from cometresp.errors import Hint, Next, RequestRefusedError, UsageError
from cometresp.options.asked import Asked
from cometresp.request.body import TurnFields, build
from cometresp.request.inputs import Inputs
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.records import COMPACTED, Turn
from cometresp.text import escape_line, shell_flag
from cometresp.tuples import NamedTuple
from cometresp.turns.lookup import find, id_from_stdin
from cometresp.turns.plan import Plan, changed_settings, place_after
from cometresp.turns.prepare import Prepared, budget_for, check_body, check_cost, earlier_items, whole_body
from cometresp.turns.replay import sent_items
from cometresp.wire.events import GOOD
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.state.state import State
    from cometresp.turns.tools import Tools


_RECORDED = ("input", "previous_response_id", "conversation")


class Repeat(NamedTuple):
    """A recorded turn that is sent again, its name in messages, and the place of the new turn."""

    turn: Turn
    name: str
    plan: Plan


def prepare_again(asked: Asked, runtime: Runtime, tools: "Tools | None") -> tuple[Asked, Prepared]:
    """The turn, ready to be sent, and the command line as it would have been for it."""
    repeat = _repeat(asked, runtime)
    turn, plan = repeat.turn, repeat.plan
    new_items = sent_items(turn, runtime.reading)
    request = dict(turn.request or {})
    if turn.request is None:
        runtime.terminal.warn(
            f"{repeat.name} was recorded without temperature, schema and the like, by an earlier version: "
            "give them again"
        )
    else:
        asked = _as_it_was(_without(asked, request), request)
    if asked.request.wait and not asked.request.background:
        raise UsageError(f"--wait goes with --background: {repeat.name} was not in the background")
    asked.check()
    body = _body(asked, runtime, repeat, (request, new_items), tools)
    check_body(runtime, plan, body)
    runtime.report.model = body.get("model")
    earlier = earlier_items(runtime, plan, body)
    body = whole_body(body, earlier, new_items)
    if turn.settings.conversation and turn.status in GOOD:
        conversation = escape_line(turn.settings.conversation)
        runtime.terminal.warn(f"{conversation} keeps {repeat.name} too: the server adds the turn behind it")
    budget = budget_for(asked, runtime, body)
    check_cost(runtime, budget, body, plan)
    return asked, Prepared(body, plan, new_items, body.get("model"), [], budget)


def _without(asked: Asked, request: Json) -> Asked:
    """The command line without each `-P FIELD=null`, and the request without these fields.

    Raises UsageError for the fields that hold the input and the place of the turn.
    """
    kept = []
    was_in_background = request.get("background") is True
    for assignment in asked.request.param or ():
        path, _, value = assignment.partition("=")
        if (field := path.partition(".")[0]) in _RECORDED:
            raise UsageError(f"--param: {field} can't be changed: the turn is sent with its recorded input and place")
        if value.strip() != "null" or path not in request:
            kept.append(assignment)
        if value.strip() == "null" or path == "background":
            request.pop(path, None)
    if was_in_background and "background" not in request:
        request["stream"] = True  # what was in the background was not streamed for that alone
    return asked._replace(request=asked.request._replace(param=kept or None))


def _as_it_was(asked: Asked, request: Json) -> Asked:
    """The command line with what the request says of how its answer comes: in the background, in one reply."""
    given = asked.request
    background = request.get("background") is True or given.background
    streamed = request.pop("stream", None) is True
    if not (streamed or background):
        given = given._replace(no_stream=True)
    if given.no_stream and given.include_obfuscation is None:
        request.pop("stream_options", None)
    return asked._replace(request=given._replace(background=background))


def _body(asked: Asked, runtime: Runtime, repeat: Repeat, sent: tuple[Json, list[Json]], tools: "Tools | None") -> Json:
    settings, (request, items) = repeat.plan.settings, sent
    given: dict[str, object] = {
        "model": repeat.turn.wanted_model,
        "instructions": settings.instructions,
        "tools": settings.tools,
        "store": settings.store,
        "conversation": settings.conversation,
    }
    base = request | {name: value for name, value in given.items() if value is not None} | {"input": _input(items)}
    functions = tools.definitions if tools else []
    options = asked.request
    if options.model:
        options = options._replace(model=runtime.config.model_of(options.model))
    fields = TurnFields(base=base, functions=functions, previous_response_id=repeat.plan.previous_id)
    inputs = Inputs(runtime.terminal, no_stdin=asked.request.no_stdin, named=True, reading=runtime.reading)
    return build(options, fields, inputs.text_of, runtime.terminal.warn, stream=not asked.request.background)


def _input(items: list[Json]) -> object:
    """The items as `input`: the text alone, where there is nothing else."""
    if len(items) == 1 and items[0].keys() == {"role", "content"} and items[0]["role"] == "user":
        content = items[0]["content"]
        return content if isinstance(content, str) else items
    return items


# which turn, and where ----------------------------------------------------------------------------------------------


def _repeat(asked: Asked, runtime: Runtime) -> Repeat:
    given, name = asked.again or "", chain_name(runtime.chain)
    if given == "-":
        given = id_from_stdin(runtime)
    state = runtime.open_state(create=False, required=True)
    if state is None:
        raise _nothing(name)
    with state:
        if not asked.chain.no_save and not asked.asks_no_model and runtime.config.record != "none":
            state.check_writable()
        turn = _named(state, given) if given else _last_of(state, name)
        if given and runtime.flags.chain is None:
            name = turn.chain
        shown = escape_line(state.turns.shown_id(turn.id)) if turn.id else f"the last request of {escape_line(name)}"
        _check(turn, shown)
        plan = _place(state, turn, name, runtime.base_url, replay=asked.chain.replay)
    repeats = shown if turn.id else "the request without an answer"
    settings = changed_settings(turn.settings, asked.chain)
    return Repeat(turn, shown, plan._replace(repeats=repeats, settings=settings))


def _last_of(state: "State", name: str) -> Turn:
    """The last turn of a chain, whatever became of it; also a request that got no response."""
    turn = state.unanswered.of(name) or next(iter(state.turns.newest(chain=name, limit=1)), None)
    if turn is None:
        raise _nothing(name)
    return turn


def _named(state: "State", given: str) -> Turn:
    turn = find(state, given, "ID")
    if turn is None:
        hint: Hint = (Next("log"), " lists what is")
        raise UsageError(f"ID: {escape_line(given, 80)!r} is not recorded here", hint=hint)
    return turn


def _check(turn: Turn, shown: str) -> None:
    """Raises UsageError for a turn that has nothing to send again."""
    if turn.status == COMPACTED:
        raise UsageError(f"{shown} is a compaction, not a turn", hint=(Next("chains compact"), " makes a new one"))
    if turn.input is None:
        what = "it was made elsewhere" if turn.status == "adopted" else "it was not recorded, or is no longer kept"
        raise UsageError(f"the input of {shown} can't be sent again: {what}")


def _place(state: "State", turn: Turn, name: str, base_url: str, *, replay: bool) -> Plan:
    """After what the turn continued. The first turn starts its chain again only where that has no head to lose."""
    if turn.settings.conversation and turn.base_url != base_url:
        raise RequestRefusedError(
            f"{name} is kept in {turn.settings.conversation} of {turn.base_url}, which {base_url} can't know"
        )
    if turn.parent is not None and (parent := state.turns.at(turn.parent)) is not None:
        return place_after(state, name, parent, base_url, replay=replay)._replace(open_calls={})
    chain = state.chains.get(name)
    expected = chain.heads if chain else None
    if turn.previous_id is None:
        starts = chain is None or chain.head is None
        return Plan(name, restarts=starts, expected=expected)
    if turn.base_url != base_url or replay:
        flag = shell_flag("--base-url", turn.base_url)
        raise RequestRefusedError(
            f"what came before the turn ({turn.previous_id}) is not recorded here: only {turn.base_url} knows it",
            hint=f"{flag} names that server" if flag and turn.base_url != base_url else "",
        )
    return Plan(name, restarts=False, previous_id=turn.previous_id, expected=expected)


def _nothing(name: str) -> UsageError:
    shown = escape_line(name, 80)
    return UsageError(f"nothing to send again: chain {shown} has no turn yet", hint=(Next("ask", "…"), " starts it"))
