"""Batches (API 1, #16 to #19; API 13): requests of a file, or of the body, that are answered together.

All lines are answered when the batch is made. What is seen of them follows from how often the batch was asked for, so
that a test needs no clock: validating, twice in progress, finalizing, completed.

A word changes that: that of `--fault batch=WORD`, or the value of `emulate` in the metadata of the batch.

| word | effect |
|---|---|
| `failed` | the validation fails |
| `expired` | half of the lines are answered when the time is up |
| `cancelled` | the same, since someone else cancels it |
| `stuck` | it stays in progress, until it is cancelled |
| `slow` | ten times in progress, a second apart |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cometresp.emulator.batch_lines import Line, LineProblem, parse_lines
from cometresp.emulator.context import NewId
from cometresp.emulator.errors import ApiError, invalid
from cometresp.emulator.files import BATCH, OUTPUT, Files
from cometresp.emulator.framing import dump
from cometresp.emulator.lifecycle import Responses
from cometresp.emulator.query import Query, listed, whole
from cometresp.emulator.rules import Json, expect
from cometresp.emulator.store import Batch, File, Store
from cometresp.emulator.validation import check_metadata

WORDS = ("failed", "expired", "cancelled", "stuck", "slow")
ENDED = ("failed", "completed", "expired", "cancelled")
_ENDPOINT = "/v1/responses"
_WINDOW = 86_400  # seconds of the one completion window, 24h
_ROUNDS, _SLOW_ROUNDS = 2, 10  # how often a batch is seen in progress
_CANCELLING = 1  # how often it is seen as being cancelled
_PAGE, _LONGEST_PAGE = 20, 100
_TIMES = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
_UNFINISHED = {
    "expired": ("batch_expired", "This request could not be executed before the completion window expired."),
    "cancelled": ("batch_cancelled", "This request was not executed, since the batch was cancelled."),
}


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of a store. Each method raises ApiError for a request that the API would refuse."""

    store: Store
    files: Files
    responses: Responses
    clock: Callable[[], float]
    new_id: NewId

    def create(self, request: Json, forced: frozenset[str]) -> Json:
        word = self._checked(request, forced)
        lines, problems = self._lines(request)
        if word == "failed" and not problems:
            problems = [LineProblem("emulated_fault", "The validation failed because it was asked to.", 1)]
        now = self.clock()
        made = Batch(
            id=self.new_id("batch"),
            created=int(now),
            word=word,
            facts={name: request.get(name) for name in ("input_file_id", "endpoint", "completion_window", "metadata")},
            inline="requests" in request,
            problems=[problem._asdict() for problem in problems],
            results=[] if problems else [self._answered(line) for line in lines],
            model=str(lines[0].body.get("model", "")) if lines else "",
        )
        self.store.add_batch(made)
        return self._view(made)

    def get(self, batch_id: str) -> Json:
        """The batch, which goes on with each call."""
        self._found(batch_id)
        return self._view(self.store.poll_batch(batch_id))

    def cancel(self, batch_id: str) -> Json:
        found = self._found(batch_id)
        status, _ = stage(found)
        if status in ENDED:
            raise ApiError(409, f"Cannot cancel a batch with status '{status}'.", param="batch_id", code="conflict")
        return self._view(self.store.cancel_batch(batch_id))

    def page(self, query: Query) -> Json:
        """A page of the batches, the newest first."""
        limit = whole(query, "limit", _PAGE)
        if not 1 <= limit <= _LONGEST_PAGE:
            raise invalid("limit", f"Invalid 'limit': expected 1 to {_LONGEST_PAGE}, but got {limit}.")
        found = self.store.batches(limit + 1, query.get("after"))
        return listed([self._view(batch) for batch in found[:limit]], more=len(found) > limit)

    def _found(self, batch_id: str) -> Batch:
        if (found := self.store.batch(batch_id)) is None:
            raise ApiError(404, f"No batch found with id '{batch_id}'.", param="batch_id", code="not_found")
        return found

    # making one -----------------------------------------------------------------------------------------------------

    def _checked(self, request: Json, forced: frozenset[str]) -> str:
        """Check the fields; the word that changes what becomes of the batch, "" without one."""
        given = [name for name in ("input_file_id", "requests") if request.get(name) is not None]
        if len(given) != 1:
            text = "Expected exactly one of 'input_file_id' and 'requests'."
            raise invalid("input_file_id", text, "missing_required_parameter")
        for name, allowed in (("endpoint", _ENDPOINT), ("completion_window", "24h")):
            if name not in request:
                raise invalid(name, f"Missing required parameter: '{name}'.", "missing_required_parameter")
            if request[name] != allowed:
                raise invalid(name, f"Invalid value: '{request[name]}'. Supported values are: '{allowed}'.")
        if (metadata := request.get("metadata")) is not None:
            check_metadata(metadata, "metadata")
        named = [word.removeprefix("batch=") for word in forced if word.startswith("batch=")]
        word = (named or [(metadata or {}).get("emulate", "")])[0]
        return word if word in WORDS else ""

    def _lines(self, request: Json) -> tuple[list[Line], list[LineProblem]]:
        """The requests of a batch, and what is wrong with them."""
        if "requests" in request:
            expect(request["requests"], "requests", list)
            return parse_lines(dump(each) for each in request["requests"])
        expect(request["input_file_id"], "input_file_id", str)
        found = self.files.found(request["input_file_id"], "input_file_id")
        if found.purpose != BATCH:
            raise invalid("input_file_id", f"The purpose of the file is '{found.purpose}', not '{BATCH}'.")
        return parse_lines(self.store.content(found.id).splitlines())

    def _answered(self, line: Line) -> Json:
        """The line of the output for a request."""
        request_id = self.new_id("req")
        status, body = 200, {}
        try:
            for name in ("stream", "background"):
                if line.body.get(name):
                    raise invalid(name, f"Requests of a batch can't have '{name}'.")
            reply = self.responses.create(line.body)
            assert isinstance(reply, dict)
            body = reply
        except ApiError as error:
            status, body = error.status, error.body(request_id)
        response = {"status_code": status, "request_id": request_id, "body": body}
        return {"id": self.new_id("batch_req"), "custom_id": line.custom_id, "response": response, "error": None}

    # showing one ----------------------------------------------------------------------------------------------------

    def _view(self, batch: Batch) -> Json:
        """The batch as it is now. Its files are made when it has ended."""
        status, done = stage(batch)
        times = self.store.note_batch(batch.id, status, int(self.clock()))
        good = [line for line in batch.results[:done] if _is_good(line)]
        usage = _usage(good)
        shown: Json = {
            "id": batch.id,
            "object": "batch",
            **batch.facts,
            "model": batch.model,
            "errors": {"object": "list", "data": batch.problems} if status == "failed" else None,
            "status": status,
            "output_file_id": None,
            "error_file_id": None,
            "created_at": batch.created,
            "expires_at": batch.created + _WINDOW,
            **{f"{name}_at": times.get(name) for name in _TIMES},
            "request_counts": {"total": len(batch.results), "completed": len(good), "failed": done - len(good)},
        }
        if status in ENDED and usage:
            shown["usage"] = usage
        if status in ENDED and status != "failed":
            shown |= self._output(batch, status, done)
        return shown

    def _output(self, batch: Batch, status: str, done: int) -> Json:
        """The fields that lead to the results: ids of files, or the results themselves."""
        lines = [*batch.results[:done], *_unfinished(batch.results[done:], status)]
        if batch.inline:
            return {"results": lines}
        good, bad = [line for line in lines if _is_good(line)], [line for line in lines if not _is_good(line)]
        return {
            "output_file_id": self._file(batch, "output", good),
            "error_file_id": self._file(batch, "error", bad),
        }

    def _file(self, batch: Batch, kind: str, lines: list[Json]) -> str | None:
        """The id of a file with these lines, the same one each time; None without lines."""
        if not lines:
            return None
        data = b"".join(dump(line) + b"\n" for line in lines)
        name = f"{batch.id}_{kind}.jsonl"
        made = File(f"file-{batch.id.removeprefix('batch_')}-{kind}", name, OUTPUT, int(self.clock()), len(data))
        self.store.add_file(made, data)
        return made.id


def stage(batch: Batch) -> tuple[str, int]:
    """The status of a batch, and how many of its lines are answered, by how often it was asked for."""
    total, polls = len(batch.results), batch.polls
    if batch.cancelled is not None and not batch.problems:
        _, done = _running(batch, total, batch.cancelled)
        return ("cancelling" if polls - batch.cancelled <= _CANCELLING else "cancelled"), done
    if not polls:
        return "validating", 0
    if batch.problems:
        return "failed", 0
    return _running(batch, total, polls)


def _running(batch: Batch, total: int, polls: int) -> tuple[str, int]:
    if not polls:
        return "validating", 0
    if batch.word == "stuck":
        return "in_progress", total // 2
    most = total // 2 if batch.word in _UNFINISHED else total
    rounds = _SLOW_ROUNDS if batch.word == "slow" else _ROUNDS
    if polls <= rounds:
        return "in_progress", min(total * (polls - 1) // rounds, most)
    if polls == rounds + 1:
        return "finalizing", most
    return (batch.word if batch.word in _UNFINISHED else "completed"), most


def _unfinished(lines: list[Json], status: str) -> Iterator[Json]:
    code, message = _UNFINISHED.get(status, ("", ""))
    for line in lines:
        yield {**line, "response": None, "error": {"code": code, "message": message}}


def _is_good(line: Json) -> bool:
    return bool(line["response"]) and line["response"]["status_code"] == 200  # noqa: PLR2004


def _usage(lines: list[Json]) -> Json:
    """The sum of what the responses used; {} without any."""
    found = [line["response"]["body"]["usage"] for line in lines if "usage" in line["response"]["body"]]
    if not found:
        return {}

    def total(*path: str) -> int:
        return sum(each[path[0]][path[1]] if len(path) > 1 else each[path[0]] for each in found)

    return {
        "input_tokens": total("input_tokens"),
        "input_tokens_details": {"cached_tokens": total("input_tokens_details", "cached_tokens")},
        "output_tokens": total("output_tokens"),
        "output_tokens_details": {"reasoning_tokens": total("output_tokens_details", "reasoning_tokens")},
        "total_tokens": total("total_tokens"),
    }
