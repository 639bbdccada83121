"""`cometresp config`: what is set and from where; changes of the config file. Nothing is sent."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cometresp.config import VARIABLES
from cometresp.config_file import ConfigFile, clean, config_path, load_file
from cometresp.errors import CometrespError, ConfigError, Next, UsageError
from cometresp.help.command import Command, Group
from cometresp.options.arguments import AsJson
from cometresp.options.tables import ConnectionOptions, complete_profiles
from cometresp.runtime import Runtime, telling
from cometresp.terminal import terminal_size
from cometresp.text import escape_line, to_bytes
from cometresp.tuples import NamedTuple

if TYPE_CHECKING:
    from cometresp.settings.listing import Listed

app = typer.Typer(cls=Group, add_completion=False)


class Show(NamedTuple):
    """Which settings are shown, and how. `everything`: also those that aren't set."""

    profile: str | None
    as_json: bool
    everything: bool


class One(NamedTuple):
    """A setting by its NAME, and its new VALUE."""

    name: str
    profile: str | None
    value: str = ""


class KeyFor(NamedTuple):
    """What a key is stored for: a profile, or a base URL; None for the one that is set. `typed`: it is an argument."""

    profile: str | None
    base_url: str | None
    typed: bool = False


# declarations -------------------------------------------------------------------------------------------------------


def complete_settings(ctx: Any, incomplete: str) -> list[tuple[str, str]]:  # noqa: ARG001 - as completion calls it
    """The names of settings that begin as typed: those of flags, and what is in the tables of the file."""
    from cometresp.settings.suggestions import setting_names

    return setting_names(incomplete)


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="The long name of a flag, as reasoning_effort; record, key_command; aliases.NAME, profile.NAME.SETTING.",
        show_default=False,
        autocompletion=complete_settings,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Use [profile.NAME] of the config file.",
        show_default=False,
        autocompletion=complete_profiles,
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="List settings that aren't set, too.")]


@app.callback(invoke_without_command=True, short_help="Show and change the settings.")
def config(
    ctx: typer.Context, *, profile: Profile = None, as_json: AsJson = False, everything: Everything = False
) -> None:
    """Show the settings, with their values and where these come from; or one of the commands below."""
    ctx.obj = profile
    if ctx.invoked_subcommand is None:
        run(Show(_chosen(ctx, profile), as_json, everything), _runtime())


@app.command(cls=Command)
def show(
    ctx: typer.Context, *, profile: Profile = None, as_json: AsJson = False, everything: Everything = False
) -> None:
    """Print the settings, each with where its value comes from."""
    run(Show(_chosen(ctx, profile), as_json, everything), _runtime())


@app.command(cls=Command)
def path() -> None:
    """Print where the config file is, or would be."""
    print_path(None, _runtime())


@app.command(cls=Command)
def get(ctx: typer.Context, name: Name, *, profile: Profile = None) -> None:
    """Print the value of a setting: a string as it is, anything else as JSON."""
    print_value(One(name, _chosen(ctx, profile)), _runtime())


@app.command(
    "set",
    cls=Command,
    epilog="""
    cometresp config set reasoning_effort low
    cometresp config set aliases.fast gpt-5.4-mini
    cometresp config set --profile work base_url https://llm.example.com/v1
    cometresp config set header '["X-Team: docs"]'
    """,
)
def set_(
    ctx: typer.Context,
    name: Name,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help='true, 3, ["a", "b"]; else a string.', show_default=False)
    ],
    *,
    profile: Profile = None,
) -> None:
    """Write a setting to the config file."""
    set_value(One(name, _chosen(ctx, profile), value), _runtime())


@app.command(cls=Command)
def unset(ctx: typer.Context, name: Name, *, profile: Profile = None) -> None:
    """Remove a setting, or a table such as profile.work, from the config file."""
    unset_value(One(name, _chosen(ctx, profile)), _runtime())


@app.command(
    "set-key",
    cls=Command,
    epilog="""
    cometresp config set-key
    pass show comet | cometresp config set-key --profile work
    """,
)
def set_key(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    *,
    profile: Profile = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="Base URL of the server that gets the key.", show_default=False),
    ] = None,
) -> None:
    """Store a key in the config file: it is asked for, or read from standard input."""
    store_key(KeyFor(_chosen(ctx, profile), base_url, bool(words)), _runtime())


@app.command(cls=Command)
def edit() -> None:
    """Open the config file in $VISUAL or $EDITOR, and check it afterwards."""
    edit_file(None, _runtime())


def _chosen(ctx: typer.Context, profile: str | None) -> str | None:
    """The profile; the flag may stand before the subcommand and after it. Raises UsageError for an empty one."""
    name = profile if profile is not None else ctx.obj
    if name == "":
        raise UsageError("--profile: must not be empty")
    return name


def _runtime() -> Runtime:
    return Runtime(ConnectionOptions())


# runs ---------------------------------------------------------------------------------------------------------------


@telling
def run(options: Show, runtime: Runtime) -> None:
    """A table on a terminal, tab-separated lines into a pipe. Faults of the file come as errors after it."""
    from cometresp.settings.checks import loaded
    from cometresp.settings.listing import as_dict, listed

    file, found = loaded(os.environ, options.profile, runtime.reading)
    rows = listed(file, os.environ, unset=options.everything)
    terminal = runtime.terminal
    if options.as_json:
        terminal.print_json([as_dict(one) for one in rows])
    elif terminal.stdout_tty:
        _print_table(runtime, rows, file)
    else:
        lines = ("\t".join(map(escape_line, (one.name, one.text, one.source))) + "\n" for one in rows)
        terminal.write(to_bytes("".join(lines)))
    _raise_all(runtime, found)


def _print_table(runtime: Runtime, rows: "list[Listed]", file: ConfigFile) -> None:
    from cometresp.render.tables import Column, table

    terminal = runtime.terminal
    sources = {str(file.path): "file", f"{file.path}, profile {file.profile}": f"profile {file.profile}"}
    lines = [[escape_line(cell) for cell in (one.name, one.text, sources.get(one.source, one.source))] for one in rows]
    wide = 2 * max(len(line[0]) for line in lines) <= terminal_size((1, 2))[0]
    columns = Column("SETTING", "whole" if wide else "fold"), Column("VALUE", "rest"), Column("FROM")
    terminal.write(terminal.encode(table(columns, lines, terminal)))
    there = "" if file.path.exists() else " (not there yet)"
    terminal.note(f"file: {escape_line(str(file.path))}{there}")


@telling
def print_path(_: None, runtime: Runtime) -> None:
    _print_line(runtime, str(config_path(os.environ)[0]))


@telling
def print_value(options: One, runtime: Runtime) -> None:
    from cometresp.settings.assign import path_of
    from cometresp.settings.listing import value_of

    name = path_of(options.name)
    file = load_file(os.environ, profile=options.profile, reading=runtime.reading)
    one = value_of(name, file, os.environ)
    if one is None:
        raise UsageError(f"{options.name} is not set", hint=(Next("config show"), " lists what is"))
    _print_line(runtime, one.text)


@telling
def set_value(options: One, runtime: Runtime) -> None:
    from cometresp.settings import assign, editing

    name = assign.path_of(options.name, options.profile)
    assign.check_settable(name)
    value = assign.value_for(name, options.value)
    path = config_path(os.environ)[0]
    assign.check_change(path, editing.read(path), name, value)
    editing.set_value(path, name, value)
    _note_precedence(runtime, name)


@telling
def unset_value(options: One, runtime: Runtime) -> None:
    from cometresp.settings import assign, editing
    from cometresp.settings.document import split_name
    from cometresp.settings.keys import another_name

    path = config_path(os.environ)[0]
    written = split_name(options.name) or ()  # a name that isn't known may be the fault of the file
    if options.profile is not None:
        written = ("profile", options.profile, *written)
    if not written or not editing.unset_value(path, written):
        written = assign.path_of(options.name, options.profile)
        if not editing.unset_value(path, written):
            hint = another_name(options.name, editing.read(path))
            raise UsageError(f"{options.name} is not set in {escape_line(str(path))}", hint=hint)
    _note_precedence(runtime, written)


@telling
def store_key(options: KeyFor, runtime: Runtime) -> None:
    from cometresp.settings import editing
    from cometresp.settings.keys import base_url_of, key_of, place_for

    if options.typed:
        message = "a key is no argument, since the list of processes would show it"
        raise UsageError(message, hint=("without it, ", Next("config set-key"), " asks for the key"))
    if options.profile is not None and options.base_url is not None:
        raise UsageError("--profile and --base-url exclude each other: a key is stored for one of them")
    path = config_path(os.environ)[0]
    table = editing.read(path)
    name: tuple[str, ...]
    if options.profile is not None:
        name, owner = ("profile", options.profile, "key"), f"profile {options.profile}"
    else:
        name = place_for(base_url_of(options.base_url, load_file(os.environ), os.environ), table, path)
        owner = name[1]
    key = key_of(*_typed_key(runtime, owner))
    runtime.secrets.add_key(key)
    editing.set_value(path, name, key, private=True)
    runtime.terminal.note(f"the key for {escape_line(owner, 200)} is stored in {escape_line(str(path))}")
    if os.environ.get("COMETAPI_KEY"):
        runtime.terminal.note("COMETAPI_KEY is set, and takes precedence")


def _typed_key(runtime: Runtime, owner: str) -> tuple[str, str]:
    """The line with the key, and where it was read."""
    terminal = runtime.terminal
    if terminal.stdin_tty:
        typed = terminal.ask(f"key for {escape_line(owner, 200)} (not shown): ", secret=True)
        if typed is None:
            raise UsageError("no key: nobody can be asked here", hint=("… | ", Next("config set-key")))
        return typed, "what was typed"
    with terminal.waiting("waiting for the key on standard input"):
        line = terminal.stdin.readline(100_000) if terminal.stdin else b""
    return line.decode("utf-8-sig", "replace"), "standard input"


@telling
def edit_file(_: None, runtime: Runtime) -> None:
    """The file itself is edited: what the user wrote stays there, whatever is wrong with it."""
    from cometresp.editor import edit as open_editor
    from cometresp.settings import editing
    from cometresp.settings.checks import faults_of_file

    path = config_path(os.environ)[0]
    is_new = editing.create(path)
    try:
        while True:
            open_editor(str(path), runtime.terminal, "config edit")
            found = faults_of_file(path)
            if not found or not _edits_again(runtime, found):
                break
    finally:
        if is_new:
            editing.remove_untouched(path)
    if found:
        _raise_all(runtime, found)


def _edits_again(runtime: Runtime, found: list[ConfigError]) -> bool:
    """Whether the user wants to mend the faults; nobody is asked where there is no terminal."""
    lines = "".join(f"{escape_line(fault.message)}\n" for fault in found)
    answer = runtime.terminal.ask(f"{lines}edit it again? [Y/n] ")
    return answer is not None and answer.strip().lower() in ("y", "yes", "") and answer != ""


# how ----------------------------------------------------------------------------------------------------------------


def _raise_all(runtime: Runtime, found: list[ConfigError]) -> None:
    for fault in found[:-1]:
        runtime.terminal.error(fault.message, fault.hint)
    if found:
        raise found[-1]


def _print_line(runtime: Runtime, text: str) -> None:
    terminal = runtime.terminal
    terminal.write(terminal.encode(escape_line(text) + "\n") if terminal.stdout_tty else _bytes(text) + b"\n")


def _bytes(text: str) -> bytes:
    """The text, as which the name of a file is the bytes that it is."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        return to_bytes(text)


def _note_precedence(runtime: Runtime, name: tuple[str, ...]) -> None:
    """Say that a variable or a profile hides what was set."""
    setting = name[-1]
    if clean(os.environ.get(VARIABLES.get(setting, ""))) and (len(name) == 1 or name[0] == "profile"):
        runtime.terminal.note(f"{VARIABLES[setting]} is set, and takes precedence")
        return
    try:
        file = load_file(os.environ)
    except CometrespError:
        return
    if len(name) == 1 and file.profile and setting in file.layers[0].values:
        runtime.terminal.note(f"profile {file.profile} is chosen, and its {setting} takes precedence")
