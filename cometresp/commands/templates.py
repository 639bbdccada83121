"""`cometresp templates`: the prompts that are kept for --template. Offline: only their folder is read."""

from pathlib import Path
from typing import Annotated, Any, TypedDict

import typer

from cometresp.errors import ConfigError, Next, OutputError, UsageError
from cometresp.help.command import Command, Group
from cometresp.options.arguments import AsJson, InColor
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.runtime import Runtime, telling
from cometresp.templates.places import folder, names, path_of, read
from cometresp.templates.template import Template, parse
from cometresp.text import escape, escape_line, shell_arguments, to_bytes
from cometresp.tuples import NamedTuple

app = typer.Typer(cls=Group, add_completion=False)

_SKELETON = """\
# A template, used with: cometresp ask --template {name}
#
# Any flag can stand here by its long name: model = "gpt-5.4", temperature = 0.2, schema = "name, age int".
# {{variable}} is what --var variable=VALUE says, {{stdin}} what is piped in, {{input}} the typed prompt, {{{{ a brace.

description = ""

# instructions = "Answer in {{language}}."

prompt = \"""
\"""

# [vars]  # what variables are where --var says nothing
# language = "English"
"""


def _complete(ctx: Any, incomplete: str) -> list[tuple[str, str]]:  # noqa: ARG001 - as completion calls it
    from cometresp.templates.suggestions import template_names

    return template_names(incomplete)


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The template: a name, or a .toml file.", autocompletion=_complete)
]
SomeName = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The template.", show_default=False, autocompletion=_complete)
]


class Wanted(NamedTuple):
    """Which template, and how it is printed."""

    name: str | None = None
    as_json: bool = False


class ListedTemplate(TypedDict):
    """A template as `--json` prints it. `variables` have their defaults, null without one; `fault`: what is wrong."""

    name: str
    path: str
    description: str
    variables: dict[str, str | None]
    flags: dict[str, Any]
    fault: str | None


# declarations -------------------------------------------------------------------------------------------------------


@app.callback(invoke_without_command=True, short_help="List the kept prompts; show, edit or locate them.")
def templates(ctx: typer.Context, *, as_json: AsJson = False, color: InColor = "auto") -> None:
    """List the templates that --template takes by name; or one of the commands below."""
    if ctx.invoked_subcommand is None:
        run(Wanted(as_json=as_json), Runtime(ConnectionOptions(), OutputOptions(color=color)))


@app.command(cls=Command)
def show(name: Name, *, as_json: AsJson = False) -> None:
    """Print a template as it is in its file, or what is in it as JSON."""
    show_template(Wanted(name, as_json), Runtime(ConnectionOptions()))


@app.command(cls=Command)
def path(name: SomeName = None) -> None:
    """Print the file of a template, or the folder of all."""
    print_path(Wanted(name), Runtime(ConnectionOptions()))


@app.command(cls=Command)
def edit(name: Name) -> None:
    """Edit a template in $VISUAL or $EDITOR; it is made if it isn't there."""
    edit_template(Wanted(name), Runtime(ConnectionOptions()))


# what they do -------------------------------------------------------------------------------------------------------


@telling
def run(options: Wanted, runtime: Runtime) -> None:
    terminal, environ = runtime.terminal, runtime.terminal.environ
    listed = [_listed(name, runtime) for name in names(environ)]
    if options.as_json:
        terminal.print_json(listed)
        return
    for one in listed:
        if one["fault"]:
            terminal.warn(one["fault"])
    rows = [(one["name"], _variables(one["variables"]), one["description"]) for one in listed if not one["fault"]]
    if not terminal.stdout_tty:
        terminal.write(to_bytes("".join("\t".join(map(escape_line, row)) + "\n" for row in rows)))
    elif rows:
        from cometresp.render.tables import Column, table

        columns = Column("NAME"), Column("VARIABLES", "cut", spare=1), Column("DESCRIPTION", "rest")
        cells = [[escape_line(cell) for cell in row] for row in rows]
        terminal.write(terminal.encode(table(columns, cells, terminal)))
    elif not listed:
        make = runtime.hint("; ", Next("templates edit", "NAME"), " makes one")
        terminal.note(f"there is no template in {escape_line(str(folder(environ)))}{make}")


def _listed(name: str, runtime: Runtime) -> ListedTemplate:
    environ, argument = runtime.terminal.environ, "templates"
    try:
        file, text = read(name, environ, None, argument)
        return _as_dict(name, parse(text, file))
    except UsageError as error:
        file = path_of(name, environ, argument)
        return {
            "name": name,
            "path": str(file),
            "description": "",
            "variables": {},
            "flags": {},
            "fault": error.message,
        }


def _as_dict(name: str, template: Template) -> ListedTemplate:
    return {
        "name": name,
        "path": str(template.path),
        "description": template.description,
        "variables": template.variables,
        "flags": {flag.name: flag.value for flag in template.flags.values()},
        "fault": None,
    }


def _variables(variables: dict[str, str | None]) -> str:
    return " ".join(name if default is None else f"{name}={default}" for name, default in variables.items())


@telling
def show_template(options: Wanted, runtime: Runtime) -> None:
    """The text of the file; with --json what it says, which has to be right."""
    terminal, name = runtime.terminal, options.name or ""
    file, text = read(name, terminal.environ, runtime.reading, "NAME")
    if options.as_json:
        terminal.print_json(_as_dict(name, parse(text, file)))
        return
    text = text if text.endswith("\n") or not text else f"{text}\n"
    terminal.write(to_bytes(escape(text) if terminal.stdout_tty else text))


@telling
def print_path(options: Wanted, runtime: Runtime) -> None:
    environ = runtime.terminal.environ
    found = folder(environ) if options.name is None else path_of(options.name, environ, "NAME")
    runtime.terminal.write(to_bytes(f"{found}\n"))


@telling
def edit_template(options: Wanted, runtime: Runtime) -> None:
    """The file in the editor; whatever is wrong with it afterwards, its text stays."""
    from cometresp.editor import command, edit

    terminal, name = runtime.terminal, options.name or ""
    file = path_of(name, terminal.environ, "NAME")
    command(terminal.environ, "templates edit")  # raises before a file is made
    skeleton = _SKELETON.format(name=name)
    made = _make(file, skeleton)
    try:
        edit(str(file), terminal, "templates edit")
    except UsageError:
        _remove_unchanged(file, skeleton, made=made)
        raise
    if _remove_unchanged(file, skeleton, made=made):
        terminal.note(f"{escape_line(name)} was not changed, and not made")
        return
    try:
        parse(read(name, terminal.environ, None, "NAME")[1], file)
    except (UsageError, ConfigError) as error:
        again = Next("templates edit", (shell_arguments(name),))
        raise error.and_hint(("the text is kept: ", again)) from error


def _make(file: Path, text: str) -> bool:
    """Make the file if it isn't there; returns whether it was made. Raises OutputError."""
    try:
        if file.exists():
            return False
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as made:
            made.write(text)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{escape_line(str(file), 200)} can't be written: {reason}") from error
    return True


def _remove_unchanged(file: Path, skeleton: str, *, made: bool) -> bool:
    """Remove a file that was just made, and that nobody has changed."""
    try:
        if made and file.read_text(encoding="utf-8") == skeleton:
            file.unlink()
            return True
    except (OSError, ValueError):
        return False
    return False
