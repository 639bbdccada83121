"""Waiting for what must come, however long a busy machine takes for it."""

import fcntl
import os
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")
LONGEST = 60.0  # seconds; what takes longer never comes


def until(condition: Callable[[], Any], *, pause: float = 0.005) -> Any:
    """What the condition says as soon as it says something; it is asked after each pause, in seconds."""
    deadline = time.monotonic() + LONGEST
    while not (value := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(pause)
    return value


def in_time(run: Callable[[str], T], is_early: Callable[[T], object]) -> T:
    """The result of a run that is given 2 seconds, or more if its time was over before it came to what is tested."""
    for seconds in ("2", "8", "30"):
        result = run(seconds)
        if not is_early(result):
            break
    return result


def line_with(text: bytes, stream: IO[bytes]) -> bytes:
    """The next line that has the text; fails where the stream ends without one."""
    found = next((line for line in iter(stream.readline, b"") if text in line), b"")
    assert found, f"no line with {text!r} came"
    return found


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped doesn't."""
    if Path("/proc/self").exists():
        return _state(pid) not in "ZX"
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def halted(pid: int) -> bool:
    """Whether a process is stopped, or waits for one that it was just starting and that is (Linux)."""
    return _state(pid) in "TD"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def running(word: str) -> bool:
    """Whether any process has this word in its command line (Linux)."""
    return any(word.encode() in _words(path) for path in Path("/proc").glob("[0-9]*/cmdline"))


def _words(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


def written(path: Path) -> int:
    """The process id that a tool has written there, when it has."""
    text: str = until(lambda: path.exists() and path.read_text().endswith("\n") and path.read_text())
    return int(text)


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has opened the file (Linux)."""
    try:
        return any(link.readlink() == path.resolve() for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # the process, or what it had open, is gone by now
        return False


def is_empty(pipe: int) -> bool:
    """Whether all that was written into a pipe has been taken out of it."""
    return fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)) == bytes(4)
