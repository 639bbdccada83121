"""`cometresp again`: the same turn once more, from the record."""

from functools import partial
from typing import Annotated, Any

import typer

from cometresp.errors import Hint, Next, UsageError
from cometresp.help.command import Command
from cometresp.options.asked import Asked
from cometresp.options.spread import spread
from cometresp.options.tables import (
    ChainOptions,
    ConnectionOptions,
    LoopOptions,
    OutputOptions,
    RequestOptions,
    complete_ids,
)
from cometresp.runtime import Runtime, telling
from cometresp.text import quoted, shell_flag
from cometresp.turns.run import run
from cometresp.wire.ids import is_plain_id

app = typer.Typer(add_completion=False)

# What says where the turn stands and what it says: both are recorded.
_INPUT = ("file", "file_as", "image_detail", "input", "template", "var", "edit", "body")
_PLACE = ("continue_", "from_", "previous_response_id", "conversation", "tool_output", "tool_output_file")

# Of the fields that make a request, the config file has defaults for these alone: the others are recorded.
_CONFIGURED = {"no_save", "fallback_model"}


def _from_the_record(command: Any) -> Any:
    command.shared -= {*RequestOptions._fields, *ChainOptions._fields} - _CONFIGURED
    return command


ResponseIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID",
        help="Response id or its unique start, last, @CHAIN; with ~N behind it, N turns before [default: the chain's "
        "last turn].",
        show_default=False,
        autocompletion=complete_ids,
    ),
]


@app.command(
    cls=Command,
    short_help="The same turn once more, from the record.",
    epilog="""
    cometresp again -m gpt-5.4-mini
    cometresp again @review --temperature 0.2
    cometresp continue --from last~1 "Another question in its place"
    """,
)
@_from_the_record
@partial(spread, hidden=(*_INPUT, *_PLACE, "no_stdin"))
def again(
    *,
    response_id: ResponseIds = None,
    request: RequestOptions,
    chain: ChainOptions,
    loop: LoopOptions,
    output: OutputOptions,
    connection: ConnectionOptions,
) -> None:
    """Send a recorded turn once more, with what the flags change."""
    asked = Asked([], request, chain, loop, output, connection, streaming=False, continuing=False)
    _again(asked._replace(words=response_id or []), Runtime(connection, output, chain=chain.chain))


@telling
def _again(asked: Asked, runtime: Runtime) -> None:
    check(asked)
    run(asked._replace(words=[], again=(asked.words or [""])[0]), runtime)


def check(asked: Asked) -> None:
    """Raises UsageError for a prompt, and for flags that name another input or place."""
    words = asked.words
    if len(words) > 1 or any(" " in word or "\n" in word for word in words):
        first = words[0] if len(words) > 1 and any(map(str.isdigit, words[0])) and is_plain_id(words[0]) else "last"
        hint: Hint = (Next("continue", (shell_flag("--from", f"{first}~1"), "…")), " asks something else in its place")
        raise UsageError(f"again takes an id and no prompt: {quoted(words[-1])}", hint=hint)
    for group, names, what in (
        (asked.request, _INPUT, "the recorded input is sent again"),
        (asked.chain, _PLACE, "the turn is sent in its recorded place"),
    ):
        for name in names:
            if _is_given(group, name):
                raise UsageError(f"--{name.strip('_').replace('_', '-')} doesn't go with again: {what}")


def _is_given(group: Any, name: str) -> bool:
    return getattr(group, name, None) not in (None, False, [])
