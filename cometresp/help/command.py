"""The classes of commands: how their words are read, and their help flags.

They extend Typer's, which declares and parses. What an error is answered with is loaded only where there is one.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from cometresp.errors import UsageError
from cometresp.help.words import flags_of, read, with_flags_first
from cometresp.text import DASHES

if TYPE_CHECKING:
    from cometresp.help.page import Page

_SIGNS = f"-/{DASHES}"  # what a word begins with that may be a mistake


@cache
def _help_options() -> list[TyperOption]:
    """-h and --help-all; the same objects each time, since Typer compares them by identity."""
    return [
        _help_option(["--help", "-h"], "Print this help.", _print_help),
        _help_option(["--help-all"], "Print all flags.", _print_all_help),
    ]


def _help_option(names: list[str], text: str, callback: Any) -> TyperOption:
    return TyperOption(
        param_decls=names, help=text, callback=callback, is_flag=True, is_eager=True, expose_value=False, default=False
    )


def _print_help(ctx: typer.Context, _: Any, value: Any) -> None:
    _print(ctx, value, everything=False)


def _print_all_help(ctx: typer.Context, _: Any, value: Any) -> None:
    _print(ctx, value, everything=True)


def _print(ctx: typer.Context, value: Any, *, everything: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from cometresp.help.layout import show

    show(ctx.command.page(ctx, everything=everything))  # type: ignore[attr-defined] # it is one of those below
    raise typer.Exit


def _read(command: Any, ctx: Any, args: list[str]) -> list[str]:
    """The words of a command line for Typer's parser. Raises UsageError for a mistake that it wouldn't find."""
    if ctx.resilient_parsing or not any(word and word[0] in _SIGNS for word in args):
        return args
    from cometresp.help.mistakes import check

    flags = flags_of(command.get_params(ctx))
    pieces = list(read(args, flags))
    prompt = any(param.name == "prompt" for param in command.params)
    check(pieces, flags, command.name or "", prompt=prompt)
    like_flags = any(piece.kind == "word" and piece.text.startswith("-") and piece.text != "-" for piece in pieces)
    return with_flags_first(pieces) if prompt and like_flags else args


class Command(TyperCommand):
    """A command. `whole` makes the same with all its options, where this one has only those that its words name."""

    whole: "Callable[[], Command] | None" = None

    def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
        try:
            return super().make_context(info_name, list(args), parent, **extra)
        except Exception as error:
            from typer.exceptions import TyperException

            if self.whole is None or not isinstance(error, (TyperException, UsageError)):
                raise
        return self.whole().make_context(info_name, args, parent, **extra)  # its message may name any flag

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ARG002 - Typer's signature
        return [*self.params, *_help_options()]

    def page(self, ctx: Any, *, everything: bool) -> "Page":
        from cometresp.help.page import page_of

        return page_of(ctx, everything=everything)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _read(self, ctx, args))

    def invoke(self, ctx: Any) -> Any:
        if shared := getattr(self.callback, "shared", None):
            from cometresp.settings.invoke import invoke

            return invoke(ctx, shared, super().invoke, partial(self.flags_of_template, ctx))
        return super().invoke(ctx)

    def flags_of_template(self, ctx: Any, name: str, variables: list[str], terminal: Any, reading: Any) -> Any:
        """The flags of a template, by the fields of the options. Its prompt becomes the object of the context."""
        from cometresp.templates.use import used

        found = used(name, variables, terminal.environ, reading, terminal.warn)
        ctx.obj = found.prompt
        return found.flags


class Group(TyperGroup):
    command_class = Command

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ARG002
        return [*self.params, *_help_options()]

    def page(self, ctx: Any, *, everything: bool) -> "Page":
        from cometresp.help.page import page_of

        return page_of(ctx, everything=everything)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not ctx.resilient_parsing and args and args[0] not in (names := self.list_commands(ctx)):
            from cometresp.help.explain import no_command

            raise no_command(args, names, ctx.command_path)
        return super().resolve_command(ctx, args)


class DefaultCommand(Command):
    """The command that the name of a group stands for, alone or before anything that is no command of the group.

    Its words are kept, as `ctx.meta["words"]`: a hint may say how to type it again.
    """

    group: "GroupWithDefault"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["words"] = tuple(args)
        return super().parse_args(ctx, args)

    def flags_of_template(self, _: Any, name: str, variables: list[str], terminal: Any, reading: Any) -> Any:
        """Those that depend on no variables whose values come row by row."""
        from cometresp.templates.use import open_flags

        return open_flags(name, variables, terminal.environ, reading, terminal.warn)


class GroupWithDefault(Group):
    """A group whose name is a command, too: `batch FILE` beside `batch merge OUT`.

    That command is declared in it as a DefaultCommand, by whatever name. A file that is called as one of the others is
    named by a path, such as `./merge`. A word that is no file, but nearly the name of a command, is taken for that.
    """

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        name = next(name for name, command in self.commands.items() if isinstance(command, DefaultCommand))
        self.default = self.commands.pop(name)
        self.default.group = self  # type: ignore[attr-defined]

    def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        if args and not args[0].startswith("-") and not extra.get("resilient_parsing"):
            self._check_no_command(args, f"{parent.command_path} {info_name}" if parent else str(info_name))
        return self.default.make_context(info_name, args, parent, **extra)

    def _check_no_command(self, args: list[str], path: str) -> None:
        """Raises UsageError where the first word is nearly the name of a command, and no file."""
        from os.path import lexists

        from cometresp.nearest import nearest

        if "\0" not in args[0] and not lexists(args[0]) and nearest(args[0], self.commands):
            from cometresp.help.explain import no_command

            raise no_command(args, list(self.commands), path)
