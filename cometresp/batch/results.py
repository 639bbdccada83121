"""`batch fetch`: the results of a batch that has ended, written whole; what they amount to."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import verdict
from cometresp.batch.budget import Prices
from cometresp.batch.lane import explaining, first_look, opened_client
from cometresp.batch.looked import Fetching, Outputs
from cometresp.batch.output import held, is_same_file, model_in
from cometresp.batch.result import Result
from cometresp.batch.standing import Read, name_of, verdict_of
from cometresp.batch.submitted import input_of, keep
from cometresp.batch.tally import name_of as words_of
from cometresp.batch.waiting import until_ended
from cometresp.errors import CometrespError, ExitCode, Next, ProtocolError, TurnError, UsageError
from cometresp.runtime import Runtime
from cometresp.text import escape_line, json_bytes, shell_arguments, shell_word, valid_json
from cometresp.wire.batches import Counts, counts_of, files_of, has_ended, results_of
from cometresp.wire.error_bodies import error_in, explain
from cometresp.wire.events import Event
from cometresp.wire.json import Json, null, obj, text
from cometresp.wire.replies import Reply, error_of

if TYPE_CHECKING:
    from cometresp.client.client import Client
    from cometresp.sinks import FileSink
    from cometresp.terminal import Terminal

_NO_JSON = (b"NaN", b"Infinity")  # what some servers write, though it isn't JSON (API 12.11)
_NUMBERED = re.compile(r"line-\d+")  # the id of a line without one: it says nothing of another input
_GOOD = (ExitCode.COMPLETED, ExitCode.CALL_OPEN)  # a response that ends with a call is an answer


def fetch(options: Fetching, runtime: Runtime) -> None:
    """Write the results. Raises TurnError: with 7, and nothing written, before the batch has ended."""
    with opened(options.outputs, runtime) as outputs, opened_client(runtime) as client:
        fetched(client, first_look(client, options.id, runtime, wait=options.wait), outputs, runtime, wait=options.wait)


def fetched(client: "Client", batch: Json, outputs: "Opened", runtime: Runtime, *, wait: bool) -> None:
    """Write the results of a batch, which is waited for if `wait`. Raises the error that they amount to."""
    again = Next("batch fetch", (shell_arguments(text(batch.get("id"))), "--wait", *outputs.typed))
    if wait and not has_ended(batch):
        batch = until_ended(client, batch, runtime, again)
    keep(runtime, batch)
    if not has_ended(batch):
        error = verdict_of(batch)
        assert error is not None
        raise error.with_hint(again)
    tally = Counter[int]()
    prices = Prices(runtime) if outputs.as_text else None
    with explaining(text(batch.get("id")), known=True, again=again):
        for number, (line, as_came) in enumerate(_lines(client, batch), 1):
            result = result_of(line, number)
            if prices is not None:
                result = result._replace(cost=prices.cost(dict(result.usage), model_in(line)))
            tally[int(result.exit_code)] += 1
            outputs.write(as_came, result)
    outputs.commit()
    _conclude(batch, tally, outputs, runtime)


def _lines(client: "Client", batch: Json) -> Iterator[tuple[Json, bytes]]:
    """The lines of the results, and how they are written: those in the batch, or in its files, as they came.

    Raises ProtocolError for one that is no result.
    """
    inline = results_of(batch)
    if inline is not None:
        yield from ((line, _written(line)) for line in inline)
        return
    for file_id in files_of(batch):
        with client.content(file_id) as lines:
            for raw in lines:
                if data := raw.strip():
                    line = _parsed(data, file_id)
                    yield line, _written(line) if any(word in data for word in _NO_JSON) else data + b"\n"


def _written(line: Json) -> bytes:
    return json_bytes(valid_json(json.dumps(line, ensure_ascii=False)) + "\n")


def _parsed(raw: bytes, file_id: str) -> Json:
    try:
        line = json.loads(raw, parse_constant=null)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or "custom_id" not in line:
        raise ProtocolError(f"not the output of a batch: a line of {file_id} is no result of a request")
    return line


def result_of(line: Json, number: int = 0) -> Result:
    """How the request of a line ended: as it would have alone."""
    response = obj(line.get("response"))
    body, status = response.get("body"), response.get("status_code")
    made = Result(number, text(line.get("custom_id")), None, None, text(response.get("request_id")) or None, body)
    if line.get("error") or not response:
        message, details = explain(obj(line.get("error")) or {"message": "there is no response"})
        return made._replace(error=TurnError(ExitCode.FAILED, message, details=details))
    if isinstance(status, int) and not 200 <= status < 300:  # noqa: PLR2004 - good statuses
        return made._replace(status=status, error=error_of(Reply(status, {}, json.dumps(body).encode())))
    if "output" not in obj(body) and error_in(body) is not None:
        message, details = explain(obj(body))
        return made._replace(status=200, error=TurnError(ExitCode.FAILED, message, details=details))
    answer = Answer()
    kind = f"response.{obj(body).get('status') or 'completed'}"
    answer.apply(Event(kind, {"type": kind, "response": obj(body)}, ""))
    return made._replace(status=200, error=verdict(answer), text=answer.text, usage=answer.usage)


def _conclude(batch: Json, tally: "Counter[int]", outputs: "Opened", runtime: Runtime) -> None:
    """Tell what was written. Raises the error that the results amount to."""
    read, name = tally.total(), name_of(batch)
    total = max(read, counts_of(batch).total)
    failed = [(count, code) for code, count in sorted(tally.items()) if code not in _GOOD]
    good = read - sum(count for count, _ in failed)
    has_results = bool(files_of(batch)) or results_of(batch) is not None
    if total > read and has_results:
        runtime.terminal.warn(f"{name}: {total - read} of {total} requests have no result")
    kinds = ", ".join(f"{count} {words_of(code)} (exit {code})" for count, code in failed) if has_results else ""
    found = Read(Counts(total, good, total - good), kinds, outputs.retrying(batch, runtime))
    error = verdict_of(batch, found)
    if error is None:
        where = f" in {escape_line(outputs.shown)}" if outputs.shown else ""
        runtime.terminal.note(f"{name} completed: {total} result{'' if total == 1 else 's'}{where}")
        return
    raise error


# where they go ------------------------------------------------------------------------------------------------------


class Opened:
    """The places of the results: files, which appear when all is written, or standard output."""

    def __init__(
        self, wanted: Outputs, terminal: "Terminal", file: "FileSink | None", errors: "FileSink | None"
    ) -> None:
        self.shown = wanted.file
        self.as_text = wanted.as_text
        self._wanted = wanted
        whole = wanted.errors is None and not wanted.as_text
        self._is_resumable = whole and file is not None and not file.is_through
        self._terminal = terminal
        self._file = file
        self._errors = errors

    def write(self, as_came: bytes, result: Result) -> None:
        """Write a result: the server's line, or its text."""
        self._is_resumable &= _NUMBERED.fullmatch(result.custom_id) is None
        data = result.line(as_text=True) if self._wanted.as_text else as_came
        sink = self._errors if result.failed and self._errors is not None else self._file
        if sink is not None:
            sink.write(data)
        else:
            self._terminal.write(data)

    @property
    def typed(self) -> list[str | None]:
        """The flags that name these places, as they are typed."""
        given = (("-o", self._wanted.file), ("--errors", self._wanted.errors))
        typed = [word for flag, path in given if path is not None for word in (flag, shell_word(path))]
        return [*typed, *(["--text"] if self._wanted.as_text else [])]

    def retrying(self, batch: Json, runtime: Runtime) -> tuple[str | Next, ...]:
        """What asks the failed requests again from here: the output is that of a run, which can be resumed."""
        file = input_of(runtime, text(batch.get("id")))
        if not self._is_resumable or not file:
            return ()
        words = (shell_word(file), *self.typed, "--resume --retry-failed")
        return Next("batch", words), ", with the flags of the requests, asks the failed again from here"

    def commit(self) -> None:
        with held(self._wanted.file), held(self._wanted.errors, "--errors"):
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

    if wanted.errors == "" or is_same_file(wanted.errors, wanted.file):
        raise UsageError("--errors: must name a file of its own" if wanted.errors else "--errors: must not be empty")
    with held(wanted.file), held(wanted.errors, "--errors"):
        pass  # nothing is waited for that can't be written
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
