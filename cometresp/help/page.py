"""A command -> its page of help: the everyday flags, or all.

A flag without a panel is the command's own, and always shown; one with a panel is shared with other commands.
"""

from collections.abc import Iterable, Mapping
from inspect import cleandoc
from typing import Any

from cometresp.help.phrases import metavar
from cometresp.options.everyday import EVERYDAY
from cometresp.tuples import NamedTuple

_HELP_FLAGS = ("--help", "--help-all")


class Section(NamedTuple):
    """A heading, and rows of two columns; a row without a second is a line of its own, printed as it is."""

    title: str
    rows: list[tuple[str, str]]


class Page(NamedTuple):
    usage: str
    about: str
    sections: list[Section]
    ending: str = ""


def page_of(ctx: Any, *, everything: bool) -> Page:
    command = ctx.command
    options = [param for param in command.get_params(ctx) if param.param_type_name == "option" and not param.hidden]
    if not any(option.rich_help_panel for option in options):
        options = [option for option in options if "--help-all" not in option.opts]  # -h has all already
    arguments = [param for param in command.params if param.param_type_name == "argument" and not param.hidden]
    short = not everything and any(
        name in EVERYDAY and option.rich_help_panel for option in options for name in option.opts
    )
    sections = (
        [Section("Arguments", [(_shown_argument(one), one.help or "") for one in arguments])] if arguments else []
    )
    if (group := group_of(command)) is not None:
        sections += command_sections(ctx, group=group)
    sections += [Section("Flags", _everyday(options))] if short else _panels(options)
    if command.epilog:
        sections.append(Section("Examples", [(line, "") for line in cleandoc(command.epilog).splitlines()]))
    ending = "Exit codes: cometresp help exit-codes. Variables: cometresp help environment" if short else ""
    return Page(usage_of(ctx), cleandoc(command.help or ""), sections, ending)


def group_of(command: Any) -> Any:
    """The group whose commands stand behind the name of a command; None for a plain command."""
    return command if hasattr(command, "list_commands") else getattr(command, "group", None)


def command_sections(
    ctx: Any, groups: Mapping[str, Iterable[str]] | None = None, *, group: Any = None
) -> list[Section]:
    """The commands of a group, each with its first sentence."""
    group = group or ctx.command
    groups = groups or {"Commands": group.list_commands(ctx)}
    return [
        Section(title, [(name, group.get_command(ctx, name).get_short_help_str(200)) for name in names])
        for title, names in groups.items()
    ]


def usage_of(ctx: Any) -> str:
    """`cometresp get [FLAGS] ID`: what a command takes."""
    params = ctx.command.params
    required = [f"{one.opts[0]} {metavar(one)}" for one in params if one.param_type_name == "option" and one.required]
    arguments = [one for one in params if one.param_type_name == "argument" and not one.hidden]
    words = [_shown_argument(one) if one.required else f"[{_shown_argument(one)}]" for one in arguments]
    command = ["[COMMAND]"] if hasattr(ctx.command, "list_commands") else []
    return " ".join([ctx.command_path, *command, "[FLAGS]", *required, *words])


def _shown_argument(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _everyday(options: list[Any]) -> list[tuple[str, str]]:
    own = [option for option in options if not option.rich_help_panel and option.opts[0] not in _HELP_FLAGS]
    by_name = {name: option for option in options if option.rich_help_panel for name in option.opts}
    return [
        *((_names(option, option.opts), _help(option)) for option in own),
        *((_names(by_name[name], [name]), text) for name, text in EVERYDAY.items() if name in by_name),
        *((_names(option, option.opts), _help(option)) for option in options if option.opts[0] in _HELP_FLAGS),
    ]


def _panels(options: list[Any]) -> list[Section]:
    """All flags, those of a panel together; the command's own come first, the help flags last among them."""
    own: list[tuple[str, str]] = []
    panels: dict[str, list[tuple[str, str]]] = {"": own}
    for option in options:
        row = (_names(option, [*option.opts, *option.secondary_opts]), _help(option))
        panels.setdefault(option.rich_help_panel or "", []).append(row)
    panels[""] = panels.pop("")  # the last of all
    shared = len(panels) > 1
    return [
        Section(title or ("Other flags" if shared and own == [] else "Flags"), rows)
        for title, rows in panels.items()
        if rows
    ]


def _names(option: Any, names: list[str]) -> str:
    """`-m, --model MODEL`: the short name first; a flag without one is indented, so that the long ones are in line."""
    short = [name for name in option.opts if not name.startswith("--")]
    long = [name for name in names if name.startswith("--")]
    joined = "/".join(long) if option.secondary_opts else ", ".join(long)
    shown = ", ".join([*short, joined]) if short else f"    {joined}"
    return shown if option.is_flag else f"{shown} {metavar(option)}"


def _help(option: Any) -> str:
    text = option.help or ""
    default = option.default
    if option.show_default and not option.is_flag and default is not None:
        text = f"{text.rstrip('.')} [default: {getattr(default, 'value', default)}]."
    return text
