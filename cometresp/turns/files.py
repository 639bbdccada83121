"""The file of `--id-file`. That of `--output` is a `sinks.FileSink`."""

from typing import BinaryIO

from cometresp.errors import OutputError, PipeClosedError
from cometresp.sinks import is_written_through, opened_through, why_not_writable
from cometresp.terminal import Terminal, write_all
from cometresp.text import escape_line

STDOUT = "-"  # what -o and --id-file take for standard output


class IdFile:
    """The file of `--id-file`, written as soon as the response id is known. `error` is set where that failed.

    Where it isn't a regular file, it gets a line for each response of the run, else the last id.
    """

    def __init__(self, path: str, terminal: Terminal) -> None:
        self._path = path
        self._terminal = terminal
        self._stream: BinaryIO | None = None
        self.error: OutputError | PipeClosedError | None = None
        if path == STDOUT:
            return
        try:
            if is_written_through(path):
                self._stream = opened_through(path, terminal)
            elif reason := why_not_writable(path):
                raise self._error(reason)
        except OSError as error:
            raise self._error(error.strerror) from error

    def write(self, response_id: str) -> None:
        line = f"{response_id}\n"
        try:
            if self._path == STDOUT:
                self._print(line)
            elif self._stream is not None:
                self._terminal.share_with_reader_of(self._stream)
                write_all(self._stream, line.encode())
            else:
                with open(self._path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as the user wrote it
                    file.write(line)
        except PipeClosedError as error:
            self.error = error
        except OutputError as error:
            self._fail(error)
        except OSError as error:
            self._fail(self._error(error.strerror))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _print(self, line: str) -> None:
        terminal = self._terminal
        if not terminal.stdout_tty:
            terminal.write(line.encode())
        elif terminal.region and terminal.stderr_tty:
            terminal.write_line(escape_line(line.rstrip()) + "\n")
        else:
            terminal.write(terminal.encode(escape_line(line.rstrip()) + "\n"))

    def _fail(self, error: OutputError) -> None:
        self.error = error
        self._terminal.warn(error.message)

    def _error(self, why: str | None) -> OutputError:
        return OutputError(f"--id-file: {escape_line(self._path)} can't be written: {why}")
