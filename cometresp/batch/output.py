"""The output of a batch: whole lines, appended as responses come, each in one write.

Beside a file OUT stands `OUT.batch.json`, which says which input it is of. A run that was killed leaves at most one
torn line at the end of OUT; the next one, with --resume, drops it.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Self

from cometresp.batch.output_lines import output_lines
from cometresp.batch.source import Mark
from cometresp.errors import ExitCode, OutputError
from cometresp.locks import lock_file
from cometresp.sinks import FileSink, is_written_through, opened_through
from cometresp.terminal import Terminal, write_all
from cometresp.text import escape_json, escape_line, json_bytes
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, obj

_SIDE = ".batch.json"
_CHUNK = 1 << 20


class ReplacedError(OutputError):
    """The output of a run was removed or replaced while it was written."""


class Output:
    """Where lines go: a file that is appended to, a stream, or standard output. Threads may write at once."""

    def __init__(self, path: str | None, terminal: Terminal) -> None:
        self._path = path
        self._terminal = terminal
        self._shown = "standard output" if path is None else escape_line(path)
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._size = 0
        self._whole = 0  # bytes of whole lines
        self.is_regular = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def side_path(self) -> str:
        return f"{self._path}{_SIDE}"

    @property
    def shown_side(self) -> str:
        return f"{self._shown}{_SIDE}"

    @property
    def shown(self) -> str:
        return self._shown

    @property
    def has_content(self) -> bool:
        return self._size > 0

    def open(self) -> None:
        """Open the file, and lock it against other runs. Raises OutputError."""
        if self._path is None:
            return
        try:
            if is_written_through(self._path):
                self._file = opened_through(self._path, self._terminal)
                return
            self._file = self._opened(self._path)
            self.is_regular = True
            self._size = os.fstat(self._file.fileno()).st_size
        except (OSError, ValueError) as error:
            raise self._error(error) from error

    def _opened(self, path: str) -> BinaryIO:
        """The file, locked; once more where another run has put one in its place meanwhile."""
        while True:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666), "r+b", buffering=0)
            if not lock_file(file):
                file.close()
                raise OutputError(f"--output: another run is writing to {self._shown}")
            if _leads_to(path, file):
                return file
            file.close()

    def write(self, line: bytes) -> None:
        """Append one line, whole or not at all. Raises OutputError and PipeClosedError."""
        if self._file is None:
            if self._terminal.stdout_tty:
                line = json_bytes(escape_json(line.decode(errors="surrogatepass")))
            with self._lock:
                self._terminal.write(line)
            return
        line = self._terminal.masked(line)
        with self._lock:
            try:
                write_all(self._file, line)
                self._size += len(line)
            except OSError as error:
                if self.is_regular:
                    with suppress(OSError):
                        os.ftruncate(self._file.fileno(), self._size)
                raise self._error(error) from error

    def close(self) -> None:
        """Wait for a line that is being written, and write no more."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    @property
    def is_in_place(self) -> bool:
        """Whether what is written can still be found by the name of the file."""
        if not self.is_regular or self._file is None or self._path is None:
            return True
        return _leads_to(self._path, self._file)

    def loss(self) -> "ReplacedError | None":
        """The error where the file was removed or replaced while it was written; what was written is kept beside it."""
        if self.is_in_place or self._file is None or self._path is None:
            return None
        message, kept = f"--output: {self._shown} was removed or replaced while it was written", ""
        with suppress(OSError, OutputError):
            sink = FileSink(self._path)
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                sink.write(chunk)
            kept = sink.abandon().rpartition("; ")[2]
        if not kept:
            return ReplacedError(message)
        return ReplacedError(f"{message}; {kept}", hint=f"moved back to {self._shown}, it is continued by --resume")

    # resuming -------------------------------------------------------------------------------------------------------

    def drop_torn_line(self) -> None:
        """Remove what stands behind the last newline: a line that a killed run didn't finish."""
        assert self._file is not None
        at = self._end_of_lines()
        if at < self._size:
            try:
                os.ftruncate(self._file.fileno(), at)
            except OSError as error:
                raise self._error(error) from error
            self._size = at

    def _end_of_lines(self) -> int:
        """The place behind the last newline."""
        assert self._file is not None
        at = self._size
        while at > 0:
            start = max(at - _CHUNK, 0)
            self._file.seek(start)
            found = _read(self._file, at - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            at = start
        return 0

    def lines(self, *, known: bool = False) -> Iterator[Json]:
        """The lines that are there; what isn't one of them is told. Raises UsageError where it is no output.

        `known`: it is one, whatever is in it.
        """
        self._whole = 0
        with open(self._path or "", "rb") as file:  # noqa: PTH123
            for data, line in output_lines(file, self._shown, self._terminal.warn, known=known, torn=False):
                self._whole += len(data)
                yield line

    def keep_lines(self) -> None:
        """Remove all but the lines that `lines` has found."""
        if self._whole == self._end_of_lines():
            self.drop_torn_line()
        elif self._whole != self._size:
            self.replace(lambda file: (data for data, _ in output_lines(file, self._shown, known=True)))

    def replace(self, lines: Callable[[BinaryIO], Iterator[bytes]]) -> None:
        """Put other lines in the place of those that are there, which `lines` gets as a file.

        The file is replaced as a whole: a run that is killed before changes nothing.
        """
        assert self._file is not None
        assert self._path is not None
        target = os.path.realpath(self._path)
        new = f"{target}.{os.getpid()}.new"
        try:
            with open(target, "rb") as old, open(new, "wb") as file:  # noqa: PTH123
                os.chmod(new, os.fstat(old.fileno()).st_mode & 0o7777)  # noqa: PTH101
                file.writelines(lines(old))
            if os.name == "nt":
                self._file.close()  # a file that is open can't be replaced there
            os.replace(new, target)  # noqa: PTH105
            self._file.close()
            self.open()
        except OSError as error:
            with suppress(OSError):
                os.unlink(new)  # noqa: PTH108
            raise self._error(error) from error

    def _error(self, error: Exception) -> OutputError:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return OutputError(f"--output: {self._shown} can't be written: {reason}")


def is_failed(line: Json) -> bool:
    """Whether a line of an output says that its request failed."""
    if "exit" in line:
        return line["exit"] not in (0, 5)
    if line.get("error") is not None:
        return True
    status = obj(line.get("response")).get("status_code")
    return not (isinstance(status, int) and 200 <= status < 300)  # noqa: PLR2004


def code_in(line: Json) -> int:
    """The exit code in a line of an output; 1 where another program wrote it."""
    code = line["exit"] if "exit" in line else obj(line.get("error")).get("exit_code")
    return code if isinstance(code, int) else ExitCode.FAILED


def usage_in(line: Json) -> Json:
    return obj(line.get("usage")) if "exit" in line else obj(obj(obj(line.get("response")).get("body")).get("usage"))


def model_in(line: Json) -> str:
    model = obj(obj(line.get("response")).get("body")).get("model")
    return model if isinstance(model, str) else ""


def _read(file: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size and (chunk := file.read(size - len(data))):
        data += chunk
    return data


@contextmanager
def held(path: str | None, flag: str = "--output") -> Iterator[None]:
    """A block in which no run writes to a file that is to be replaced. Raises OutputError where one does."""
    file = None
    with suppress(OSError, ValueError):
        if path is not None and not is_written_through(path):
            how = os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY
            file = os.fdopen(os.open(path, how), "rb", buffering=0)
    if file is None:
        yield
        return
    with file:
        if not lock_file(file):
            raise OutputError(f"{flag}: another run is writing to {escape_line(path or '')}")
        if os.name == "nt":
            file.close()  # a file that is open can't be replaced there
        yield


def is_same_file(path: str | None, other: str | None) -> bool:
    """Whether both names lead to one file, by whatever links."""
    if path is None or other is None:
        return False
    try:
        return os.path.samefile(path, other)  # noqa: PTH121
    except (OSError, ValueError):
        return path == other


def _leads_to(path: str, file: BinaryIO) -> bool:
    """Whether a path is still that of an open file; True where that can't be known now."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a network that is away for a while
        return True


# which input it is of -----------------------------------------------------------------------------------------------


class Side(NamedTuple):
    """What `OUT.batch.json` says: the input, the part of it, and the form of the lines."""

    mark: Mark
    shard: str
    as_text: bool


def write_side(path: str, side: Side) -> None:
    """Raises OutputError."""
    document = {
        "input": {"bytes": side.mark.size, "sha256": side.mark.digest},
        "shard": side.shard or None,
        "form": "text" if side.as_text else "responses",
    }
    new = f"{path}.{os.getpid()}.new"
    try:
        with open(new, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(json.dumps(document) + "\n")
        os.replace(new, path)  # noqa: PTH105
    except OSError as error:
        with suppress(OSError):
            os.unlink(new)  # noqa: PTH108
        raise OutputError(f"--output: {escape_line(path)} can't be written: {error.strerror}") from error


def read_side(path: str) -> Side | None:
    """None where there is none. Raises ValueError where it can't be read."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            document = json.load(file)
        given = document["input"]
        return Side(Mark(given["bytes"], given["sha256"]), document.get("shard") or "", document["form"] == "text")
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from error
