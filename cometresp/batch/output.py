"""The output of a batch: whole lines, appended as responses come, each in one write.

Beside a file OUT stands `OUT.batch.json`, which says which input it is of. A run that was killed leaves at most one
torn line at the end of OUT; the next one, with --resume, drops it.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Self

from cometresp.batch.source import Mark
from cometresp.errors import ExitCode, OutputError, UsageError
from cometresp.locks import lock_file
from cometresp.sinks import is_written_through, opened_through
from cometresp.terminal import Terminal, write_all
from cometresp.text import escape_json, escape_line, json_bytes
from cometresp.wire.json import Json, obj

_SIDE = ".batch.json"
_CHUNK = 1 << 20


class Output:
    """Where lines go: a file that is appended to, a stream, or standard output. Threads may write at once."""

    def __init__(self, path: str | None, terminal: Terminal) -> None:
        self._path = path
        self._terminal = terminal
        self._shown = "standard output" if path is None else escape_line(path)
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._size = 0
        self.is_regular = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def side_path(self) -> str:
        return f"{self._path}{_SIDE}"

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
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            self._file = os.fdopen(descriptor, "r+b", buffering=0)
            self.is_regular = True
            self._size = os.fstat(descriptor).st_size
        except (OSError, ValueError) as error:
            raise self._error(error) from error
        if not lock_file(self._file):
            self._file.close()
            raise OutputError(f"--output: another run is writing to {self._shown}")

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

    # resuming -------------------------------------------------------------------------------------------------------

    def drop_torn_line(self) -> None:
        """Remove what stands behind the last newline: a line that a killed run didn't finish."""
        assert self._file is not None
        at = self._size
        while at > 0:
            start = max(at - _CHUNK, 0)
            self._file.seek(start)
            found = _read(self._file, at - start).rfind(b"\n")
            if found >= 0:
                at = start + found + 1
                break
            at = start
        if at < self._size:
            try:
                os.ftruncate(self._file.fileno(), at)
            except OSError as error:
                raise self._error(error) from error
            self._size = at

    def lines(self) -> Iterator[Json]:
        """The lines that are there. Raises UsageError for one that isn't of a batch."""
        assert self._file is not None
        with open(self._path or "", "rb") as file:  # noqa: PTH123
            for number, data in enumerate(file, 1):
                if data.strip():
                    yield parsed_line(data, self._shown, number)

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


def parsed_line(data: bytes, shown: str, number: int) -> Json:
    """A line of an output. Raises UsageError for one that isn't of a batch."""
    try:
        line = json.loads(data)
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict) or not isinstance(line.get("custom_id"), str):
        raise UsageError(f"{shown}: line {number} is no line of a batch's output")
    return line


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
    """None where there is none, or it can't be read."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            document = json.load(file)
        given = document["input"]
        return Side(Mark(given["bytes"], given["sha256"]), document.get("shard") or "", document["form"] == "text")
    except (OSError, ValueError, KeyError, TypeError):
        return None
