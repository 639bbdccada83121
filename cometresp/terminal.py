"""The standard streams, and whether they are terminals. No other code calls `isatty` or writes to these streams.

stdout  The answer: escaped on a terminal, else unchanged; a missing newline at the end is added.
stderr  Errors; warnings unless `--quiet`; notices only on a terminal or with `--verbose`. Untrusted text is always
        escaped.

On both, the run's secrets are masked.
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, BinaryIO, Protocol, TextIO

from cometresp.errors import OutputError, PipeClosedError, named_in_errors
from cometresp.text import escape, escape_invisible, escape_json, json_bytes, to_bytes, valid_json

END_KEYS = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"  # they end what is typed as standard input
_PAUSE = 0.01  # seconds


class Masks(Protocol):
    """Puts a mask in the place of the run's secrets."""

    def message(self, text: str) -> str: ...

    def output(self, data: bytes) -> bytes: ...


class Drawn(Protocol):
    """What is redrawn at the bottom of the terminal."""

    def print_above(self, line: str) -> None: ...

    def erase(self) -> None: ...


class Job(Protocol):
    """How the job of a CI service is written to: text isn't taken for commands, messages may be annotations."""

    annotates: bool

    def stdout(self, data: bytes) -> bytes: ...

    def stderr(self, text: str) -> str: ...

    def annotation(self, level: str, title: str, message: str) -> str: ...


class Terminal:
    """The three standard streams, binary, and their properties. `Terminal.of_process()` has those of this process."""

    # No dataclass: making one takes as long as reading three modules, at every start.
    def __init__(  # noqa: PLR0913 - all but the streams have defaults
        self,
        stdin: BinaryIO | None,
        stdout: BinaryIO | None,
        stderr: BinaryIO,
        *,
        stdin_tty: bool = False,
        stdout_tty: bool = False,
        stderr_tty: bool = False,
        environ: Mapping[str, str] | None = None,
        quiet: bool = False,
        verbose: bool = False,
        masks: Masks | None = None,
        color: str = "auto",
    ) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.stdin_tty, self.stdout_tty, self.stderr_tty = stdin_tty, stdout_tty, stderr_tty
        self.environ = os.environ if environ is None else environ
        self.quiet, self.verbose = quiet, verbose
        self.masks = masks
        self.color = color  # of rendered text: auto (on a terminal), always or never
        self.region: Drawn | None = None  # what is redrawn at the bottom
        self.waits: Callable[[str], AbstractContextManager[object]] | None = None  # draws what is waited for
        self.job: Job | None = None  # of a CI service that the streams are written for
        self.lacks_sequences = False  # a console of Windows before version 10
        self.is_shared = False  # a reader of our output may write to the terminal too: nothing is redrawn any more

    @classmethod
    def of_process(
        cls, *, quiet: bool = False, verbose: bool = False, masks: Masks | None = None, color: str = "auto"
    ) -> "Terminal":
        """The streams of this process. One that was closed before the start is None; such a stderr is discarded."""

        def raw(stream: TextIO | None) -> BinaryIO | None:
            return stream.buffer if stream is not None else None

        def is_tty(stream: BinaryIO | None) -> bool:
            return stream is not None and stream.isatty() and (os.name != "nt" or _is_console(stream))

        stdin, stdout, stderr = raw(sys.stdin), raw(sys.stdout), raw(sys.stderr)
        made = cls(
            stdin=stdin,
            stdout=stdout,
            stderr=stderr or io.BytesIO(),
            stdin_tty=is_tty(stdin),
            stdout_tty=is_tty(stdout),
            stderr_tty=is_tty(stderr),
            quiet=quiet,
            verbose=verbose,
            masks=masks,
            color=color,
        )
        if os.name == "nt":
            shown = [stream for stream in (stdout, stderr) if stream is not None and is_tty(stream)]
            made.lacks_sequences = not all(list(map(_takes_sequences, shown)))
        return made

    @property
    def redraws(self) -> bool:
        """Whether there is a terminal on which lines may be redrawn."""
        return not self.why_not_redrawn

    @property
    def why_not_redrawn(self) -> str:
        """Why no lines are redrawn; "" where they may be."""
        if not (self.stderr_tty or self.stdout_tty):
            return "there is no terminal"
        if self.environ.get("CI"):
            return "CI is set"
        return "TERM names none that can be redrawn" if self.is_dumb else ""

    @property
    def is_dumb(self) -> bool:
        """Whether the terminal takes no sequences that steer or colour it; one without `TERM` counts as such."""
        names = ("dumb", "unknown") if os.name == "nt" else ("", "dumb", "unknown")
        return self.lacks_sequences or self.environ.get("TERM", "").lower() in names

    @property
    def encoding(self) -> str:
        """The encoding of the terminal: "utf-8", or "ascii" if the locale names another."""
        names = ("LC_ALL", "LC_CTYPE", "LANG")
        locale = next((self.environ[name] for name in names if self.environ.get(name)), "")
        return "utf-8" if "utf" in locale.lower() or os.name == "nt" or sys.platform == "darwin" else "ascii"

    @property
    def arrow(self) -> str:
        return "→" if self.encoding == "utf-8" else "->"

    def encode(self, text: str) -> bytes:
        """Text in the terminal's encoding; characters that it lacks become `?`."""
        return to_bytes(text) if self.encoding == "utf-8" else text.encode("ascii", "replace")

    def write_stderr(self, text: str) -> None:
        """Write text that is already escaped, and may be coloured."""
        text = self._masked(text)
        self._write_stderr(self.job.stderr(text) if self.job else text)

    def _write_stderr(self, text: str) -> None:
        with suppress(OSError):  # there is no other stream to report it on
            self.stderr.write(self.encode(text) if self.stderr_tty else to_bytes(text))
            self.stderr.flush()

    def write_line(self, line: str) -> None:
        """Write whole lines to stderr, as `write_stderr` does, above what is redrawn there."""
        if self.region is not None:
            self.region.print_above(line)
        else:
            self.write_stderr(line)

    def write(self, data: bytes) -> None:
        """Write bytes to stdout and flush. Raises PipeClosedError and OutputError."""
        if self.stdout is None:
            raise OutputError("standard output is closed")
        self.share_with_reader_of(self.stdout)
        try:
            write_all(self.stdout, self.guarded(self.stdout, self.masked(data)))
        except BrokenPipeError as error:
            raise PipeClosedError from error
        except OSError as error:
            raise OutputError(f"standard output can't be written: {error.strerror}") from error

    def guarded(self, stream: BinaryIO, data: bytes) -> bytes:
        """What a stream gets that may be the log of a job; a file isn't."""
        return self.job.stdout(data) if self.job is not None and not is_file(stream) else data

    def share_with_reader_of(self, stream: BinaryIO) -> None:
        """Erase what is drawn on stderr, for good, before the first byte is written to a pipe.

        Its reader may print to the same terminal, as in `… | tee FILE`, and its lines must not be overwritten.
        """
        if self.stderr_tty and not self.is_shared and is_pipe(stream):
            self.is_shared = True
            if self.region is not None:
                self.region.erase()

    def masked(self, data: bytes) -> bytes:
        """What stdout gets: the bytes, with the run's secrets masked."""
        return self.masks.output(data) if self.masks else data

    def print_json(self, value: object) -> None:
        """Print a value as JSON on stdout: one line into a pipe, indented and escaped on a terminal."""
        import json

        tty = self.stdout_tty
        document = valid_json(json.dumps(value, ensure_ascii=False, indent=2 if tty else None))
        self.write(json_bytes((escape_json(document) if tty else document) + "\n"))

    def bold(self, text: str) -> str:
        """Text in bold, where the terminal can show it."""
        return f"\x1b[1m{text}\x1b[22m" if self.is_styled else text

    def dim(self, text: str) -> str:
        """Dim text, where the terminal can show it."""
        return f"\x1b[2m{text}\x1b[22m" if self.is_styled else text

    @property
    def is_styled(self) -> bool:
        """Whether lines may be bold or dim."""
        return not self.is_dumb and self.color != "never"

    def ask(self, question: str, *, secret: bool = False) -> str | None:
        """The line that the user types, with its newline; "" at the end of input, None if there is no terminal.

        A blank line follows the answer.

        Uses the terminal directly, since stdin may be a pipe. What was typed before the question was shown is
        discarded. With `CI` set, nobody can answer at a terminal. The terminal doesn't show a `secret` answer.
        """
        if self.environ.get("CI"):
            return None
        from cometresp.questions import ask

        return ask(self.encode(self._masked(question)), secret=secret)

    def note(self, message: str) -> None:
        """Print a notice, only on a terminal or with `--verbose`."""
        if (self.stderr_tty or self.verbose) and not self.quiet:
            self._line(message)

    @property
    def notice_after(self) -> float:
        """Seconds after which the user is told what is waited for."""
        return 1.0 if self.stderr_tty or self.verbose else 10.0

    def tell_waiting(self, message: str) -> None:
        """Print what is waited for; to be called after `notice_after` seconds."""
        if not self.quiet:
            self._line(message if self.stderr_tty or self.verbose else f"cometresp: {message}")

    @contextmanager
    def waiting(self, message: str) -> Iterator[None]:
        """Show what is waited for while the block runs; undrawn, it is printed after `notice_after`.

        The error of a signal that ends the block names it.
        """
        if self.waits is not None and not self.is_shared:
            with named_in_errors(message), self.waits(message):
                yield
            return
        import threading

        timer = threading.Timer(self.notice_after, self.tell_waiting, (message,))
        timer.daemon = True
        timer.start()
        try:
            with named_in_errors(message):
                yield
        finally:
            timer.cancel()

    def warn(self, message: str) -> None:
        if self.quiet:
            return
        if self.job is not None and self.job.annotates:
            self._annotate("warning", "cometresp", message)
        else:
            self._line(f"cometresp: warning: {message}")

    def error(self, message: str, hint: str = "", *, code: int = 1) -> None:
        if self.job is not None and self.job.annotates:
            self._annotate("error", f"cometresp: exit code {code}", f"{message}\nhint: {hint}" if hint else message)
            return
        self._line(f"cometresp: error: {message}")
        if hint:
            self._line(f"hint: {hint}")

    def _annotate(self, level: str, title: str, message: str) -> None:
        assert self.job is not None
        self._write_stderr(self.job.annotation(level, title, escape_invisible(self._masked(message))))

    def aside(self, text: str) -> None:
        """Print untrusted text that isn't the answer (such as reasoning), escaped, without a newline."""
        self.write_stderr(escape(text))

    def _line(self, message: str) -> None:
        """Print a message; its further lines are indented, so that a server's text can't look like a hint of ours."""
        first, *rest = escape_invisible(self._masked(message)).split("\n")
        lines = [first, *(line if line.startswith("  ") else f"  {line}" for line in rest)]
        self.write_line("\n".join(lines) + "\n")

    def _masked(self, text: str) -> str:
        return self.masks.message(text) if self.masks else text


def terminal_size(descriptors: tuple[int, ...]) -> tuple[int, int]:
    """(columns, rows) of the first of these that is a terminal, else (80, 24); COLUMNS and LINES take precedence."""
    size = (0, 0)
    for descriptor in descriptors:
        with suppress(OSError):
            size = os.get_terminal_size(descriptor)
            break
    given = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
    columns, rows = (int(text) if text.isdecimal() else 0 for text in given)
    return columns or size[0] or 80, rows or size[1] or 24


def is_pipe(stream: BinaryIO) -> bool:
    """Whether a stream leads to another program: a pipe or a socket."""
    import stat

    mode = _mode(stream)
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def is_file(stream: BinaryIO) -> bool:
    """Whether a stream leads to a regular file."""
    import stat

    return stat.S_ISREG(_mode(stream))


def _mode(stream: BinaryIO) -> int:
    try:
        return os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):  # it is closed, or only in memory
        return 0


def _is_console(stream: BinaryIO) -> bool:
    from cometresp.console import is_console

    return is_console(stream.fileno())


def _takes_sequences(stream: BinaryIO) -> bool:
    from cometresp.console import takes_sequences

    return takes_sequences(stream.fileno())


def write_all(stream: Any, data: bytes) -> None:
    """Write and flush, even to a pipe that another program made non-blocking, as some CI runners do.

    Raises OSError; BrokenPipeError for a pipe without a reader.
    """
    rest = memoryview(data)
    while True:
        try:
            while rest:
                written: int | None = stream.write(rest)
                if written is None:  # unbuffered and full
                    _wait_until_writable(stream)
                rest = rest[written or 0 :]
            stream.flush()
        except BlockingIOError as full:
            rest = rest[full.characters_written :]
            _wait_until_writable(stream)
        except OSError as error:
            if os.name == "nt" and error.errno == errno.EINVAL and is_pipe(stream):  # what it is there
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
            raise
        else:
            return


def _wait_until_writable(stream: Any) -> None:
    import select

    try:
        select.select([], [stream], [])
    except (OSError, ValueError):  # Windows, where it takes only sockets
        import time

        time.sleep(_PAUSE)
