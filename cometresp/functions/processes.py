"""The child processes of a toolbox, each in its own process group, and how they are ended.

A child leads a new session: it has no terminal, Ctrl-C and Ctrl-Z don't reach it, and one signal reaches every process
that it started, except those in a new session. It inherits three pipes and nothing else. A group is ended with SIGTERM,
and what is left of it after half a second with SIGKILL. If this process ends without that, `launcher` ends the groups.

Windows has neither sessions nor these signals. There it is a console group, CTRL_BREAK and `taskkill /T`, which is
untested.
"""

import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

from cometresp import signals
from cometresp.functions.children import Child
from cometresp.functions.launching import Launching

_GRACE = 0.5  # seconds between SIGTERM and SIGKILL
_LONGEST_START = 5.0  # seconds


class Processes:
    """The children of one toolbox. Once stopped, it ends every child, also one that was just started."""

    def __init__(self) -> None:
        self._stopped = False
        self._running: set[Child] = set()
        self._starting: set[threading.Event] = set()
        self._launching = Launching()
        self._paused_at = self._paused_for = 0.0
        signals.watch(self)

    def start(self, command: list[Any], environ: dict[str, str], folder: str | None = None) -> Child:
        """Raises OSError."""
        # In a thread, because a signal handler may raise at any point of the main thread: a child could be started, and
        # then be lost before it is recorded.
        made: queue.SimpleQueue[Child | Exception] = queue.SimpleQueue()
        done = threading.Event()

        def make() -> None:
            try:
                child = self._launching.start(command, environ, folder)
                self._running.add(child)
                if self._stopped:
                    self.end_child(child)
                elif self._paused_at:
                    child.pause()
                    if not self._paused_at:  # the others have proceeded meanwhile
                        child.proceed()
                made.put(child)
            except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
                made.put(error)
            finally:
                done.set()
                self._starting.discard(done)

        self._starting.add(done)
        threading.Thread(target=make, daemon=True).start()
        outcome = made.get()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def has_stopped(self) -> bool:
        return self._stopped

    def end_child(self, child: Child) -> None:
        """End the processes that are left in its group."""
        _end([child])
        child.feed(None)
        self._running.discard(child)

    def stop(self) -> None:
        """End all groups. A signal handler may call this at any point, so it takes no lock."""
        self._stopped = True
        with signals.deferred():
            _end(list(self._running))

    def close(self) -> None:
        self._stopped = True
        with signals.deferred():
            for done in list(self._starting):
                done.wait(_GRACE)
            _end(list(self._running))
            for child in list(self._running):
                child.ended.wait(_GRACE)
                child.feed(None)
                self._running.discard(child)
            self._launching.close()
            signals.unwatch(self)

    # time -------------------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop all groups, until `proceed`; the time between doesn't count."""
        for done in list(self._starting):  # once this process is stopped, it can't stop what it has just started
            done.wait(_LONGEST_START)
        self._paused_at = time.monotonic()
        for child in list(self._running):
            child.pause()

    def proceed(self) -> None:
        self._paused_for, self._paused_at = self._paused_for + time.monotonic() - self._paused_at, 0.0
        for child in list(self._running):
            child.proceed()

    def end(self) -> None:
        self.close()

    def clock(self) -> float:
        """Seconds that stand still while the groups are paused."""
        return (self._paused_at or time.monotonic()) - self._paused_for

    def ends_within(self, child: Child, seconds: float) -> bool:
        """Whether a child ends in this time. Waits for it."""
        deadline = self.clock() + seconds
        while (left := deadline - self.clock()) > 0:
            if child.ended.wait(left):
                return True
        return child.ended.is_set()


def _end(children: Iterable[Child]) -> None:
    # A process id is not reused while a process or a group has it, so a group with members is still that of the child.
    left = [child for child in children if child.has_members()]
    for child in left:
        child.signal(kill=False)
    deadline = time.monotonic() + _GRACE
    pause = 0.001
    while (left := [child for child in left if child.has_members()]) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    for child in left:
        child.signal(kill=True)
