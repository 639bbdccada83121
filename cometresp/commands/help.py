"""`cometresp help`: the page of the program, of a command, or of a topic."""

from typing import Annotated, Any

import typer

from cometresp.errors import UsageError
from cometresp.help.command import Command
from cometresp.text import escape_line

app = typer.Typer(add_completion=False)


@app.command(
    cls=Command,
    epilog="""
    cometresp help ask
    cometresp help chains show
    cometresp help exit-codes
    """,
)
def help_(
    ctx: typer.Context,
    topic: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND|TOPIC", help="A command, exit-codes or environment.", show_default=False),
    ] = None,
) -> None:
    """Print the help of a command or a topic."""
    run(topic or [], ctx.find_root())


def run(words: list[str], root: Any) -> None:
    """`root` is Typer's context of the program."""
    from cometresp.help.layout import show
    from cometresp.help.topics import TOPICS, topic_page

    if len(words) == 1 and words[0] in TOPICS:
        show(topic_page(words[0]))
        return
    context = root
    for word in words:
        group = context.command
        command = group.get_command(context, word) if hasattr(group, "list_commands") else None
        if command is None:
            raise _no_page(word, context, list(TOPICS) if context is root else [])
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
    show(context.command.page(context, everything=False))


def _no_page(word: str, context: Any, topics: list[str]) -> UsageError:
    from cometresp.help.nearest import nearest

    group = context.command
    names = [*(group.list_commands(context) if hasattr(group, "list_commands") else ()), *topics]
    known = nearest(word, names)
    path = " ".join(["cometresp help", *context.command_path.split()[1:]])
    hint = f"did you mean {path} {known}?" if known else f"pages: {', '.join(names)}" if names else f"see {path}"
    return UsageError(f"no help on {escape_line(word, 40)}", hint=hint)
