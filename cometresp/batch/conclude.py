"""The end of a batch: its summary, and the error that it amounts to, with the command that resumes it."""

from cometresp.batch.asked import Asked
from cometresp.batch.engine import Engine
from cometresp.batch.output import ReplacedError
from cometresp.batch.tally import Snapshot, name_of
from cometresp.errors import CometrespError, CostLimitError, ExitCode, StoppedError, TurnError
from cometresp.runtime import Runtime
from cometresp.text import escape_line, shell_word
from cometresp.wire.json import Json

_SECRET = ("-H", "--header")


def conclude(asked: Asked, runtime: Runtime, engine: Engine, error: Exception | None) -> None:
    """Print the summary, and raise the error of the run. `error` is what ended it early."""
    done = engine.tally.snapshot()
    _report(runtime, done, error)
    terminal = runtime.terminal
    if (terminal.stderr_tty or terminal.verbose or asked.output.usage) and not terminal.quiet:
        for line in summary_lines(done):
            terminal.write_line(escape_line(line) + "\n")
    if isinstance(error, CometrespError):
        retry = bool(done.failures) and not isinstance(error, StoppedError | CostLimitError)
        if isinstance(error, ReplacedError):
            raise error
        if isinstance(error, CostLimitError):
            raise error.with_hint(_dearer_hint(asked) or error.hint)
        raise error.with_message(_so_far(error, done), resume_hint(asked, retry=retry) or error.hint)
    if error is not None:
        raise error
    if done.failures:
        counts = ", ".join(f"{count} with exit code {code} ({name_of(code)})" for code, count in done.failed.items())
        left = f"; stopped with {done.left} left" if done.left and engine.stopping else ""
        message = f"{done.failures} of {done.done} failed: {counts}{left}"
        raise TurnError(ExitCode.FAILED, message, hint=resume_hint(asked, retry=True))


def summary_lines(done: Snapshot) -> list[str]:
    """What the run came to, on two lines."""
    from cometresp.catalogue.price import written

    failed = [f"{count} {name_of(code)}" for code, count in done.failed.items()]
    earlier = [f"{done.earlier} by earlier runs"] if done.earlier else []
    calls = [f"{done.calls} end with a call"] if done.calls else []
    words = [f"{done.done} of {done.total} done", *earlier, *failed, *calls, f"{done.retried} tried again"]
    given, made = done.usage.get("input_tokens"), done.usage.get("output_tokens")
    tokens = [f"{given:,} → {made:,} tokens"] if isinstance(given, int) and isinstance(made, int) else []
    cost = [written(done.cost)] if done.cost is not None else []
    return [" · ".join(words), " · ".join([*tokens, *cost, f"{done.seconds:.1f} s"])]


def resume_hint(asked: Asked, *, retry: bool) -> str:
    """The command that continues the run; "" where there is none: the output isn't kept in a file."""
    if asked.output.file is None:
        return ""
    words = [word for word in asked.words if word not in ("--resume", "--retry-failed")]
    flags = ["--resume", "--retry-failed"] if retry else ["--resume"]
    what = "asks those that failed again" if retry else "continues"
    typed = [shell_word(word) for word in words]
    secret = any(word.startswith(_SECRET) for word in words)
    if secret or None in typed or not words:
        return f"the same command with {' '.join(flags)} {what}"
    at = typed.index("--") if "--" in typed else len(typed)
    shown = " ".join(["cometresp batch", *(word for word in typed[:at] if word), *flags, *(w for w in typed[at:] if w)])
    return f"{shown} {what}"


def _dearer_hint(asked: Asked) -> str:
    """The command that continues a run which --max-cost ended: with a higher limit, since the same ends it again."""
    words: list[str] = []
    is_limit = False
    for word in asked.words:
        if not is_limit and word != "--max-cost" and not word.startswith("--max-cost="):
            words.append(word)
        is_limit = word == "--max-cost"
    shown = resume_hint(asked._replace(words=(*words,)), retry=False).removesuffix(" continues")
    return f"{shown} --max-cost USD continues, where USD is a higher limit" if shown else ""


def _so_far(error: CometrespError, done: Snapshot) -> str:
    return f"{error.message}: {done.done} of {done.total} done" if isinstance(error, StoppedError) else error.message


def _report(runtime: Runtime, done: Snapshot, error: Exception | None) -> None:
    """The facts for --summary-file."""
    report = runtime.report
    usage: Json = done.usage
    report.turns = done.done - done.earlier
    report.usages = [usage] if usage else []
    report.costs = [done.cost] if done.cost is not None else []
    report.status = "interrupted" if isinstance(error, StoppedError) else None
