"""`batch merge`: the outputs of several runs in one, a line for each id; and what is missing of the input."""

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import NamedTuple

from cometresp.batch.asked import Merged
from cometresp.batch.digests import Digests, digest
from cometresp.batch.fields import parts_of, row_parts
from cometresp.batch.lines import read_lines
from cometresp.batch.output import is_failed, parsed_line
from cometresp.batch.source import Source, open_source
from cometresp.errors import ExitCode, TurnError, UsageError
from cometresp.runtime import Runtime
from cometresp.sinks import FileSink
from cometresp.text import escape_line
from cometresp.wire.json import Json

_MOST_NAMED = 10
_SHOWN = 60  # characters of an id
_BEGINS = re.compile(rb'\{"(?:id": "batch_req_|custom_id": )')  # how a line of an output begins


def merge(asked: Merged, runtime: Runtime) -> None:
    """Write the merged lines. Raises TurnError where requests failed or are missing."""
    source = None if asked.source is None else open_source(asked.source, asked.batch, runtime.terminal)
    answered = Digests()
    for _, line in _lines(asked, runtime, tell=True):
        if not is_failed(line):
            answered.add(digest(line["custom_id"]))
    written, failed = Digests(), 0
    sink = None if asked.output in (None, "-") else FileSink(asked.output or "", runtime.terminal)
    try:
        write = sink.write if sink is not None else runtime.terminal.write
        for data, line in _lines(asked, runtime):
            number = digest(line["custom_id"])
            if is_failed(line) and number in answered:
                continue
            if written.add(number):
                failed += is_failed(line)
                write(data)
    except BaseException:
        if sink is not None:
            sink.discard()
        raise
    if sink is not None:
        sink.commit()
    _conclude(asked, runtime, written, failed, _missing(source, written) if source is not None else None)


class Missing(NamedTuple):
    """`names` are the first of the ids; `total` is the number of requests in the input."""

    ids: int
    total: int
    names: tuple[str, ...]


def _missing(source: Source, written: Digests) -> Missing:
    count, total = 0, 0
    names: list[str] = []
    with closing(source.file):
        for line in read_lines(source.rewound(), source.form):
            try:
                if source.form in ("csv", "tsv"):
                    custom_id = row_parts(line, templated=True).custom_id
                else:
                    custom_id = parts_of(line, templated=True).custom_id
            except UsageError:
                continue  # a bad line, which no run has sent
            total += 1
            if digest(custom_id) not in written:
                count += 1
                if len(names) < _MOST_NAMED:
                    names.append(escape_line(custom_id, _SHOWN))
    return Missing(count, total, tuple(names))


def _conclude(asked: Merged, runtime: Runtime, written: Digests, failed: int, missing: Missing | None) -> None:
    runtime.terminal.note(f"{len(written)} ids from {len(asked.outputs)} outputs, {failed} of them failed")
    parts = [f"{failed} of {len(written)} failed"] if failed else []
    if missing is not None and missing.ids:
        more = ", …" if missing.ids > len(missing.names) else ""
        parts.append(f"{missing.ids} of {missing.total} are missing: {', '.join(missing.names)}{more}")
    if parts:
        flags = "--resume --retry-failed" if failed else "--resume"
        hint = f"cometresp batch INPUT -o MERGED {flags} asks for them"
        raise TurnError(ExitCode.FAILED, "; ".join(parts), hint=hint)


def _lines(asked: Merged, runtime: Runtime, *, tell: bool = False) -> Iterator[tuple[bytes, Json]]:
    """The lines of all outputs, as they are and as JSON. `tell` of torn ones, which killed runs left."""
    for path in asked.outputs:
        shown = escape_line(path, 200)
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                for number, data in enumerate(file, 1):
                    if not data.endswith(b"\n"):
                        if tell:
                            runtime.terminal.warn(f"{shown}: its last line is torn, and left out")
                    elif data.strip():
                        whole, line = _whole_line(data, shown, number)
                        if tell and len(whole) < len(data):
                            runtime.terminal.warn(f"{shown}: line {number} begins with a torn one, which is left out")
                        yield whole, line
        except OSError as error:
            raise UsageError(f"can't read {shown}: {error.strerror}") from error


def _whole_line(data: bytes, shown: str, number: int) -> tuple[bytes, Json]:
    """A line, as it is and as JSON. Raises UsageError for one that isn't of a batch.

    Where several processes write to one file, as under GNU parallel, a whole line may stand behind what one that was
    killed has begun.
    """
    try:
        return data, parsed_line(data, shown, number)
    except UsageError:
        for begin in _BEGINS.finditer(data, 1):
            with suppress(UsageError):
                return data[begin.start() :], parsed_line(data[begin.start() :], shown, number)
        raise
