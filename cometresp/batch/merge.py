"""`batch merge`: the outputs of several runs in one, a line for each id; and what is missing of the input."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from cometresp.batch.asked import Merged
from cometresp.batch.digests import Digests, digest
from cometresp.batch.fields import parts_of, row_parts
from cometresp.batch.lines import read_lines
from cometresp.batch.output import held, is_failed, is_same_file
from cometresp.batch.output_lines import is_output, output_lines
from cometresp.batch.source import Source, open_source
from cometresp.errors import ExitCode, Next, TurnError, UsageError
from cometresp.runtime import Runtime
from cometresp.sinks import FileSink
from cometresp.text import escape_line, shell_word
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

_MOST_NAMED = 10
_SHOWN = 60  # characters of an id
_LONGEST = 200  # characters of a message about a line


def merge(asked: Merged, runtime: Runtime) -> None:
    """Write the merged lines. Raises TurnError where requests failed or are missing."""
    _check(asked)
    target = None if asked.output == "-" else asked.output
    with held(target):
        pass  # nothing is read where it can't be written
    source = None if asked.source is None else open_source(asked.source, asked.batch, runtime.terminal)
    answered = Digests()
    for _, line in _lines(asked, runtime.terminal.warn):
        if not is_failed(line):
            answered.add(digest(line["custom_id"]))
    written, failed, as_text = Digests(), 0, False
    sink = None if target is None else FileSink(target, runtime.terminal)
    try:
        write = sink.write if sink is not None else runtime.terminal.write
        for data, line in _lines(asked):
            number, as_text = digest(line["custom_id"]), "exit" in line
            if is_failed(line) and number in answered:
                continue
            if written.add(number):
                failed += is_failed(line)
                write(data)
        missing = _missing(source, written) if source is not None else None
        if sink is not None:
            with held(target):
                sink.commit()
    except BaseException:
        if sink is not None:
            sink.discard()
        raise
    _conclude(asked, runtime, written, failed, missing, as_text=as_text)


class Missing(NamedTuple):
    """`names` are the first of the ids; `total` is the number of requests in the input, without its `bad` lines."""

    ids: int
    total: int
    names: tuple[str, ...]
    bad: int
    first_bad: str


def _missing(source: Source, written: Digests) -> Missing:
    count, total, bad, first_bad = 0, 0, 0, ""
    names: list[str] = []
    with closing(source.file):
        for line in read_lines(source.rewound(), source.form):
            try:
                if source.form in ("csv", "tsv"):
                    custom_id = row_parts(line, templated=True).custom_id
                else:
                    custom_id = parts_of(line, templated=True).custom_id
            except UsageError as error:  # a bad line, which no run has sent
                bad += 1
                first_bad = first_bad or escape_line(f"line {line.number}: {error.message}", _LONGEST)
                continue
            total += 1
            if digest(custom_id) not in written:
                count += 1
                if len(names) < _MOST_NAMED:
                    names.append(escape_line(custom_id, _SHOWN))
    if not total:
        reason = f" that can be read: {first_bad}" if bad else ""
        raise UsageError(f"--requests: {source.shown} holds no requests{reason}")
    return Missing(count, total, tuple(names), bad, first_bad)


def _conclude(
    asked: Merged, runtime: Runtime, written: Digests, failed: int, missing: Missing | None, *, as_text: bool
) -> None:
    runtime.terminal.note(f"{len(written)} ids from {len(asked.outputs)} outputs, {failed} of them failed")
    if missing is not None and missing.bad:
        what = "1 line" if missing.bad == 1 else f"{missing.bad} lines"
        shown = escape_line(asked.source or "", 200)
        runtime.terminal.warn(f"{shown}: {what} can't be read, and may be missing: {missing.first_bad}")
    parts = [f"{failed} of {len(written)} failed"] if failed else []
    if missing is not None and missing.ids:
        more = ", …" if missing.ids > len(missing.names) else ""
        parts.append(f"{missing.ids} of {missing.total} are missing: {', '.join(missing.names)}{more}")
    if parts:
        flags = "--resume --retry-failed" if failed else "--resume"
        given = "INPUT" if asked.source is None else shell_word(asked.source)
        merged = ["-o", "MERGED" if asked.output in (None, "-") else shell_word(asked.output or "")]
        form = [f"--{name}" for name in ("lines", "csv", "tsv") if getattr(asked.batch, name)]
        text = ["--text"] if as_text else []
        hint = (Next("batch", (*form, given, *merged, *text, flags)), " asks for them")
        raise TurnError(ExitCode.FAILED, "; ".join(parts), hint=hint)


def _lines(asked: Merged, tell: Callable[[str], None] | None = None) -> Iterator[tuple[bytes, Json]]:
    """The lines of all outputs, as they are and as JSON. `tell` is called with what is left out of them."""
    form: tuple[bool, str] | None = None
    for path in asked.outputs:
        shown = escape_line(path, 200)
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                for data, line in output_lines(file, shown, tell):
                    is_text = "exit" in line
                    if form is not None and form[0] != is_text:
                        had = ("with", "without") if is_text else ("without", "with")
                        raise UsageError(f"{shown} was written {had[0]} --text, and {form[1]} {had[1]}")
                    form = form or (is_text, shown)
                    yield data, line
        except OSError as error:
            raise UsageError(f"can't read {shown}: {error.strerror}") from error


def _check(asked: Merged) -> None:
    """Raises UsageError for outputs that can't be read twice, and for a file that must not be replaced."""
    for path in asked.outputs:
        if path == "-" or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)):  # noqa: PTH110, PTH112, PTH113
            raise UsageError(f"{escape_line(path, 200)}: an output is read twice: it must be a file, not a stream")
    if asked.output in (None, "-"):
        return
    shown = escape_line(asked.output or "", 200)
    if is_same_file(asked.output, asked.source):
        raise UsageError(f"--output: {shown} is the input")
    if not any(is_same_file(asked.output, path) for path in asked.outputs):
        with suppress(OSError, ValueError):
            if os.path.isfile(asked.output or ""):  # noqa: PTH113
                with open(asked.output or "", "rb") as file:  # noqa: PTH123
                    if not is_output(file):
                        raise UsageError(f"--output: {shown} is there already, and is no output of a batch")
