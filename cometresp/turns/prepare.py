"""The deed of `ask`, `stream` and `continue`: one turn, from the command line to the exit code.

words -> inputs -> plan (chain) -> body -> client.create -> exchange -> renderer -> state -> verdict
"""

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, NamedTuple

from cometresp.errors import OutputError, RequestRefusedError, UsageError
from cometresp.options.asked import Asked, _check_extraction
from cometresp.options.tables import ChainOptions
from cometresp.request import body as request
from cometresp.request.inputs import Inputs, Prompt
from cometresp.runtime import Runtime
from cometresp.state.names import chain_name
from cometresp.state.records import Turn
from cometresp.text import escape_line
from cometresp.turns import plan as chains
from cometresp.turns.outputs import callable_here, check_answered, tool_outputs
from cometresp.turns.replay import replayed
from cometresp.wire.items import own_items

if TYPE_CHECKING:
    from cometresp.calls.settle import Call, Outcome
    from cometresp.turns.tools import Tools


class Prepared(NamedTuple):
    """A turn that is ready to be sent. `own` are the items that it adds to the conversation."""

    body: dict[str, Any]
    plan: chains.Plan
    own: list[dict[str, Any]]
    model: str | None
    outcomes: "list[Outcome]"  # of calls that an earlier run left open, and that ran just now


def _tools(asked: Asked, runtime: Runtime, stack: ExitStack) -> "Tools":
    from cometresp.turns.tools import Tools

    return stack.enter_context(Tools.of(asked.loop, runtime))


def check_flags(asked: Asked) -> None:
    chain, given = asked.chain, asked.request
    again = goes_on(asked)
    if chain.previous_response_id is not None and again:
        which = "--from" if chain.from_ is not None else "--continue"
        raise UsageError(f"--previous-response-id and {which} exclude each other: both name the response to go on from")
    if chain.conversation == "":
        raise UsageError("--conversation: must not be empty")
    if chain.conversation is not None and (again or chain.previous_response_id is not None):
        raise UsageError("--conversation excludes a previous response (--previous-response-id, --continue, --from)")
    if asked.live and given.no_stream:
        raise UsageError("stream and --no-stream exclude each other", hint="cometresp ask --no-stream …")
    if given.include_obfuscation is not None and given.no_stream:
        raise UsageError("--include-obfuscation goes with a stream only, not with --no-stream")
    _check_extraction(asked)
    if given.wait and not given.background:
        raise UsageError("--wait goes with --background: other answers are waited for anyway")
    if asked.loop.max_turns < 1:
        raise UsageError(f"--max-turns: must be at least 1, not {asked.loop.max_turns}")
    if chain.replay and not again:
        raise UsageError("--replay goes with continue, --continue or --from: a new chain has nothing to replay")


# the request ------------------------------------------------------------------------------------------------------


def _prepare(asked: Asked, runtime: Runtime, tools: "Tools | None") -> Prepared:
    """The body and the turn's place. Standard input is read before the head, so that `ask … | continue … -` works."""
    given = asked.request
    no_stdin = given.no_stdin or runtime.config.no_stdin
    inputs = Inputs(runtime.terminal, no_stdin=no_stdin, named=request.names_stdin(given))
    outputs = _tool_outputs(asked.chain, inputs)
    prompt = inputs.prompt(asked.words, given.file or [], given.file_as, given.image_detail)
    others = (given.input, given.body, given.prompt_id)
    nothing = prompt.empty and not outputs and all(other is None for other in others)
    if nothing and not goes_on(asked):
        raise _nothing_to_send(None)
    plan = _plan(asked, runtime)
    calls = [] if _only_shows(asked) or given.input else callable_here(plan.parent, dict(outputs), tools)
    if nothing and not calls:
        check_answered(plan.parent, [], ())
        raise _nothing_to_send(plan.parent)
    definitions = tools.definitions if tools else []
    turn = _turn(asked, runtime, plan, prompt, tool_outputs(outputs, plan.parent), definitions)
    stream = not (given.background and not asked.live)
    body = request.build(given, turn, inputs.text_of, runtime.terminal.warn, stream=stream)
    chains.check_secrets(body.get("tools"))
    if "model" not in body and not given.prompt_id:
        raise UsageError(
            f"no model: {runtime.base_url} has no default one",
            hint="-m MODEL or COMETAPI_DEFAULT_MODEL names it",
        )
    if lost := [name for name in plan.settings.forgotten if name not in body and plan.parent is not None]:
        where = escape_line(plan.parent.id) if plan.parent else ""
        runtime.terminal.warn(
            f"the {' and '.join(lost)} of {where} are not recorded: this turn goes without them; give them again"
        )
    own = own_items(body)
    check_answered(plan.parent, own, [call.id for call in calls])
    outcomes: list[Outcome] = []
    if calls:
        if plan.replay:
            _replayed(runtime, body, plan, own)  # which raises before anything has run
        outcomes = _settled(asked, runtime, calls, tools)
        own = [outcome.item() for outcome in outcomes] + own
        body["input"] = own
    model = body.get("model")
    if plan.replay:
        body = _replayed(runtime, body, plan, own)
    return Prepared(body, plan, own, model if isinstance(model, str) else None, outcomes)


def goes_on(asked: Asked) -> bool:
    return asked.continuing or asked.chain.continue_ or asked.chain.from_ is not None


def _nothing_to_send(parent: Turn | None) -> UsageError:
    if parent is not None and parent.output is None:
        return UsageError(
            f"nothing to send: no prompt, and what {parent.id} waits for was not recorded",
            hint="--tool-output CALL_ID=… answers a call",
        )
    return UsageError(
        "nothing to send: no prompt and nothing on standard input", hint='cometresp ask "…", or … | cometresp ask'
    )


def _settled(asked: Asked, runtime: Runtime, calls: "list[Call]", tools: "Tools | None") -> "list[Outcome]":
    """What the calls that an interrupted run left open come to. Nothing runs that couldn't be sent afterwards."""
    runtime.check_sendable()
    with ExitStack() as stack:
        return (tools or _tools(asked, runtime, stack)).settle(calls)


def _replayed(runtime: Runtime, body: dict[str, Any], plan: chains.Plan, own: list[dict[str, Any]]) -> dict[str, Any]:
    """The turn as items. What was only remembered of the server doesn't stand in the way of sending the id."""
    try:
        body = replay(runtime, body, plan, own)
    except RequestRefusedError:
        if not plan.spare:
            raise
        return body
    if plan.spare:
        runtime.terminal.note(f"{runtime.base_url} goes on from no response id: the recorded turns are sent instead")
    return body


def replay(runtime: Runtime, body: dict[str, Any], plan: chains.Plan, own: list[dict[str, Any]]) -> dict[str, Any]:
    """The same turn with the recorded items in place of the id."""
    state = runtime.open_state(create=False)
    if state is None or plan.parent is None:
        raise OutputError("the state file is gone: the conversation can't be replayed")
    with closing(state):
        items = replayed(state.lineage(plan.parent), runtime.base_url, body.get("model"))
    return {name: value for name, value in body.items() if name != "previous_response_id"} | {"input": items + own}


def _tool_outputs(chain: ChainOptions, inputs: Inputs) -> list[tuple[str, str]]:
    outputs = []
    for flag, given in (("--tool-output", chain.tool_output), ("--tool-output-file", chain.tool_output_file)):
        for pair in given or ():
            call_id, equals, value = pair.partition("=")
            if not equals or not call_id:
                raise UsageError(f"{flag}: {pair!r} must be CALL_ID={'PATH' if flag.endswith('file') else 'TEXT'}")
            outputs.append((call_id, inputs.file_text(flag, value) if flag.endswith("file") else value))
    if len(dict(outputs)) < len(outputs):
        raise UsageError("--tool-output: a call has one output; one was given twice")
    return outputs


def _plan(asked: Asked, runtime: Runtime) -> chains.Plan:
    given = asked.chain
    name = chain_name(given.chain if given.chain is not None else runtime.chain)
    if not goes_on(asked):
        return chains.Plan(name=name, previous_id=given.previous_response_id)
    state = runtime.open_state(create=False, needed=True)
    if state is None:
        raise UsageError(f"nothing to continue: chain {name} has no response yet", hint="cometresp ask … begins it")
    try:
        if not (given.no_save or asked.connection.dry_run or asked.connection.curl):
            state.check_writable()
        plan = chains.plan_continue(state, name, given.from_, runtime.base_url, replay=given.replay)
        if plan.previous_id and not plan.replay and state.refuses(runtime.base_url, "no_previous"):
            plan = plan._replace(replay=True, spare=True)
        pending = state.pending_after(plan.parent, name) if plan.parent and given.from_ is None else []
    finally:
        state.close()
    for turn in pending:
        turn_id = escape_line(turn.id)
        commands = _placed(f"cometresp get {turn_id} --wait, then cometresp continue --from {turn_id}", asked)
        said = f"{turn_id} goes on from the same response and was {turn.status} when last looked at"
        runtime.terminal.warn(f"{said}: {commands}")
    return chains.with_flags(plan, no_instructions=given.no_instructions, no_tools=given.no_tools, store=given.store)


def _turn(
    asked: Asked,
    runtime: Runtime,
    plan: chains.Plan,
    prompt: Prompt,
    outputs: list[dict[str, Any]],
    functions: list[dict[str, Any]],
) -> request.Turn:
    configured = runtime.config.model.value if runtime.config.model else None
    settings = plan.settings
    return request.Turn(
        text=prompt.text,
        parts=prompt.parts,
        outputs=outputs,
        functions=functions,
        model=plan.model or configured,
        instructions=settings.instructions,
        tools=settings.tools,
        store=asked.chain.store if plan.anew else settings.store,
        previous_response_id=plan.previous_id,
        conversation=asked.chain.conversation or settings.conversation,
    )


def _placed(hint: str, asked: Asked) -> str:
    """A hint's commands with the flags that say which chain, server and state this one was about."""
    from shlex import quote

    server = ["--offline"] if asked.connection.offline else []
    if asked.connection.base_url is not None and not server:
        server = [f"--base-url {quote(asked.connection.base_url)}"]
    chain = [f"--chain {quote(asked.chain.chain)}"] if asked.chain.chain is not None else []
    state = ["--offline"] if asked.connection.offline else []
    for verb, flags in (("continue", chain + server), ("get", server), ("cancel", server), ("log", state)):
        if flags:
            hint = hint.replace(f"cometresp {verb} ", f"cometresp {verb} {' '.join(flags)} ")
    by_id = "cometresp ask --previous-response-id "
    return hint.replace(by_id, by_id.replace("ask", " ".join(["ask", *server])))


def _only_shows(asked: Asked) -> bool:
    return asked.connection.dry_run or asked.connection.curl
