"""Runs commands in turn and sums up what they took: wall time, CPU, memory, the first byte of their output."""

import os
import pty
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from statistics import quantiles
from typing import NamedTuple, TypeVar

MIB = 1 << 20
T = TypeVar("T")
_PEAK = (  # a child's peak begins with the memory of its parent, so that the parent must be small
    "import os, resource, sys\n"
    "code = os.spawnv(os.P_WAIT, sys.argv[2], sys.argv[2:])\n"
    "usage = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "open(sys.argv[1], 'w').write(str(usage.ru_maxrss))\n"
    "sys.exit(code)\n"
)


class Command(NamedTuple):
    """A command line and its environment. `terminal`: stdout and stderr are a terminal of 80 x 24."""

    words: tuple[str, ...]
    environ: Mapping[str, str]
    terminal: bool = False

    def with_words(self, *words: str, **environ: str) -> "Command":
        """The command with further words and variables."""
        return self._replace(words=(*self.words, *words), environ={**self.environ, **environ})


class Sample(NamedTuple):
    """One run. `began`, `first` and `ended` are of `time.monotonic`; `first` is when stdout had its first byte."""

    began: float
    first: float
    ended: float
    cpu: float
    code: int
    errors: str

    @property
    def wall(self) -> float:
        return self.ended - self.began


class FailedError(Exception):
    """A command that is measured ended with an error, so that its time means nothing."""


def run(command: Command, *, check: bool = True) -> Sample:
    """Runs a command once. Raises FailedError if it doesn't exit with 0; without `check` that is part of the result."""
    out, theirs = _terminal() if command.terminal else os.pipe()
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs if command.terminal else errors,
            env=dict(command.environ),
        )
        os.close(theirs)
        first = _read(out)
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
        os.close(out)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read(2000).decode(errors="replace")
    if check and code:
        raise FailedError(f"exit {code}: {' '.join(command.words)}\n{said}")
    return Sample(began, first or ended, ended, usage.ru_utime + usage.ru_stime, code, said)


def _read(out: int) -> float:
    """Reads to the end, and returns when the first byte came, 0 for never."""
    first = 0.0
    with suppress(OSError):  # the way a terminal says that its last writer has gone
        while os.read(out, 1 << 16):
            first = first or time.monotonic()
    return first


def _terminal() -> tuple[int, int]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    return ours, theirs


def peak(command: Command) -> float:
    """The most memory, in MiB, that one run of a command had."""
    return run_for_peak(command)[0]


def run_for_peak(command: Command, *, check: bool = True) -> tuple[float, Sample]:
    """Runs a command once, as `run` does, and returns the most memory, in MiB, that it had."""
    with tempfile.NamedTemporaryFile() as file:
        words = (sys.executable, "-ISc", _PEAK, file.name, *command.words)
        sample = run(command._replace(words=words), check=check)
        found = int(file.read())
    return found / (MIB if sys.platform == "darwin" else 1024), sample


def in_turn(works: list[Callable[[], T]], runs: int) -> list[list[T]]:
    """The results of so many rounds, in each of which every work is done once: A B A B.

    What else the machine does meanwhile meets all of them alike. A first round, which fills caches, isn't counted; if
    one is all that is asked for, there is no other.
    """
    first = 1 if runs > 1 else 0
    rounds = [[work() for work in works] for _ in range(first + runs)][first:]
    return [list(results) for results in zip(*rounds, strict=True)]


def commands_in_turn(commands: list[Command], runs: int) -> list[list[Sample]]:
    """The samples of each command, run in turn."""

    def runs_of(command: Command) -> Callable[[], Sample]:
        return lambda: run(command)

    return in_turn([runs_of(command) for command in commands], runs)


class Spread(NamedTuple):
    """A median between its quartiles."""

    low: float
    median: float
    high: float


def spread(values: list[float]) -> Spread:
    """The median of some values, and the quartiles."""
    if len(values) == 1:
        return Spread(*values * 3)
    return Spread(*quantiles(values, n=4, method="inclusive"))


def ratios(ours: list[float], theirs: list[float]) -> Spread:
    """The spread of the ratios of pairs that ran one after the other."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])
