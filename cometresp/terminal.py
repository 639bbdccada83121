"""The streams and what is known of them. Nobody else asks `isatty`, writes to a stream or escapes text.

What goes where:
  stdout  the answer: its bytes unchanged off a terminal, escaped on one; one newline added if it lacks one
  stderr  errors always; warnings unless quiet; notices only where it is a terminal or `--verbose` asks for them;
          foreign text is escaped there always
"""

import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TextIO

from cometresp.errors import OutputError, PipeClosedError
from cometresp.text import escape, escape_json, json_bytes, to_bytes


@dataclass(slots=True)
class Terminal:
    """The three streams, as bytes, with the facts about them. `Terminal.of_process()` is the real one."""

    stdin: BinaryIO | None
    stdout: BinaryIO | None
    stderr: BinaryIO
    stdin_tty: bool = False
    stdout_tty: bool = False
    stderr_tty: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    quiet: bool = False
    verbose: bool = False
    line_writer: Callable[[str], None] | None = None  # of who draws on the terminal meanwhile

    @classmethod
    def of_process(cls, *, quiet: bool = False, verbose: bool = False) -> "Terminal":
        """The process's own streams. One that was closed before the start is None; such a stderr is discarded."""

        def raw(stream: TextIO | None) -> BinaryIO | None:
            return stream.buffer if stream is not None else None

        def is_tty(stream: BinaryIO | None) -> bool:
            return stream is not None and stream.isatty()

        stdin, stdout, stderr = raw(sys.stdin), raw(sys.stdout), raw(sys.stderr)
        return cls(
            stdin=stdin,
            stdout=stdout,
            stderr=stderr or io.BytesIO(),
            stdin_tty=is_tty(stdin),
            stdout_tty=is_tty(stdout),
            stderr_tty=is_tty(stderr),
            quiet=quiet,
            verbose=verbose,
        )

    @property
    def redraws(self) -> bool:
        """Whether there is a terminal on which lines may be drawn again."""
        if not (self.stderr_tty or self.stdout_tty) or self.environ.get("CI"):
            return False
        return self.environ.get("TERM", "") not in ("", "dumb") or os.name == "nt"

    @property
    def encoding(self) -> str:
        """What a terminal can show: "utf-8", or "ascii" where the locale says that it isn't that."""
        names = ("LC_ALL", "LC_CTYPE", "LANG")
        locale = next((self.environ[name] for name in names if self.environ.get(name)), "")
        return "utf-8" if "utf" in locale.lower() or os.name == "nt" or sys.platform == "darwin" else "ascii"

    def encode(self, text: str) -> bytes:
        """Text for a terminal, in what it can show."""
        return to_bytes(text) if self.encoding == "utf-8" else text.encode("ascii", "replace")

    def write_stderr(self, text: str) -> None:
        """Text that is escaped already, and may be coloured."""
        with suppress(OSError):  # there is nowhere left to say that stderr is gone
            self.stderr.write(self.encode(text) if self.stderr_tty else to_bytes(text))
            self.stderr.flush()

    def write(self, data: bytes) -> None:
        """Bytes to stdout, on their way at once. Raises PipeClosedError and OutputError."""
        if self.stdout is None:
            raise OutputError("standard output is closed")
        try:
            _write_all(self.stdout, data)
        except BrokenPipeError as error:
            raise PipeClosedError from error
        except OSError as error:
            raise OutputError(f"standard output can't be written: {error.strerror}") from error

    def print_json(self, value: object) -> None:
        """A document on stdout: one line into a pipe, indented and escaped on a terminal."""
        import json

        tty = self.stdout_tty
        document = json.dumps(value, ensure_ascii=False, indent=2 if tty else None)
        self.write(json_bytes((escape_json(document) if tty else document) + "\n"))

    def ask(self, question: str) -> str | None:
        """The line that the user types, with its end; "" at the end of what there is to type, None: there is no one.

        On the terminal itself, since stdin may be a pipe. In `CI` a terminal has nobody before it.
        """
        if self.environ.get("CI"):
            return None
        names = ("CONIN$", "CONOUT$") if os.name == "nt" else ("/dev/tty", "/dev/tty")
        try:
            with open(names[0], "rb", buffering=0) as typed, open(names[1], "wb", buffering=0) as shown:  # noqa: PTH123
                shown.write(self.encode(question))
                try:
                    line = typed.readline()
                except BaseException:  # an interrupt: what comes next begins its own line
                    shown.write(b"\n")
                    raise
                if not line:
                    shown.write(b"\n")
                return line.decode(errors="replace")
        except OSError:
            return None

    def note(self, message: str) -> None:
        """Something the user may like to know: a terminal's business only."""
        if (self.stderr_tty or self.verbose) and not self.quiet:
            self._line(message)

    def warn(self, message: str) -> None:
        if not self.quiet:
            self._line(f"cometresp: warning: {message}")

    def error(self, message: str, hint: str = "") -> None:
        self._line(f"cometresp: error: {message}")
        if hint:
            self._line(f"hint: {hint}")

    def aside(self, text: str) -> None:
        """Foreign text that isn't the answer (reasoning), escaped, as it comes."""
        self.write_stderr(escape(text))

    def _line(self, message: str) -> None:
        (self.line_writer or self.write_stderr)(escape(message) + "\n")


def _write_all(stream: Any, data: bytes) -> None:
    """Write and flush, also to a pipe that another program made non-blocking, as some runners do."""
    rest = memoryview(data)
    while True:
        try:
            while rest:
                written: int | None = stream.write(rest)
                if written is None:  # unbuffered and full
                    _wait_for_room(stream)
                rest = rest[written or 0 :]
            stream.flush()
        except BlockingIOError as full:
            rest = rest[full.characters_written :]
            _wait_for_room(stream)
        else:
            return


def _wait_for_room(stream: Any) -> None:
    import select

    select.select([], [stream], [])
