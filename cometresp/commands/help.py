"""`cometresp help`: the page of the program, of a command, or of a topic."""

from typing import Annotated, Any

import typer

from cometresp.errors import UsageError
from cometresp.help.command import Command, Group
from cometresp.help.page import group_of
from cometresp.options.arguments import NoPager
from cometresp.text import escape_line

app = typer.Typer(add_completion=False)


def complete_pages(ctx: Any, incomplete: str) -> list[str]:
    """The commands and topics that begin so; the commands of a group behind its name."""
    from cometresp.help.topics import TOPICS

    command = ctx.root
    for word in ctx.arguments:
        command = group_of(command).get_command(None, word) if word in commands_of(command) else None
    names = [*commands_of(command), *(() if ctx.arguments else TOPICS)]
    return [name for name in names if name.startswith(incomplete)]


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
        typer.Argument(
            metavar="COMMAND|TOPIC",
            help="A command, exit-codes or environment.",
            show_default=False,
            autocompletion=complete_pages,
        ),
    ] = None,
    *,
    no_pager: NoPager = False,
) -> None:
    """Print the help of a command or a topic."""
    run(topic or [], ctx.find_root(), use_pager=not no_pager)


def run(words: list[str], root: Any, *, use_pager: bool = True) -> None:
    """`root` is Typer's context of the program."""
    from cometresp.help.layout import show
    from cometresp.help.topics import TOPICS, topic_page

    if len(words) == 1 and words[0] in TOPICS:
        show(topic_page(words[0]), use_pager=use_pager)
        return
    context = root
    for word in words:
        found, names = context_of(word, context)
        if found is None:
            raise _no_page(word, context.command_path, [*names, *(TOPICS if context is root else ())])
        context = found
    show(context.command.page(context, everything=False), use_pager=use_pager)


def context_of(word: str, context: Any) -> tuple[Any, list[str]]:
    """Typer's context of a command of a group, None where there is none; and the names of the group's commands."""
    names = commands_of(context.command)
    if word not in names:
        return None, names
    group = group_of(context.command)
    if group is not context.command:  # the command that a group's name stands for
        context = Group.make_context(group, context.info_name, [], parent=context.parent, resilient_parsing=True)
    command = group.get_command(context, word)
    return command.make_context(word, [], parent=context, resilient_parsing=True), names


def commands_of(command: Any) -> list[str]:
    """The names of a group's commands."""
    group = group_of(command)
    return [] if group is None else list(group.list_commands(None))


def _no_page(word: str, path: str, names: list[str]) -> UsageError:
    from cometresp.nearest import nearest

    known = nearest(word, names)
    page = path.replace("cometresp", "cometresp help", 1)
    hint = f"did you mean {page} {known}?" if known else f"pages: {', '.join(names)}" if names else f"see {page}"
    return UsageError(f"no help on {escape_line(word, 40)}", hint=hint)
