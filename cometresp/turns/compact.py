"""A chain that is compacted: the items that the server returns take the place of its turns (API 1, #7)."""

from typing import TYPE_CHECKING

from cometresp.errors import CometrespError, Next, RequestRefusedError, UsageError
from cometresp.request.inputs import Inputs
from cometresp.runtime import Runtime
from cometresp.state.records import COMPACTED, Ending, NewTurn, Settings, Turn
from cometresp.text import escape_line, shell_flag, to_bytes
from cometresp.tuples import NamedTuple
from cometresp.turns.by_items import posted
from cometresp.turns.dry_run import shown_only
from cometresp.turns.lookup import not_offered, offers_no_such_path
from cometresp.turns.plan import Plan, continuation
from cometresp.turns.prepare import earlier_items
from cometresp.turns.replay import with_items
from cometresp.turns.turn import heartbeat
from cometresp.turns.unknown_model import naming_near_models
from cometresp.wire import endpoints
from cometresp.wire.ids import abridged_id, is_plain_id
from cometresp.wire.items import answering_flags
from cometresp.wire.json import Json, listed, obj, text

if TYPE_CHECKING:
    from cometresp.state.state import State


class Compaction(NamedTuple):
    """The chain, and what replaces its model and instructions from now on; None keeps them."""

    chain: str
    model: str | None
    instructions: str | None
    as_json: bool


def compact(wanted: Compaction, runtime: Runtime, state: "State") -> None:
    """Have the chain compacted, and record the items as its head. Nothing changes where the server refuses."""
    if runtime.config.record != "full":
        raise UsageError(
            f"{wanted.chain} can't be compacted: the items that replace its turns would not be recorded",
            hint="COMETRESP_RECORD=full records them",
        )
    plan = continuation(state, wanted.chain, None, runtime.base_url)
    head = _checked(plan)
    settings, body = _body(wanted, runtime, plan, head)
    if shown_only(runtime, endpoints.compact(body)):
        return
    if (most := runtime.output.max_cost) is not None:
        from cometresp.turns.budget import budget_of

        budget_of(most, runtime, body).check_request(body, head)
    runtime.check_sendable()
    state.check_writable()
    short = f"compacting {plan.chain}: {plan.shown_parent} · turn {head.number}"
    if runtime.terminal.stderr_tty or runtime.terminal.verbose:
        from cometresp.render.notice import print_notice

        print_notice(runtime.terminal, f"{short} · {body['model']}", short, f"compacting {plan.chain}")
    named = naming_near_models(runtime, body["model"])
    with named, runtime.client() as client, heartbeat(runtime.terminal):
        try:
            reply = posted(client.compact, body, runtime, head)
        except CometrespError as error:
            if offers_no_such_path(error):
                raise not_offered(error, "offers no compaction") from error
            raise
    if wanted.as_json:
        runtime.terminal.print_json(reply)
    _record(reply, runtime, state, plan, (settings, body["model"]))
    if not wanted.as_json:
        runtime.terminal.write(to_bytes(_summary(wanted.chain, reply) + "\n"))


def _checked(plan: Plan) -> Turn:
    """The head of the chain. Raises UsageError where it can't be compacted."""
    head = plan.parent
    assert head is not None
    name = abridged_id(head.id)
    if head.settings.conversation:
        kept_in = escape_line(head.settings.conversation)
        raise UsageError(f"{plan.chain} can't be compacted: its turns are kept by the server, in {kept_in}")
    if head.status == COMPACTED:
        raise UsageError(f"{plan.chain} has no turns since it was compacted ({name})")
    if plan.open_calls:
        hint = ("answer it first: ", Next("continue", answering_flags(list(plan.open_calls.values()))))
        raise UsageError(f"{plan.chain} can't be compacted: {name} waits for the output of a call", hint=hint)
    return head


def _body(wanted: Compaction, runtime: Runtime, plan: Plan, head: Turn) -> tuple[Settings, Json]:
    """The settings of the chain from now on, and the body of the request."""
    configured = runtime.config.model.value if runtime.config.model else None
    model = runtime.config.model_of(wanted.model) if wanted.model else head.wanted_model or configured
    if not model:
        raise UsageError(
            f"no model: {runtime.base_url} has no default one",
            hint=("-m MODEL names it; ", Next("models"), " lists them"),
        )
    settings = head.settings
    if wanted.instructions is not None:
        given = Inputs(runtime.terminal, reading=runtime.reading).text_of("--instructions", wanted.instructions)
        settings = settings._replace(instructions=given)
    body: Json = {"model": model}
    if settings.instructions is not None:
        body["instructions"] = settings.instructions
    if lost := [name for name in settings.forgotten if name not in body]:
        where = abridged_id(head.id)
        runtime.terminal.warn(f"the {' and '.join(lost)} of {where} are not recorded: give them to the next turn")
    body["previous_response_id"] = head.id
    items = earlier_items(runtime, plan, body)
    return settings, body if items is None else with_items(body, items)


def _record(reply: Json, runtime: Runtime, state: "State", plan: Plan, sent: tuple[Settings, str]) -> None:
    """Record the items as a turn that becomes the head of the chain: until then, the chain is as it was."""
    head = plan.parent
    assert head is not None
    settings, model = sent
    given = text(reply.get("id"))
    compaction_id = given if is_plain_id(given) else f"{head.id}_compacted"
    new = NewTurn(
        chain=plan.chain,
        base_url=runtime.base_url,
        model=model,
        settings=settings,
        input=listed(reply["output"]),  # whole: there is no other copy of them
        restarts=False,
        parent=head,
        previous_id=head.id,
        expected=plan.expected,
        profile=runtime.config.file.profile or None,
    )
    n, _ = state.turns.begin(new, compaction_id)
    ending = Ending(COMPACTED, obj(reply.get("usage")), [])
    result = state.turns.finish(n, ending, good=True, expected=plan.expected)
    if result == "moved on":
        raise RequestRefusedError(
            f"{plan.chain} moved on meanwhile, and was not compacted",
            hint=(Next("continue", (shell_flag("--from", compaction_id),)), " continues from what was compacted"),
        )


def _summary(chain: str, reply: Json) -> str:
    """`compacted default: 3 items, 5211 -> 812 tokens`, the tokens where the server reported them."""
    count, usage = len(listed(reply["output"])), obj(reply.get("usage"))
    words = f"compacted {escape_line(chain)}: {count} item{'' if count == 1 else 's'}"
    before, after = usage.get("input_tokens"), usage.get("output_tokens")
    return words if before is None or after is None else escape_line(f"{words}, {before} -> {after} tokens")
