"""The help pages as the program makes them, without running it."""

from collections.abc import Iterator
from typing import Any

import typer

from cometresp.cli import COMMANDS, app
from cometresp.help.page import Section, group_of
from tests.docs.examples import Example, statements


def pages() -> Iterator[tuple[str, list[Section]]]:
    """The sections of `--help-all`, by the words of the command: "batch merge"; nothing for the program itself."""
    program: Any = typer.main.get_command(app)
    root = program.make_context("cometresp", [], resilient_parsing=True)
    yield "", root.command.page(root, everything=True).sections
    for name in COMMANDS:
        command = program.get_command(root, name)
        context = command.make_context(name, [], parent=root, resilient_parsing=True)
        yield name, command.page(context, everything=True).sections
        if (group := group_of(command)) is not None:
            for word in group.list_commands(None):
                below = group.get_command(context, word).make_context(word, [], parent=context, resilient_parsing=True)
                yield f"{name} {word}", below.command.page(below, everything=True).sections


def help_examples() -> list[Example]:
    """The examples of the help pages; their page is what prints them, as in `help batch merge`."""
    shown = [
        (command, "\n".join(row[0] for row in section.rows))
        for command, sections in pages()
        for section in sections
        if section.title == "Examples"
    ]
    return [Example(f"help {command}".strip(), text) for command, block in shown for text in statements(block)]
