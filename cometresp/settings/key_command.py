"""The key that a command prints, such as `pass show comet`. No shell reads the command.

It is run only when a request needs its key. It may ask for a passphrase: its standard input and the terminal are those
of this program, but a pipe is not, since that holds the prompt. What it writes to standard error is shown on a terminal
if it takes a while, as it does when it asks, and is in the message if it fails.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from cometresp.errors import ConfigError, named_in_errors
from cometresp.settings.keys import MOST
from cometresp.signals import deferred
from cometresp.terminal import Terminal
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple

LONGEST = 30.0  # seconds
_MOST_BYTES = 65_536  # that are kept of each of its streams
_QUICK = 0.3  # seconds in which what it writes to standard error is held back
_GRACE = 1.0  # seconds for its end
_LATE = 10.0  # seconds in which what it has written must be read
_SHOWN = 500  # characters of standard error in a message
_MOST_LINES = 20  # that are taken for secrets
_BLANKS = "\ufeff \t\r"
_FIRST_LINE = """a shell can take the first one: ["sh", "-c", "… | head -n 1"]"""


def key_from(
    command: Sequence[str],
    source: str,
    terminal: Terminal,
    on_output: Callable[[str], object],
    *,
    longest: float = LONGEST,
) -> str:
    """The key: the one line that the command prints. `on_output` gets each line first, since it may be a secret.

    Raises ConfigError where it can't be started, fails, takes too long, or prints anything else.
    """
    name = f"{source}: key_command: {escape_line(command[0], 200)}"
    try:
        with named_in_errors("waiting for key_command"), _settings_kept():
            ran = _run(command, terminal, longest)
    except (OSError, ValueError) as error:  # ValueError: a NUL in it
        raise ConfigError(f"{name} can't be started: {getattr(error, 'strerror', None) or error}") from error
    lines = [line.strip(_BLANKS) for line in ran.printed.split("\n")]
    lines = [line for line in lines if line]
    for line in lines[:_MOST_LINES]:
        on_output(line)
    fault = f"took more than {longest:g} s" if ran.code is None else _fault(ran, lines)
    if fault:
        said = " ".join(ran.complaints.split())
        hint = _FIRST_LINE if fault.startswith("printed") and ran.lines > 1 else ""
        raise ConfigError(f"{name} {fault}" + (f": {escape_line(said, _SHOWN)}" if said else ""), hint=hint)
    return lines[0]


class _Ran(NamedTuple):
    """How a command ended, None if it had to be ended, and the start of what it wrote to its two streams.

    `lines` counts all that it printed, without empty ones.
    """

    code: int | None
    lines: int
    printed: str
    complaints: str


def _run(command: Sequence[str], terminal: Terminal, longest: float) -> _Ran:
    """Run the command. Raises OSError or ValueError if it can't be started. A signal's error ends it, too."""
    from subprocess import DEVNULL, PIPE, Popen

    process, streams = None, list[_Collected]()
    with _standard_input(terminal) as stdin:
        # Where there is a terminal, only processes of our own group may read from it.
        group = 0 if stdin == DEVNULL and os.name == "posix" else None
        try:
            with deferred():
                process = Popen(command, stdin=stdin, stdout=PIPE, stderr=PIPE, process_group=group)
                assert process.stdout is not None
                assert process.stderr is not None
                streams.append(_Collected(process.stdout))
                streams.append(_Collected(process.stderr, terminal))
            is_over = _wait(process, longest)
        finally:
            if process is not None:
                _end(process, group=group is not None)
                for pipe in (process.stdout, process.stderr)[len(streams) :]:  # an interrupt came before they were read
                    if pipe is not None:
                        pipe.close()
            for stream, seconds in zip(streams, (_GRACE, _GRACE / 5), strict=False):
                stream.finish(seconds)
    return _Ran(process.returncode if is_over else None, streams[0].lines, *(stream.text for stream in streams))


def _wait(process: Any, longest: float) -> bool:
    """Whether the process ends in time."""
    import subprocess

    try:
        process.wait(longest)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: Any, *, group: bool) -> None:
    """End a process that still runs, and what it has started: its `group` where it has one of its own."""
    import subprocess

    if process.poll() is not None:
        return
    started = [] if group or sys.platform == "win32" else [pid for pid in _started_by(process.pid) if _is_of_us(pid)]
    for name in ("SIGTERM", "SIGKILL"):
        with suppress(OSError):  # it has ended meanwhile
            if group and sys.platform != "win32":
                os.killpg(process.pid, getattr(signal, name))
            elif name == "SIGTERM":
                process.terminate()
            else:
                process.kill()
        for pid in filter(_is_of_us, started):
            with suppress(OSError):
                os.kill(pid, getattr(signal, name))
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            return


def _started_by(pid: int) -> list[int]:
    """The processes that one has started, and those that they have."""
    pairs = parents()
    found = [pid]
    for one in found:
        found += [child for child, parent in pairs if parent == one and child not in found]
    return found[1:]


def parents() -> list[tuple[int, int]]:
    """Each process with its parent, as far as the system tells."""
    if Path("/proc/self/stat").exists():
        return list(_parents_on_linux())
    from subprocess import DEVNULL, SubprocessError, check_output

    try:
        listed = check_output(["/bin/ps", "-A", "-o", "pid=,ppid="], stdin=DEVNULL, stderr=DEVNULL, timeout=_GRACE)
        return [(int(child), int(parent)) for child, parent in map(bytes.split, listed.splitlines())]
    except (OSError, SubprocessError, ValueError):
        return []


def _parents_on_linux() -> Iterator[tuple[int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            yield int(path.parent.name), int(path.read_text(errors="replace").rpartition(")")[2].split()[1])


def _is_of_us(pid: int) -> bool:
    """Whether a process is in our group, in which the command is that may read from the terminal."""
    if sys.platform == "win32":
        return False
    try:
        return os.getpgid(pid) == os.getpgrp()
    except OSError:
        return False


def _fault(ran: _Ran, lines: list[str]) -> str:
    """What is wrong with how the command ended and what it printed; "" if nothing is."""
    if ran.code:
        return f"ended with {ran.code}" if ran.code > 0 else f"was ended by signal {-ran.code}"
    if ran.lines > 1:
        return f"printed {ran.lines} lines, and the key is one"
    if not lines:
        return "printed nothing"
    if len(lines[0]) > MOST:
        return f"printed a line that is too long: a key has at most {MOST} characters"
    if not (lines[0].isascii() and lines[0].isprintable()) or " " in lines[0]:
        return "printed a character that headers don't allow"
    return ""


class _Collected:
    """What a stream of the command brings, read by a thread. On a `terminal` it is shown, unless it ends at once."""

    def __init__(self, stream: IO[bytes], terminal: Terminal | None = None) -> None:
        self._stream = stream
        self._terminal = terminal if terminal is not None and terminal.stderr_tty else None
        self.lines = 0  # of all that it brings, without empty ones
        self._in_line = False
        self._data = b""
        self._shown: int | None = None  # bytes; None until it is shown
        self._gate = threading.Lock()
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if self._terminal is not None:
            threading.Thread(target=self._show_later, daemon=True).start()

    @property
    def text(self) -> str:
        return self._data.decode(errors="replace")

    @property
    def _has_unread(self) -> bool:
        """Whether the command has written what the thread hasn't read yet; not known on Windows."""
        if sys.platform == "win32":
            return False
        import fcntl
        import termios

        with suppress(OSError, ValueError):  # it is closed, and so all is read
            return fcntl.ioctl(self._stream.fileno(), termios.FIONREAD, bytes(4)) != bytes(4)
        return False

    def finish(self, seconds: float) -> None:
        """Wait for the rest. What the command has left running may hold the stream open: it then stays open here."""
        late = time.monotonic() + _LATE
        while self._has_unread and time.monotonic() < late:  # the machine is busy
            self._reader.join(0.01)
        self._reader.join(seconds)
        self._over.set()
        with self._gate:
            if self._terminal is not None and self._shown and not self._data.endswith(b"\n"):
                self._terminal.write_stderr("\n")  # behind a question that was left open

    def _read(self) -> None:
        with self._stream, suppress(OSError, ValueError):
            while data := os.read(self._stream.fileno(), 4096):
                self._count(data)
                with self._gate:
                    self._data = (self._data + data)[:_MOST_BYTES]
                    if self._shown is not None:
                        self._show(self._shown)
        self._over.set()

    def _count(self, data: bytes) -> None:
        for n, part in enumerate(data.split(b"\n")):
            is_inside = self._in_line and n == 0
            self._in_line = is_inside or bool(part.strip(_BLANKS.encode()))
            self.lines += self._in_line and not is_inside

    def _show_later(self) -> None:
        if not self._over.wait(_QUICK):
            with self._gate:
                self._show(0)

    def _show(self, start: int) -> None:
        assert self._terminal is not None
        self._terminal.aside(self._data[start:].decode(errors="replace"))
        self._shown = len(self._data)


@contextmanager
def _standard_input(terminal: Terminal) -> Iterator[int | None]:
    """The command's standard input: None for that of this program if it is a terminal; else the terminal, if any."""
    from subprocess import DEVNULL

    if terminal.stdin_tty:
        yield None
        return
    try:
        number = os.open("/dev/tty", os.O_RDONLY) if not terminal.environ.get("CI") else None
    except OSError:  # there is no terminal
        number = None
    try:
        yield DEVNULL if number is None else number
    finally:
        if number is not None:
            os.close(number)


@contextmanager
def _settings_kept() -> Iterator[None]:
    """The block after which the terminal is as before: a command that is ended while it asks may leave it silent."""
    if sys.platform == "win32":
        yield
        return
    import termios

    try:
        number = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield
        return
    before = None
    try:
        with suppress(termios.error):
            before = termios.tcgetattr(number)
        yield
    finally:
        with suppress(termios.error, OSError):
            if before is not None and termios.tcgetattr(number) != before and os.tcgetpgrp(number) == os.getpgrp():
                termios.tcsetattr(number, termios.TCSADRAIN, before)
        os.close(number)
