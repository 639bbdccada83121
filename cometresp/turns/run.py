"""A run of `ask`, `stream`, `continue` and `again`, from the command line to the exit code: the table of contents.

    check       flags that contradict each other
    read        read the prompt and the files, which the user may type or edit: `attended` begins after it
    prepare     plan the turn's place, build the body, settle calls that were left open
    show        --dry-run and --curl print the request in place of sending it; --count-tokens prints its size
    run_turns   send it, show and record what comes, answer the model's calls, turn after turn; then conclude: print
                what is printed at the end, and raise the error that the run amounts to

The exit code is that of the error (`cli.run`).
"""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from cometresp.options.asked import Asked
from cometresp.runtime import Runtime, telling
from cometresp.turns.prepare import Prepared, prepare, read
from cometresp.wire import endpoints

if TYPE_CHECKING:
    from cometresp.turns.draft import Draft
    from cometresp.turns.tools import Tools


@telling
def run(asked: Asked, runtime: Runtime) -> None:
    """Run one command line of `ask`, `stream`, `continue` or `again`. Raises the error that its end amounts to."""
    asked.check()
    if runtime.terminal.stderr_tty:
        from cometresp.turns.display import draw_waits

        draw_waits(runtime)
    with ExitStack() as stack:
        tools = None
        if asked.loop.functions or asked.loop.mcp:
            functions, servers = tuple(asked.loop.functions or ()), tuple(asked.loop.mcp or ())
            runtime.flags = runtime.flags._replace(functions=functions, mcp=servers)
            from cometresp.turns.tools import Tools

            tools = stack.enter_context(Tools.of(asked.loop, runtime))
        if asked.again is not None:
            from cometresp.turns.again import prepare_again

            _attend(asked, runtime, stack)
            asked, prepared = prepare_again(asked, runtime, tools)
            _send(asked, runtime, prepared, stack, tools)
            return
        draft = None
        if asked.request.edit:
            from cometresp.turns.draft import Draft

            draft = stack.enter_context(Draft(runtime, "continue" if asked.continuing else "ask"))
        if not asked.connection.only_shows:
            runtime.expect_request()
        given = read(asked, runtime, draft)
        _attend(asked, runtime, stack)
        prepared = prepare(asked, runtime, given, tools)
        _send(asked, runtime, prepared, stack, tools, draft)


def _attend(asked: Asked, runtime: Runtime, stack: ExitStack) -> None:
    if not asked.asks_no_model:
        from cometresp.turns.attention import attended

        stack.enter_context(attended(runtime))


def _send(
    asked: Asked,
    runtime: Runtime,
    prepared: Prepared,
    stack: ExitStack,
    tools: "Tools | None",
    draft: "Draft | None" = None,
) -> None:
    """Send the turn and those that follow, or show the request."""
    if asked.connection.only_shows:
        from cometresp.turns.dry_run import show

        request = endpoints.count_tokens if asked.request.count_tokens else endpoints.create
        show(runtime, request(prepared.body))
        return
    runtime.check_sendable()
    if asked.request.count_tokens:
        from cometresp.turns.count import count_tokens

        count_tokens(asked, runtime, prepared)
        return
    from cometresp.turns.loop import run_turns
    from cometresp.turns.unknown_model import naming_near_models_of_answers

    with naming_near_models_of_answers(runtime, prepared.model):
        run_turns(asked, runtime, prepared, tools, stack, draft)
