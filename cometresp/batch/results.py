"""`batch fetch`: the results of a batch that has ended, written whole; what they amount to."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from cometresp.batch.lane import client_for, name_of, verdict_of
from cometresp.batch.submitted import keep
from cometresp.errors import CometrespError, ExitCode, Next, ProtocolError, TurnError
from cometresp.runtime import Runtime
from cometresp.text import shell_arguments, valid_json
from cometresp.wire.batches import Counts, counts_of, files_of, has_ended, results_of
from cometresp.wire.json import Json, null, obj, text

if TYPE_CHECKING:
    from cometresp.answer.answer import Answer
    from cometresp.client.client import Client
    from cometresp.sinks import FileSink
    from cometresp.terminal import Terminal


class Outputs(NamedTuple):
    """Where results go. `file` is None for standard output; failed requests go to `errors`, if that is given.

    `as_text`: custom_id, text, exit, usage and cost of each, not the whole response.
    """

    file: str | None = None
    errors: str | None = None
    as_text: bool = False


class Fetching(NamedTuple):
    id: str
    wait: bool
    outputs: Outputs


def fetch(options: Fetching, runtime: Runtime) -> None:
    """Write the results. Raises TurnError: with 7, and nothing written, before the batch has ended."""
    with opened(options.outputs, runtime) as outputs, client_for(runtime, options.id) as client:
        fetched(client, client.batch(options.id), outputs, runtime, wait=options.wait)


def fetched(client: "Client", batch: Json, outputs: "Opened", runtime: Runtime, *, wait: bool) -> None:
    """Write the results of a batch, which is waited for if `wait`. Raises the error that they amount to."""
    if wait and not has_ended(batch):
        from cometresp.batch.waiting import until_ended

        batch = until_ended(client, batch, runtime)
    keep(runtime, batch)
    if not has_ended(batch):
        error = verdict_of(batch)
        assert error is not None
        again = Next("batch fetch", (shell_arguments(text(batch.get("id"))), "--wait -o OUT"))
        raise error.with_hint(again)
    tally = Counter[ExitCode]()
    for line in _lines(client, batch):
        code = exit_of(line)
        tally[code] += 1
        outputs.write(line, code)
    outputs.commit()
    _conclude(batch, tally, outputs, runtime)


def _lines(client: "Client", batch: Json) -> Iterator[Json]:
    """The lines of the results: those in the batch, or in its files. Raises ProtocolError for what is none."""
    inline = results_of(batch)
    if inline is not None:
        yield from inline
        return
    for file_id in files_of(batch):
        with client.content(file_id) as lines:
            for raw in lines:
                if raw.strip():
                    yield _parsed(raw, file_id)


def _parsed(raw: bytes, file_id: str) -> Json:
    try:
        line = json.loads(raw, parse_constant=null)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or "custom_id" not in line:
        raise ProtocolError(f"not the output of a batch: a line of {file_id} is no result of a request")
    return line


def exit_of(line: Json) -> ExitCode:
    """The exit code that the request of a line would have had alone."""
    response = obj(line.get("response"))
    status, body = response.get("status_code"), response.get("body")
    if not response or line.get("error"):
        return ExitCode.FAILED
    if isinstance(status, int) and not 200 <= status < 300:  # noqa: PLR2004 - good statuses
        from cometresp.wire.replies import Reply, error_of

        return error_of(Reply(status, {}, json.dumps(body).encode())).exit_code
    error = _answer_error(obj(body))
    return ExitCode.COMPLETED if error is None else error.exit_code


def _answer_error(body: Json) -> CometrespError | None:
    from cometresp.answer.verdict import verdict

    return verdict(_answer(body))


def _answer(body: Json) -> "Answer":
    from cometresp.answer.answer import Answer
    from cometresp.wire.events import Event

    answer = Answer()
    kind = f"response.{body.get('status') or 'completed'}"
    answer.apply(Event(kind, {"type": kind, "response": body}, ""))
    return answer


def _as_text(line: Json, code: ExitCode) -> Json:
    body = obj(obj(line.get("response")).get("body"))
    is_answer = "output" in body
    usage = body.get("usage")
    said = _answer(body).text if is_answer else None
    return {"custom_id": line.get("custom_id"), "text": said, "exit": int(code), "usage": usage, "cost": None}


def _conclude(batch: Json, tally: "Counter[ExitCode]", outputs: "Opened", runtime: Runtime) -> None:
    """Tell what was written. Raises the error that the results amount to."""
    total, good = tally.total(), tally[ExitCode.COMPLETED]
    expected = counts_of(batch).total
    name = name_of(batch)
    if expected > total and _has_results(batch):
        runtime.terminal.warn(f"{name}: {expected - total} of {expected} requests have no result")
    counts = Counts(max(total, expected), good, max(total, expected) - good)
    error = verdict_of(batch, counts, ())
    if error is None:
        where = f" in {outputs.shown}" if outputs.shown else ""
        runtime.terminal.note(f"{name} completed: {good} result{'' if good == 1 else 's'}{where}")
        return
    codes = ", ".join(f"{count} with exit code {int(code)}" for code, count in sorted(tally.items()) if code)
    if codes and error.exit_code is ExitCode.FAILED:
        error = TurnError(error.exit_code, f"{error.message} ({codes})", hint=error.hint)
    raise error


def _has_results(batch: Json) -> bool:
    return bool(files_of(batch)) or results_of(batch) is not None


# where they go ------------------------------------------------------------------------------------------------------


class Opened:
    """The places of the results: files, which appear when all is written, or standard output."""

    def __init__(
        self, wanted: Outputs, terminal: "Terminal", file: "FileSink | None", errors: "FileSink | None"
    ) -> None:
        self.shown = wanted.file
        self._as_text = wanted.as_text
        self._terminal = terminal
        self._file = file
        self._errors = errors

    def write(self, line: Json, code: ExitCode) -> None:
        shown = _as_text(line, code) if self._as_text else line
        data = (valid_json(json.dumps(shown, ensure_ascii=False)) + "\n").encode(errors="backslashreplace")
        sink = self._errors if code and self._errors is not None else self._file
        if sink is not None:
            sink.write(data)
        else:
            self._terminal.write(data)

    def commit(self) -> None:
        for sink in self._sinks():
            sink.commit()

    def abandon(self, error: CometrespError) -> None:
        """Keep what came beside the files, which are left as they were."""
        for sink in self._sinks():
            if kept := sink.abandon():
                error.and_hint(kept)

    def _sinks(self) -> "list[FileSink]":
        return [sink for sink in (self._file, self._errors) if sink is not None]


@contextmanager
def opened(wanted: Outputs, runtime: Runtime) -> Iterator[Opened]:
    """Open the places. What isn't committed is left out of the files, and kept beside them. Raises OutputError."""
    from cometresp.sinks import FileSink

    terminal = runtime.terminal
    file = FileSink(wanted.file, terminal) if wanted.file is not None else None
    errors = FileSink(wanted.errors, terminal, "--errors") if wanted.errors is not None else None
    outputs = Opened(wanted, terminal, file, errors)
    try:
        yield outputs
    except CometrespError as error:
        outputs.abandon(error)
        raise
    except BaseException as error:
        outputs.abandon(CometrespError(str(error)))
        raise
