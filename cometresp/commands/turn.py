"""The deed of `ask`, `stream` and `continue`: one turn, from the command line to the exit code.

words -> inputs -> plan (chain) -> body -> client.create -> exchange -> renderer -> state -> verdict
"""

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from cometresp import chain as chains
from cometresp import masking, request
from cometresp.commands.formats import kind_of
from cometresp.commands.printing import print_request
from cometresp.commands.runtime import Runtime
from cometresp.errors import CometrespError, OutputError, RequestRefusedError, UsageError
from cometresp.inputs import Inputs, Prompt
from cometresp.options import ChainOptions, ConnectionOptions, OutputOptions, RequestOptions
from cometresp.records import NewTurn
from cometresp.terminal import escape_line

if TYPE_CHECKING:
    from cometresp.answer import Answer
    from cometresp.client import Client


class Asked(NamedTuple):
    """Everything that one command line says."""

    words: list[str]
    request: RequestOptions
    chain: ChainOptions
    output: OutputOptions
    connection: ConnectionOptions
    live: bool  # deltas leave at once, into pipes too
    continuing: bool  # it goes on with the chain


class Prepared(NamedTuple):
    """A turn that is ready to be sent. `own` are the items that it adds to the conversation."""

    body: dict[str, Any]
    plan: chains.Plan
    own: list[dict[str, Any]]
    model: str | None


def run(asked: Asked) -> None:
    runtime = Runtime(asked.connection, asked.output)
    kind_of(asked.output, runtime.terminal)  # a contradiction there is told before anything is read
    _check_flags(asked)
    prepared = _prepare(asked, runtime)
    if asked.connection.dry_run or asked.connection.curl:
        print_request(runtime, prepared.body, as_curl=asked.connection.curl)
        return
    runtime.check_sendable()
    _send(asked, runtime, prepared)


def _check_flags(asked: Asked) -> None:
    chain, given = asked.chain, asked.request
    goes_on = asked.continuing or chain.continue_ or chain.from_ is not None
    if chain.previous_response_id is not None and goes_on:
        which = "--from" if chain.from_ is not None else "--continue"
        raise UsageError(f"--previous-response-id and {which} exclude each other: both name the response to go on from")
    if chain.conversation == "":
        raise UsageError("--conversation: must not be empty")
    if chain.conversation is not None and (goes_on or chain.previous_response_id is not None):
        raise UsageError("--conversation excludes a previous response (--previous-response-id, --continue, --from)")
    if asked.live and given.no_stream:
        raise UsageError("stream and --no-stream exclude each other", hint="cometresp ask --no-stream …")
    if given.include_obfuscation is not None and given.no_stream:
        raise UsageError("--include-obfuscation goes with a stream only, not with --no-stream")
    _check_extraction(asked)
    if chain.replay and not goes_on:
        raise UsageError("--replay goes with continue, --continue or --from: a new chain has nothing to replay")


def _check_extraction(asked: Asked) -> None:
    if not (asked.output.extract or asked.output.extract_last):
        return
    flag = "--extract" if asked.output.extract else "--extract-last"
    if asked.request.background and not asked.live:
        raise UsageError(f"{flag} goes with an answer, not with --background", hint=f"cometresp get ID --wait {flag}")
    structured = {
        "--schema": asked.request.schema is not None,
        "--schema-multi": asked.request.schema_multi is not None,
        "--json-object": asked.request.json_object,
    }
    for other, given in structured.items():
        if given:
            raise UsageError(f"{flag} and {other} exclude each other: such an answer is JSON, without a code block")


# the request ------------------------------------------------------------------------------------------------------


def _prepare(asked: Asked, runtime: Runtime) -> Prepared:
    """The body and the turn's place. Standard input is read before the head, so that `ask … | continue … -` works."""
    given = asked.request
    no_stdin = given.no_stdin or runtime.config.no_stdin
    inputs = Inputs(runtime.terminal, no_stdin=no_stdin, named=request.names_stdin(given))
    outputs = _tool_outputs(asked.chain, inputs)
    prompt = inputs.prompt(asked.words, given.file or [], given.file_as, given.image_detail)
    others = (given.input, given.body, given.prompt_id)
    if prompt.empty and not outputs and all(other is None for other in others):
        raise UsageError(
            "nothing to send: no prompt and nothing on standard input", hint='cometresp ask "…", or … | cometresp ask'
        )
    plan = _plan(asked, runtime)
    turn = _turn(asked, runtime, plan, prompt, outputs)
    stream = not (given.background and not asked.live)
    body = request.build(given, turn, inputs.text_of, runtime.terminal.warn, stream=stream)
    chains.check_secrets(body.get("tools"))
    if "model" not in body and not given.prompt_id:
        raise UsageError(
            f"no model: {runtime.base_url} has no default one",
            hint="-m MODEL or COMETAPI_DEFAULT_MODEL names it",
        )
    own = chains.own_items(body)
    model = body.get("model")
    if plan.replay:
        body = _replay(runtime, body, plan, own)
    return Prepared(body, plan, own, model if isinstance(model, str) else None)


def _replay(runtime: Runtime, body: dict[str, Any], plan: chains.Plan, own: list[dict[str, Any]]) -> dict[str, Any]:
    """The same turn with the recorded items in place of the id."""
    state = runtime.open_state(create=False)
    if state is None or plan.parent is None:
        raise OutputError("the state file is gone: the conversation can't be replayed")
    with closing(state):
        items = chains.replayed(state.lineage(plan.parent), runtime.base_url, body.get("model"))
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
    name = chains.chain_name(given.chain if given.chain is not None else runtime.chain)
    if not (asked.continuing or given.continue_ or given.from_ is not None):
        return chains.Plan(name=name, previous_id=given.previous_response_id)
    state = runtime.open_state(create=False)
    if state is None:
        raise UsageError(f"nothing to continue: chain {name} has no response yet", hint="cometresp ask … begins it")
    if state.reports:  # it was damaged and is set aside: there may have been a chain, but it can't be read
        state.close()
        raise OutputError(state.reports[0], hint="cometresp ask … begins anew")
    try:
        if not (given.no_save or asked.connection.dry_run or asked.connection.curl):
            state.check_writable()
        plan = chains.plan_continue(state, name, given.from_, runtime.base_url, replay=given.replay)
    finally:
        state.close()
    return chains.with_flags(plan, no_instructions=given.no_instructions, no_tools=given.no_tools, store=given.store)


def _turn(
    asked: Asked, runtime: Runtime, plan: chains.Plan, prompt: Prompt, outputs: list[tuple[str, str]]
) -> request.Turn:
    configured = runtime.config.model.value if runtime.config.model else None
    settings = plan.settings
    return request.Turn(
        text=prompt.text,
        parts=prompt.parts,
        outputs=chains.tool_outputs(outputs, plan.parent),
        model=plan.model or configured,
        instructions=settings.instructions,
        tools=settings.tools,
        store=asked.chain.store if plan.anew else settings.store,
        previous_response_id=plan.previous_id,
        conversation=asked.chain.conversation or settings.conversation,
    )


# the exchange -----------------------------------------------------------------------------------------------------


def _send(asked: Asked, runtime: Runtime, prepared: Prepared) -> None:
    """Send the turn, show and record what comes; raises the error that the end of it amounts to."""
    from cometresp.commands.recording import Recorder
    from cometresp.commands.showing import Showing
    from cometresp.exchange import exchange

    plan, only_id = prepared.plan, asked.request.background and not asked.live
    if plan.parent is not None and not plan.anew:
        model = prepared.model or "no model"
        runtime.terminal.note(
            escape_line(f"continuing {plan.name}: {plan.parent.id} · turn {plan.parent.number + 1} · {model}")
        )
    record = Recorder(runtime, _new_turn(runtime, prepared), off=asked.chain.no_save, must=not plan.anew)
    text = prepared.body.get("text") or {}
    showing = Showing(runtime, record, live=asked.live, only_id=only_id, tier=asked.request.service_tier, text=text)

    sent: dict[str, Any] = prepared.body

    def once(client: "Client", body: dict[str, Any], answer: "Answer") -> None:
        nonlocal sent
        sent = body
        with client.create(masking.resolved_body(body, runtime.terminal.environ), showing.sending) as events:
            exchange(events, answer, showing.screen, showing.seen)

    def converse(answer: "Answer") -> None:
        with runtime.client() as client:
            try:
                once(client, prepared.body, answer)
            except CometrespError as error:
                if answer.id or plan.parent is None or not _takes_no_id(error, prepared.body):
                    raise
                body = _replay_after(error, runtime, prepared)
                once(client, body, answer)

    answer = showing.run(converse)
    _warn_amnesia(runtime, sent, answer)
    showing.conclude(answer, allow_pending=only_id)


def _warn_amnesia(runtime: Runtime, body: dict[str, Any], answer: "Answer") -> None:
    """Design, promise 8: a server that names another previous response than was sent may not have remembered."""
    sent = body.get("previous_response_id")
    if sent is None or "previous_response_id" not in answer.response:
        return
    if answer.response["previous_response_id"] != sent:
        runtime.terminal.warn(f"the server may have answered without the earlier turns: its reply doesn't name {sent}")


def _takes_no_id(error: CometrespError, body: dict[str, Any]) -> bool:
    from cometresp.replies import knows_no_previous

    return body.get("previous_response_id") is not None and knows_no_previous(error)


def _replay_after(error: CometrespError, runtime: Runtime, prepared: Prepared) -> dict[str, Any]:
    """The turn as items, after the server refused the id. Raises what it said where the record isn't complete."""
    try:
        body = _replay(runtime, prepared.body, prepared.plan, prepared.own)
    except RequestRefusedError as gap:
        raise RequestRefusedError(f"{error.message}; {gap.message}", hint=gap.hint, said=error.said) from gap
    runtime.terminal.warn("the server doesn't go on from a response id: the recorded turns were sent instead")
    return body


def _new_turn(runtime: Runtime, prepared: Prepared) -> NewTurn:
    plan, body = prepared.plan, prepared.body
    keeps_text = runtime.config.record == "full"
    parent = plan.parent
    previous = body.get("previous_response_id")
    if parent is not None and previous not in (None, parent.id):  # --param or --body named another one
        parent = None
    return NewTurn(
        chain=plan.name,
        base_url=runtime.base_url,
        model=prepared.model,
        settings=chains.settings_of(masking.masked_body(body)),
        input=chains.recorded(prepared.own) if keeps_text else None,
        anew=plan.anew,
        parent=parent,
        previous_id=parent.id if parent else previous,
        stood=plan.stood,
    )
