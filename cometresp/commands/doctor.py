"""`cometresp doctor`: what is set, what is there, and with `--probe` what the server takes. Nothing is recorded."""

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

import typer
from typer.core import TyperCommand

from cometresp.config_file import config_path
from cometresp.doctor.facts import Fact, Section
from cometresp.errors import CometrespError, ConfigError, OutputError, StoppedError, UsageError
from cometresp.help.command import Command
from cometresp.options.arguments import AsJson
from cometresp.options.spread import spread
from cometresp.options.tables import ConnectionOptions, OutputOptions, complete_models
from cometresp.options.values import check
from cometresp.runtime import Runtime, telling
from cometresp.settings.listing import Listed, ListedSetting, as_dict
from cometresp.text import escape_line, to_bytes
from cometresp.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cometresp.catalogue.price import Price
    from cometresp.doctor.probe import Trial

RESPONSE = "response"  # the trial that must work; what else a server lacks is no problem
_WIDTH = 22  # columns of a name

app = typer.Typer(add_completion=False)


class Examination(NamedTuple):
    fault: CometrespError | None  # of the config file
    probe: bool
    model: str | None
    as_json: bool


class Probed(NamedTuple):
    """What was tried, and what it cost at most in USD; None where that isn't known."""

    trials: "list[Trial]"
    cost: float | None


class Problem(TypedDict):
    message: str
    hint: str | None
    exit_code: int


class ListedTrial(TypedDict):
    """What a probe tried; `works` is None where it wasn't tried."""

    name: str
    works: bool | None
    detail: str


class Document(TypedDict, total=False):
    """What `--json` prints. `probe` only with `--probe`, `cost_at_most` in USD, None where it isn't known."""

    versions: dict[str, Any]
    settings: list[ListedSetting]
    files: dict[str, Any]
    server: dict[str, Any]
    terminal: dict[str, Any]
    probe: list[ListedTrial]
    cost_at_most: float | None
    problems: list[Problem]


class Anyway(Command):
    """A command that is run also where the config file has faults; its flags then have no defaults from there.

    What is wrong with the file is the object of its context.
    """

    def invoke(self, ctx: Any) -> Any:
        from cometresp.settings.invoke import invoke

        typed = dict(ctx.params)
        try:
            invoke(ctx, ConnectionOptions._fields, _check, partial(self.flags_of_template, ctx))
        except (ConfigError, UsageError) as error:
            ctx.params, ctx.obj = typed, error
        return TyperCommand.invoke(self, ctx)


def _check(ctx: Any) -> None:
    given = {field: ctx.params[field] for field in ConnectionOptions._fields if field in ctx.params}
    connection = ConnectionOptions(**given)
    check(connection, OutputOptions())


@app.command(
    cls=Anyway,
    short_help="Show what is set and what is there; with --probe, what the server takes.",
    epilog="""
    cometresp doctor
    cometresp doctor --probe -m gpt-5.4-mini
    cometresp doctor --probe --offline
    """,
)
@partial(spread, hidden={"dry_run", "curl"})
def doctor(
    *,
    ctx: typer.Context,
    probe: Annotated[
        bool, typer.Option("--probe", help="Send five small requests, and say first what they cost at most.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Model for --probe [default: the one that is set].",
            metavar="MODEL",
            show_default=False,
            autocompletion=complete_models,
        ),
    ] = None,
    as_json: AsJson = False,
    connection: ConnectionOptions,
) -> None:
    """Show versions, settings, files, server and terminal. The exit code is that of the first thing that is wrong."""
    run(Examination(ctx.obj, probe, model, as_json), Runtime(connection))


@telling
def run(options: Examination, runtime: Runtime) -> None:
    if runtime.connection.only_shows:
        raise UsageError("--dry-run and --curl show the request of another command")
    fault = _fault(runtime)
    offline = runtime.connection.offline if fault else runtime.offline
    settings, faults = _settings(runtime, offline=offline)
    sections = _sections(runtime, fault, settings, faults, offline=offline)
    problems = [problem for section in sections for problem in section.problems]
    for one in (options.fault, fault):
        if one is not None and one.message not in [problem.message for problem in problems]:
            problems.insert(0, one)
    probed: Probed | None = None
    if not options.as_json:
        for section in sections:
            _print(runtime, section.title, section.facts)
    in_the_way = [problem for problem in problems if not isinstance(problem, OutputError)]  # a probe needs no state
    if options.probe and not in_the_way:
        probed = _probe(options, runtime)
        problems += [trial.error for trial in probed.trials if trial.error is not None and trial.name == RESPONSE]
    elif options.probe and not options.as_json:
        _print(runtime, "probe", [Fact("sends", f"nothing: {in_the_way[0].message}")])
    if options.as_json:
        runtime.terminal.print_json(_document(options, runtime, settings, sections, probed, problems))
    elif problems:
        _print(runtime, "problems", list(_listed(problems, runtime)))
    if problems:
        raise problems[0]


def _listed(problems: list[CometrespError], runtime: Runtime) -> "Iterator[Fact]":
    for number, one in enumerate(problems, 1):
        yield Fact(str(number), one.message)
        if hint := one.for_run(runtime.flags).hint:
            yield Fact("", hint)


def _fault(runtime: Runtime) -> CometrespError | None:
    """Why the settings can't be used."""
    try:
        _ = runtime.config, runtime.plain
    except StoppedError:
        raise
    except CometrespError as error:
        return error
    return None


def _settings(runtime: Runtime, *, offline: bool) -> "tuple[list[Listed], list[ConfigError]]":
    """What is set, and what is wrong in the config file. The emulator takes neither the default server nor model."""
    from cometresp.settings.checks import loaded
    from cometresp.settings.listing import listed

    file, faults = loaded(os.environ, runtime.connection.profile, runtime.reading)
    return listed(file, os.environ, offline=offline), faults


def _sections(
    runtime: Runtime,
    fault: CometrespError | None,
    settings: "list[Listed]",
    faults: list[ConfigError],
    *,
    offline: bool,
) -> list[Section]:
    from cometresp.doctor.local import files, server, versions
    from cometresp.doctor.streams import streams

    path = str(config_path(os.environ)[0])
    facts = [Fact(one.name, one.value, f"{one.text} ({one.source.replace(path, 'file')})") for one in settings]
    of_files = files(runtime.terminal, faults, url=None if fault else runtime.url, offline=offline)
    sections = [versions(), Section("settings", facts), of_files]
    if fault is None:
        sections.append(server(runtime))
    return [*sections, streams(runtime.terminal, plain=fault is None and runtime.plain)]


def _probe(options: Examination, runtime: Runtime) -> Probed:
    """Send the requests; each is told as soon as it is over. Before, what they cost at most."""
    from cometresp.doctor.probe import cost_at_most, probe, what_it_costs

    model, price = _model_and_price(options, runtime)
    sentence = what_it_costs(runtime, model, price)
    if options.as_json:
        runtime.terminal.note(sentence)
    else:
        _print(runtime, "probe", [Fact("sends", sentence)])
    found = []
    for trial in probe(runtime, model):
        found.append(trial)
        if not options.as_json:
            word = {True: "yes", False: "no", None: "-"}[trial.works]
            _print_lines(runtime, [_line(trial.name, f"{word} · {trial.detail}")])
    return Probed(found, cost_at_most(price))


def _model_and_price(options: Examination, runtime: Runtime) -> "tuple[str | None, Price | None]":
    from cometresp.turns.cost import price_of

    given, configured = options.model, runtime.config.model
    model = runtime.config.model_of(given) if given else configured.value if configured else None
    return model, price_of(runtime, model).price if model else None


# how ----------------------------------------------------------------------------------------------------------------


def _print(runtime: Runtime, title: str, facts: list[Fact]) -> None:
    terminal = runtime.terminal
    heading = terminal.bold(title) if terminal.stdout_tty else title
    _print_lines(runtime, [heading, *(_line(fact.name, fact.text) for fact in facts)])


def _line(name: str, text: str) -> str:
    return f"  {escape_line(name):<{_WIDTH}} {escape_line(text)}".rstrip()


def _print_lines(runtime: Runtime, lines: list[str]) -> None:
    terminal, text = runtime.terminal, "".join(f"{line}\n" for line in lines)
    terminal.write(terminal.encode(text) if terminal.stdout_tty else to_bytes(text))


def _document(
    options: Examination,
    runtime: Runtime,
    settings: "list[Listed]",
    sections: list[Section],
    probed: Probed | None,
    problems: list[CometrespError],
) -> Document:
    document: dict[str, Any] = {one.title: {fact.name: fact.value for fact in one.facts} for one in sections}
    document["settings"] = [as_dict(one) for one in settings]
    if options.probe:
        trials, cost = probed or Probed([], None)
        document["cost_at_most"] = cost
        document["probe"] = [{"name": one.name, "works": one.works, "detail": one.detail} for one in trials]
    document["problems"] = [
        {"message": one.message, "hint": one.for_run(runtime.flags).hint or None, "exit_code": int(one.exit_code)}
        for one in problems
    ]
    return cast("Document", document)
