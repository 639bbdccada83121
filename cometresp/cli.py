"""The root command, which imports only the subcommand that is run.

The only place where an error becomes an exit code, and where the end of a run is written for scripts and jobs.
"""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cometresp import __version__, signals
from cometresp.errors import CometrespError, ExitCode, OutputError, PipeClosedError, StoppedError
from cometresp.help.command import Group
from cometresp.options.spread import Declaration
from cometresp.report.facts import End, EndFlags, Report
from cometresp.report.facts import of_runs as reports

COMMANDS = {
    "ask": "ask",
    "stream": "stream",
    "continue": "continue_",
    "again": "again",
    "get": "get",
    "cancel": "cancel",
    "delete": "delete",
    "items": "items",
    "batch": "batch",
    "chains": "chains",
    "log": "log",
    "usage": "usage",
    "models": "models",
    "templates": "templates",
    "config": "config",
    "doctor": "doctor",
    "schema": "schema",
    "completion": "completion",
    "emulator": "emulator",
    "help": "help",
    "version": "version",
}

_LONGEST_INTEGER = 10_000  # digits; reading one takes time by the square of them, so Python stops at 4,300


class LazyGroup(Group):
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.add_command(_command(cmd_name))
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is run, with the options that its words name."""
        if args and args[0] in COMMANDS and not ctx.resilient_parsing:
            return args[0], _command(args[0], args[1:]), args[1:]
        return super().resolve_command(ctx, args)

    def page(self, ctx: Any, *, everything: bool) -> Any:  # noqa: ARG002
        from cometresp.help.root import root_page

        return root_page(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            from cometresp.help.layout import show
            from cometresp.help.root import check_without_command

            check_without_command()
            show(self.page(ctx, everything=False))
            raise typer.Exit
        return super().parse_args(ctx, args)


def _command(name: str, words: Sequence[str] | None = None) -> Any:
    """The command of this name: with all its options, or with those that its `words` name, if all of them are clear."""
    app = import_module(f"cometresp.commands.{COMMANDS[name]}").app
    callback = app.registered_commands[0].callback
    declared = getattr(callback, "__signature__", None)
    is_group = len(app.registered_commands) > 1
    named = None if words is None or is_group or not isinstance(declared, Declaration) else declared.naming(words)
    if named is None:
        command = get_command(app)
    else:
        callback.__signature__ = named
        try:
            command = get_command(app)
        finally:
            callback.__signature__ = declared
        command.whole = partial(_command, name)  # type: ignore[attr-defined] # Command's
    command.name = name
    return command


def _show_version(ctx: typer.Context, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        sys.stdout.write(f"cometresp {__version__}\n")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,  # `completion.answer` takes its place: Typer's reads suggestions as markup
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", is_eager=True, callback=_show_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Send prompts to the Responses API from a shell: single requests, streams, and chains of turns."""


def main() -> NoReturn:
    """Run the command line and exit with its exit code.

    By then everything is written and closed; shutting the interpreter down would take as long as starting it.
    """
    try:
        code = run(sys.argv[1:])
    except StoppedError as stopped:  # a signal that came while an error was handled
        code = stopped.exit_code
    signals.finish()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or None
            stream.flush()
    os._exit(code)


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code (docs/exit-codes.md), after printing the error."""
    sys.set_int_max_str_digits(_LONGEST_INTEGER)
    if not os.environ.get("TERM") and os.name != "nt":
        os.environ["TERM"] = "dumb"  # Rich writes colours where it is missing
    reports.clear()
    thread_bugs = _watch_threads(argv)
    try:
        end = _run(argv)
    except StoppedError as error:  # while another error was printed
        end = End(error.exit_code, error)
    except Exception as error:  # noqa: BLE001 - any other exception is a bug
        end = _print_bug(error, argv)
    if thread_bugs and not end.code:
        end = thread_bugs[0]
    try:
        return _write_report(end, argv)
    except StoppedError as error:
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a bug, which is told once
        return end.code if end.code == ExitCode.BUG else _print_bug(error, argv).code


def _run(argv: list[str]) -> End:
    try:
        try:
            signals.install()
            command = get_command(app)
            if "_COMETRESP_COMPLETE" in os.environ:
                return End(_complete(command))
            result = command.main(argv, prog_name="cometresp", standalone_mode=False)
            _flush_stdout(printed=result is not None)
        except typer.Abort:
            raise StoppedError(ExitCode.INTERRUPTED, "aborted") from None
        except Exception as error:
            usage = _usage_error(error, argv)
            if usage is None:
                raise
            raise usage from error
        finally:
            signals.finish(telling=True)
    except (PipeClosedError, BrokenPipeError):
        _silence_streams()
        return End(ExitCode.PIPE_CLOSED, PipeClosedError())
    except CometrespError as error:
        _print_error(error, argv)
        return End(error.exit_code, error)
    except OSError as error:
        if sys.stdout is None or error.errno in (errno.ENOSPC, errno.EBADF, errno.EIO):
            unwritable = OutputError(f"standard output can't be written: {error.strerror}")
            _print_error(unwritable, argv)
            return End(ExitCode.OUTPUT, unwritable)
        raise
    return End(result if isinstance(result, int) else ExitCode.COMPLETED)


def _complete(command: Any) -> int:
    """Answer a shell that asks what can be typed."""
    from cometresp.completion.answer import answer
    from cometresp.terminal import Terminal

    Terminal.of_process().write(answer(command, os.environ))
    return ExitCode.COMPLETED


def _flush_stdout(*, printed: bool) -> None:
    """Flush what Typer `printed` (--help). Raises PipeClosedError and OutputError."""
    if sys.stdout is None:
        if printed:
            raise OutputError("standard output is closed")
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise PipeClosedError from error
    except OSError as error:
        _silence_streams()
        raise OutputError(f"standard output can't be written: {error.strerror}") from error


def _usage_error(error: Exception, argv: list[str]) -> CometrespError | None:
    """One of Typer's errors as a UsageError; None for any other exception."""
    from typer.exceptions import TyperException

    if not isinstance(error, TyperException):
        return None
    from cometresp.help.explain import explain

    return explain(error, argv, list(COMMANDS))


def _print_error(error: CometrespError, argv: list[str]) -> None:
    from cometresp.terminal import Terminal

    terminal = Terminal.of_process()
    flags = _report_of(argv).flags
    terminal.job = flags.workflow_in(os.environ)
    if flags.error_format_in(os.environ) != "json":
        terminal.error(error.message, error.hint, code=error.exit_code)
        return
    import json

    from cometresp.text import escape_json, json_bytes, valid_json

    document = escape_json(valid_json(json.dumps(error.as_dict(), ensure_ascii=False)))
    terminal.write_stderr(json_bytes(document).decode() + "\n")


def _report_of(argv: list[str]) -> Report:
    """The facts of the run; where none began, those that its flags have even if the rest of the command line is wrong.

    The flags of a run come from settings, too.
    """
    if reports:
        return reports[-1]
    try:
        from cometresp.settings.invoke import with_settings

        params = with_settings(_parsed(argv)[1].params, EndFlags._fields)
    except Exception:  # noqa: BLE001 - the command line's error is printed all the same
        params = {}
    reports.append(Report(EndFlags.of(params)))
    return reports[-1]


def _write_report(end: End, argv: list[str]) -> int:
    """Write the files about the end of the run, and return the exit code: 73 if only they can't be written."""
    if end.error is None and not reports:  # help, or a shell's question
        return end.code
    report = _report_of(argv)
    if not report.flags.writes:
        return end.code
    from cometresp.report.ending import write
    from cometresp.terminal import Terminal

    terminal = report.terminal or Terminal.of_process()
    code = end.code
    for problem in write(report, " ".join(_parsed_names(argv)), end, terminal):
        if not code and not isinstance(problem, PipeClosedError):
            _print_error(problem, argv)
        elif code:
            terminal.warn(problem.message)
        code = code or problem.exit_code
    return code


def _parsed(argv: list[str]) -> tuple[list[str], Any]:
    """The names of the command, and Typer's context of the flags, even if the rest of the command line is wrong.

    Without a valid command the words are parsed as those of `ask`, which has all flags.
    """
    lenient: dict[str, Any] = {"resilient_parsing": True, "ignore_unknown_options": True, "allow_extra_args": True}
    names = []
    context: Any = get_command(app).make_context("cometresp", list(argv), **lenient)
    words = [*context._protected_args, *context.args]  # noqa: SLF001 - as Typer's own completion reads them
    while words and isinstance(context.command, TyperGroup):
        command = context.command.get_command(context, words[0])
        names += words[:1] if command is not None else []
        rest = words[1:] if command is not None else words
        context = (command or LazyGroup(name="").get_command(context, "ask")).make_context(words[0], rest, **lenient)
        words = [*context._protected_args, *context.args]  # noqa: SLF001
    return names, context


# bugs ---------------------------------------------------------------------------------------------------------------


def _print_bug(error: BaseException, argv: list[str]) -> End:
    """Report a bug. Whatever fails here too, the exit code and a line about the first exception are left."""
    from cometresp import bugs

    told = CometrespError(f"a bug in cometresp {__version__}: {type(error).__name__}")
    try:
        bug = bugs.report(error, _names_in(argv))
        told = CometrespError(bug.message, hint=bug.hint)
        if _report_of(argv).flags.debug:
            from cometresp.terminal import Terminal

            Terminal.of_process().aside(bug.traceback)
        _print_error(told, argv)
    except Exception:  # noqa: BLE001
        bugs.last_words(error)
    return End(ExitCode.BUG, told)


def _parsed_names(argv: list[str]) -> list[str]:
    try:
        return _parsed(argv)[0]
    except Exception:  # noqa: BLE001 - the command line's error has been printed
        return []


def _names_in(argv: list[str]) -> list[str]:
    """The command and the names of the flags in a command line, without values and prompts."""
    try:
        names, context = _parsed(argv)
        flags = {name for param in context.command.params for name in (*param.opts, *param.secondary_opts)}
    except Exception:  # noqa: BLE001 - the report does without them
        return []
    before = argv[: argv.index("--")] if "--" in argv else argv
    shortened = [word.partition("=")[0] if word.startswith("--") else word[:2] for word in before]
    return [*names, *(name for name in shortened if name.startswith("-") and name in flags)]


def _watch_threads(argv: list[str]) -> list[End]:
    """Report what ends a thread as a bug, too. The run goes on, since the answer may still come; it ends with 70."""
    import threading

    found: list[End] = []

    def failed(ended: Any) -> None:
        if ended.exc_value is not None and ended.exc_type is not SystemExit:
            found.append(_print_bug(ended.exc_value, argv))

    threading.excepthook = failed
    return found


def _silence_streams() -> None:
    """Discard what Python has buffered for stdout: a closed pipe ends the program silently."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
