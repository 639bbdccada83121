"""A turn made ready: what was given is read; its place is planned, its body is built, open calls are settled."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from cometresp.errors import Next, RequestRefusedError, UsageError
from cometresp.options.asked import Asked
from cometresp.request.body import TurnFields, build, names_stdin
from cometresp.request.inputs import Inputs, Prompt
from cometresp.request.secrets import check_secrets
from cometresp.runtime import Runtime
from cometresp.state.records import Turn
from cometresp.tuples import NamedTuple
from cometresp.turns.outputs import callable_here, check_answered, given_outputs, kept_outputs, output_items
from cometresp.turns.plan import Plan, plan_turn
from cometresp.wire.ids import abridged_id
from cometresp.wire.items import id_answered, input_items
from cometresp.wire.json import Json, obj, text

if TYPE_CHECKING:
    from cometresp.calls.settle import Call, Outcome
    from cometresp.turns.budget import Budget
    from cometresp.turns.draft import Draft
    from cometresp.turns.tools import Tools


class Given(NamedTuple):
    """The contents of the command line, its files and standard input. `outputs` are texts by call id."""

    prompt: Prompt
    outputs: dict[str, str]
    inputs: Inputs


class Prepared(NamedTuple):
    """A turn that is ready to be sent.

    `new_items` are those that it adds to the conversation. `outcomes` are those of calls that an earlier run left open,
    and that were run just now. `budget` is what the run may cost.
    """

    body: Json
    plan: Plan
    new_items: list[Json]
    model: str | None
    outcomes: "list[Outcome]"
    budget: "Budget | None" = None


def prepare(asked: Asked, runtime: Runtime, given: Given, tools: "Tools | None") -> Prepared:
    """The turn, ready to be sent. `given` is read before the chain, so that `ask … | continue … -` works."""
    plan = plan_turn(asked, runtime)
    kept = kept_outputs(plan.parent, plan.open_calls, given.outputs)
    calls = _calls_to_run(asked, plan, {*given.outputs, *map(id_answered, kept)}, tools)
    _check_something(asked, plan, given, [*kept, *calls])
    body = _body(asked, runtime, plan, given, tools)
    check_body(runtime, plan, body)
    runtime.report.model = text(body.get("model")) or None
    budget = budget_for(asked, runtime, body)
    new_items = input_items(body)
    kept = kept_outputs(plan.parent, plan.open_calls, [id_answered(item) for item in new_items])
    if kept:
        new_items = kept + new_items
        body["input"] = new_items
    check_answered(plan.parent, plan.open_calls, new_items, [call.id for call in calls])
    earlier = earlier_items(runtime, plan, body)  # raises before anything is run
    if budget is not None and calls:
        budget.check_request(whole_body(body, earlier, new_items), plan.parent)
    outcomes = _settled(asked, runtime, calls, tools, plan.parent) if calls else []
    if outcomes:
        new_items = [outcome.item() for outcome in outcomes] + new_items
        body["input"] = new_items
    body = whole_body(body, earlier, new_items)
    check_cost(runtime, budget, body, plan)
    return Prepared(body, plan, new_items, text(body.get("model")) or None, outcomes, budget)


def read(asked: Asked, runtime: Runtime, draft: "Draft | None") -> Given:
    """What was given with the command line; the prompt may be edited."""
    request = asked.request
    no_stdin = request.no_stdin or runtime.config.no_stdin
    named = names_stdin(request)
    inputs = Inputs(runtime.terminal, no_stdin=no_stdin, named=named, reading=runtime.reading)
    outputs = given_outputs(asked.chain, inputs)
    typed = asked.words, request.file or [], request.file_as, request.image_detail
    prompt = inputs.prompt(*typed) if asked.template is None else inputs.templated(asked.template, *typed)
    if draft is not None:
        if not asked.connection.only_shows:
            runtime.check_sendable()  # before the user writes anything
        prompt = prompt._replace(text=inputs.edited(draft.edited(prompt.text)))
    return Given(prompt, outputs, inputs)


def _calls_to_run(asked: Asked, plan: Plan, answered: Collection[str], tools: "Tools | None") -> "list[Call]":
    """The calls that an interrupted run left open, where all of them can be answered here."""
    if asked.asks_no_model or asked.request.input:
        return []
    left = [call for call_id, call in plan.open_calls.items() if call_id not in answered]
    return callable_here(plan.parent, left, tools)


def _check_something(asked: Asked, plan: Plan, given: Given, settled: "Sequence[Call | Json]") -> None:
    """Raises UsageError where there is nothing to send; `settled` are outputs of calls, and calls that will run."""
    request = asked.request
    others = (request.input, request.body, request.prompt_id)
    if not given.prompt.empty or given.outputs or settled or any(other is not None for other in others):
        return
    check_answered(plan.parent, plan.open_calls, [], ())
    if plan.parent is not None and plan.parent.output is None:
        raise UsageError(
            f"nothing to send: no prompt, and what {abridged_id(plan.parent.id)} waits for was not recorded",
            hint="--tool-output CALL_ID=… answers a call",
        )
    verb = "ask" if plan.restarts else "continue"
    raise UsageError(
        "nothing to send: no prompt and nothing on standard input",
        hint=(Next(verb, '"…"'), ", or … | ", Next(verb)),
    )


def _body(asked: Asked, runtime: Runtime, plan: Plan, given: Given, tools: "Tools | None") -> Json:
    config, settings, request = runtime.config, plan.settings, asked.request
    configured = config.model.value if config.model else None
    if request.model:
        request = request._replace(model=config.model_of(request.model))
    fields = TurnFields(
        text=given.prompt.text,
        parts=given.prompt.parts,
        outputs=output_items(given.outputs, plan.parent, plan.open_calls),
        functions=tools.definitions if tools else [],
        model=plan.model or configured,
        instructions=settings.instructions,
        tools=settings.tools,
        store=asked.chain.store if plan.restarts else settings.store,
        previous_response_id=plan.previous_id,
        conversation=asked.chain.conversation or settings.conversation,
    )
    stream = not (request.background and not asked.streaming)
    return build(request, fields, given.inputs.text_of, runtime.terminal.warn, stream=stream)


def check_body(runtime: Runtime, plan: Plan, body: Json) -> None:
    """Raises UsageError without a model or with a secret that can't be sent; warns of forgotten settings."""
    check_secrets(body)
    if "model" not in body and not obj(body.get("prompt")).get("id"):
        raise UsageError(
            f"no model: {runtime.base_url} has no default one",
            hint=("-m MODEL or COMETAPI_DEFAULT_MODEL names it; ", Next("models"), " lists them"),
        )
    lost = [name for name in plan.settings.forgotten if name not in body]
    if lost and plan.parent is not None:
        where = abridged_id(plan.parent.id)
        runtime.terminal.warn(
            f"the {' and '.join(lost)} of {where} are not recorded: this turn is sent without them; give them again"
        )


def whole_body(body: Json, earlier: list[Json] | None, new_items: list[Json]) -> Json:
    """The body; with the items of the earlier turns where they are sent in place of a response id."""
    if earlier is None:
        return body
    from cometresp.turns.replay import with_items

    return with_items(body, earlier + new_items)


def check_cost(runtime: Runtime, budget: "Budget | None", body: Json, plan: Plan) -> None:
    """Raises CostLimitError where the request costs more than --max-cost allows; warns of what isn't counted."""
    if budget is not None and (left_out := budget.check_request(body, plan.parent)):
        runtime.terminal.warn(f"--max-cost: the estimate is without {left_out}")


def budget_for(asked: Asked, runtime: Runtime, body: Json) -> "Budget | None":
    """What --max-cost allows. Raises UsageError, before anything is run, where the price isn't known."""
    if asked.output.max_cost is None or asked.asks_no_model:
        return None
    from cometresp.turns.budget import budget_of

    fallbacks = [runtime.config.model_of(name) for name in asked.fallback_models]
    return budget_of(asked.output.max_cost, runtime, body, fallbacks)


def earlier_items(runtime: Runtime, plan: Plan, body: Json) -> list[Json] | None:
    """The recorded conversation, where it is sent in place of the response id; None where the id is sent.

    What was only remembered of the server doesn't keep the id from being sent where the record isn't complete.
    """
    parent: Turn | None = plan.parent
    if parent is None or not (plan.replay or plan.replay_if_complete):
        return None
    from cometresp.turns.replay import conversation_items

    try:
        items = conversation_items(runtime, parent, body.get("model"))
    except RequestRefusedError:
        if plan.replay:
            raise
        return None
    if not plan.replay:
        runtime.terminal.note(f"{runtime.base_url} takes no response id: the recorded turns are sent in its place")
    return items


def _settled(
    asked: Asked, runtime: Runtime, calls: "list[Call]", tools: "Tools | None", parent: Turn | None
) -> "list[Outcome]":
    """The outcomes of the calls. Nothing is run whose result couldn't be sent afterwards."""
    from cometresp.turns.record import Recorder
    from cometresp.turns.tools import Tools

    runtime.check_sendable()
    recorder = Recorder.of_recorded(runtime, parent)
    with ExitStack() as stack:
        return (tools or stack.enter_context(Tools.of(asked.loop, runtime))).settle(calls, recorder)
