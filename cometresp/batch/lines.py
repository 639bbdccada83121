"""The input of a batch, line by line: JSON Lines, lines of text, CSV or TSV. What is read is never held as a whole."""

import csv
import json
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, Any, Literal

from cometresp.errors import UsageError
from cometresp.text import shown_size
from cometresp.tuples import NamedTuple
from cometresp.wire.json import parse_json

Form = Literal["jsonl", "lines", "csv", "tsv"]

LONGEST = 100_000_000  # bytes of a line, and characters of a field of CSV
_BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 20
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Line(NamedTuple):
    """A line that isn't blank, by its number in the input, from 1.

    `value` is its JSON, its text, or the row of CSV by columns. `fault` says why it can't be read; it is "" if it can.
    """

    number: int
    value: Any
    fault: str = ""


def read_lines(file: IO[bytes], form: Form, end: int | None = None) -> Iterator[Line]:
    """The lines up to byte `end` of the file. Raises UsageError where CSV has no usable first row."""
    if form in ("csv", "tsv"):
        yield from _rows(file, "," if form == "csv" else "\t")
        return
    for number, data in _raw_lines(file, end):
        if data is None:
            yield Line(number, None, f"it has more than {LONGEST / 1e6:.0f} MB")
            continue
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            what = "UTF-16" if number == 1 and data.startswith(_OTHER_BOMS) else f"byte {error.start + 1} is wrong"
            yield Line(number, None, f"it is not UTF-8: {what}")
            continue
        yield Line(number, text) if form == "lines" else _parsed(number, text)


def _raw_lines(file: IO[bytes], end: int | None) -> Iterator[tuple[int, bytes | None]]:
    """The lines that aren't blank, without their ends; None for one that is too long."""
    number, read = 0, 0
    while end is None or read < end:
        data = file.readline(LONGEST + 3)
        if not data:
            return
        number, read = number + 1, read + len(data)
        if number == 1 and data.startswith(_BOM):
            data = data[len(_BOM) :]
        is_long = len(data) > LONGEST and not data.endswith(b"\n")
        while is_long and (more := file.readline(_CHUNK)):
            read += len(more)
            if more.endswith(b"\n"):
                break
        if is_long:
            yield number, None
        elif data.strip():
            yield number, data.rstrip(b"\r\n")


def _parsed(number: int, text: str) -> Line:
    try:
        return Line(number, parse_json("", text))
    except UsageError as error:
        return Line(number, None, error.message.removeprefix(": ").replace("line 1 column", "column"))


# CSV ----------------------------------------------------------------------------------------------------------------


def _rows(file: IO[bytes], delimiter: str) -> Iterator[Line]:
    csv.field_size_limit(LONGEST)
    text = TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        columns = _columns(reader)
        yield from _rows_behind(reader, columns)
    finally:
        text.detach()


def _columns(reader: Any) -> list[str]:
    try:
        columns: list[str] = next(reader, [])
    except csv.Error as error:
        raise UsageError(f"line 1: {error}") from error
    names = [name.strip() for name in columns]
    if not any(names):
        raise UsageError("line 1: the first row names the columns, and there is none")
    twice = next((name for n, name in enumerate(names) if name in names[:n]), None)
    if twice is not None:
        raise UsageError(f"line 1: two columns are called {json.dumps(twice, ensure_ascii=False)}")
    return names


def _rows_behind(reader: Any, columns: list[str]) -> Iterator[Line]:
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            last = reader.line_num
            until = f" (the field goes on to line {last}, which is left out, too)" if last > number else ""
            yield Line(number, None, f"not valid CSV: {_reason(error)}{until}")
            continue
        if row is None:
            return
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(columns):
            fields = f"{len(row)} field{'s' if len(row) != 1 else ''}"
            yield Line(number, None, f"it has {fields}, and the first row {len(columns)}")
        elif any(not field.isascii() and any("\udc80" <= sign <= "\udcff" for sign in field) for field in row):
            yield Line(number, None, "it is not UTF-8")
        else:
            yield Line(number, dict(zip(columns, row, strict=True)))


def _reason(error: csv.Error) -> str:
    words = str(error)
    return f"a field has more than {shown_size(LONGEST)}" if "field larger" in words else words
