"""A run of `ask`, `stream` and `continue`, from the command line to the exit code: the table of contents."""

from contextlib import ExitStack

from cometresp.errors import CometrespError
from cometresp.options.asked import Asked
from cometresp.options.values import kind_of
from cometresp.runtime import Runtime
from cometresp.turns.prepare import _only_shows, _placed, _prepare, _tools, check_flags


def run(asked: Asked) -> None:
    try:
        _run(asked)
    except CometrespError as error:
        error.hint = _placed(error.hint, asked)
        raise


def _run(asked: Asked) -> None:
    runtime = Runtime(asked.connection, asked.output)
    kind_of(asked.output, runtime.terminal)  # a contradiction there is told before anything is read
    check_flags(asked)
    with ExitStack() as stack:
        tools = _tools(asked, runtime, stack) if asked.loop.functions else None
        prepared = _prepare(asked, runtime, tools)
        if _only_shows(asked):
            from cometresp.turns.dry_run import print_request

            print_request(runtime, prepared.body, as_curl=asked.connection.curl)
            return
        runtime.check_sendable()
        from cometresp.turns.send import send

        send(asked, runtime, prepared, tools)
