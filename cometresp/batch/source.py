"""The file of requests: opened, read twice and more, and known again by its digest. A pipe is kept in a file first."""

import hashlib
import os
import shutil
import stat
import tempfile
from typing import IO

from cometresp.batch.lines import Form
from cometresp.errors import OutputError, UsageError
from cometresp.options.batch import BatchOptions
from cometresp.paths import is_device
from cometresp.terminal import END_KEYS, Terminal
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple

_CHUNK = 1 << 20
_STDIN = "-"


class Mark(NamedTuple):
    """What an input is known by: its size in bytes, and its SHA-256."""

    size: int
    digest: str


class Source(NamedTuple):
    """`shown` is its name in messages."""

    file: IO[bytes]
    shown: str
    form: Form

    def rewound(self) -> IO[bytes]:
        self.file.seek(0)
        return self.file

    def mark(self, size: int | None = None) -> Mark:
        """The mark of its first `size` bytes, None for all; of fewer where it is shorter."""
        file, found = self.rewound(), hashlib.sha256()
        left = size
        read = 0
        while (left is None or left > 0) and (chunk := file.read(_CHUNK if left is None else min(_CHUNK, left))):
            found.update(chunk)
            read += len(chunk)
            left = None if left is None else left - len(chunk)
        return Mark(read, found.hexdigest())


def open_source(path: str, options: BatchOptions, terminal: Terminal) -> Source:
    """The file that the command line names. Raises UsageError where it can't be read."""
    form = form_of(path, options)
    if path == _STDIN:
        return Source(_spooled_stdin(terminal), "standard input", form)
    shown = escape_line(path, 200) or "''"
    try:
        facts = os.stat(path)  # noqa: PTH116 - a PathLike hides a NUL in the name until later
        if stat.S_ISDIR(facts.st_mode):
            raise UsageError(f"{shown} is a directory")
        if is_device(facts):
            raise UsageError(f"{shown} is a device")
        if stat.S_ISREG(facts.st_mode) and facts.st_size:
            return Source(open(path, "rb"), shown, form)  # noqa: PTH123 - it is read until the end of the run
        with terminal.waiting(f"reading {shown}"), open(path, "rb") as pipe:  # noqa: PTH123
            return Source(_spooled(pipe), shown, form)
    except OSError as error:
        raise UsageError(f"can't read {shown}: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise UsageError(f"can't read {shown}: {error}") from error


def form_of(path: str, options: BatchOptions) -> Form:
    """How the input is read: as flags say, else by its name. Raises UsageError for flags that exclude each other."""
    given: list[Form] = []
    if options.lines:
        given.append("lines")
    if options.csv:
        given.append("csv")
    if options.tsv:
        given.append("tsv")
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other: each says how the input is read")
    if given:
        return given[0]
    return "csv" if path.lower().endswith(".csv") else "tsv" if path.lower().endswith(".tsv") else "jsonl"


def _spooled_stdin(terminal: Terminal) -> IO[bytes]:
    stream = terminal.stdin
    if stream is None or stream.closed:
        raise UsageError("-: standard input is closed")
    if terminal.stdin_tty:
        terminal.note(f"reading the requests from the terminal: {END_KEYS} at the start of a line ends them")
        return _spooled(stream)
    with terminal.waiting("waiting for standard input to end"):
        return _spooled(stream)


def _spooled(pipe: IO[bytes]) -> IO[bytes]:
    """What comes from a pipe, in a temporary file: it is read more than once."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        shutil.copyfileobj(pipe, file, _CHUNK)
        file.flush()
    except OSError as error:
        raise OutputError(f"the input can't be kept in {tempfile.gettempdir()}: {error.strerror}") from error
    return file
