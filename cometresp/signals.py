r"""Signals. SIGHUP, SIGINT, SIGQUIT and SIGTERM end the run, with an error; SIGTSTP stops it until SIGCONT.

What has to be put in order meanwhile is registered with `watch`: regions that are redrawn, questions, child processes.
Before the program stops they are paused, after it they proceed; what is left at the end of the program is ended.

A signal's handler may run at any point of the main thread, also in the middle of a drawing. So the pausing is done by
another thread, which can wait for the locks that it needs, and then sends the signal once more.

Python runs a handler between two steps of the main thread. A signal that comes just before a system call begins, or is
delivered to another thread, doesn't interrupt that call: its handler would wait as long as the call does, for example
for a server that sends nothing. So a thread is woken by every signal, and interrupts the main one shortly after.

On Windows nothing interrupts such a call. There that thread ends the program, if the main one hasn't run the handler
within two seconds.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from cometresp.errors import ExitCode, StoppedError

if TYPE_CHECKING:
    import socket
    import threading

_ENDS = {
    "SIGINT": (ExitCode.INTERRUPTED, "interrupted"),
    "SIGTERM": (ExitCode.TERMINATED, "terminated"),
    "SIGHUP": (ExitCode.HUNG_UP, "hung up"),
    "SIGQUIT": (ExitCode.QUIT, "quit"),
    "SIGBREAK": (ExitCode.INTERRUPTED, "interrupted"),  # Ctrl-Break, on Windows
}
_LONGEST_RESTART = 5.0  # seconds until what was paused must have proceeded
_LATER = 0.01
_LONGEST_TELLING = 1.0  # seconds
_LONGEST_DEAF = 2.0  # seconds that the main thread has for the handler, on Windows
_NUDGES = (0.02, 0.1, 0.3)  # seconds between a signal and the interruptions of the main thread


class Watched(Protocol):
    """What signals affect. `pause` and `proceed` are called by the same thread, which isn't the main one."""

    def pause(self) -> None: ...
    def proceed(self) -> None: ...
    def end(self) -> None: ...


class _Phase(Enum):
    RUNNING = "a signal raises its error"
    CLEANING = "signals are ignored"
    TELLING = "a signal ends the program soon: the error and the files about the run are written first"
    OVER = "a signal ends the program at once"


class _Pause:
    """The pausing of all that is watched, by a thread of its own."""

    def __init__(self) -> None:
        import threading

        self.paused, self.continued, self.proceeds = threading.Event(), threading.Event(), threading.Event()
        self._main = threading.main_thread()
        self.start = threading.Thread(target=self._run, daemon=True).start

    def _run(self) -> None:
        watched = list(_state.watched)
        for one in reversed(watched):
            with suppress(Exception):
                one.pause()
        self.paused.set()
        # A second signal of the user's may have stopped the program by now.
        if _state.pause is self and sys.platform != "win32":
            _send(self._main, signal.SIGTSTP)
        self.continued.wait()
        for one in watched:
            with suppress(Exception):
                one.proceed()
        self.proceeds.set()


class _State:
    """What the handlers know. There is one, as there is one table of handlers."""

    def __init__(self) -> None:
        self.nudged_in = 0  # the process in which a thread is woken by signals
        self.sockets: tuple[object, ...] = ()  # by which it is woken on Windows
        self.handled = 0.0  # the time at which a handler of ours ran last
        self.reset()

    def reset(self) -> None:
        """Forget the last run: a process may run several command lines."""
        self.watched: list[Watched] = []
        self.phase = _Phase.RUNNING
        self.deferring = 0
        self.deferred: StoppedError | None = None
        self.pause: _Pause | None = None


_state = _State()


def watch(one: Watched) -> None:
    _state.watched.append(one)


def unwatch(one: Watched) -> None:
    with suppress(ValueError):
        _state.watched.remove(one)


def install() -> None:
    """Set the handlers, except for signals that are ignored, as `nohup` has it."""
    _state.reset()
    for name in _ENDS:
        _handle(name, _on_end)
    _handle("SIGTSTP", _on_stop)
    _start_nudging()
    sys.unraisablehook = _unraisable
    sys.excepthook = _uncaught


def finish(*, telling: bool = False) -> None:
    """End what is left of the run. Afterwards there is nothing to put in order: a signal ends the program at once.

    Where the run's end is still to be told (`telling`), that has a second from the signal on.
    """
    _state.phase = _Phase.CLEANING
    for one in reversed(list(_state.watched)):
        with suppress(Exception):
            one.end()
    _state.watched.clear()
    _state.phase = _Phase.TELLING if telling else _Phase.OVER


@contextmanager
def deferred() -> Iterator[None]:
    """A block of the main thread that no signal leaves half done: its error is raised at the end of the block."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.deferring += 1
    try:
        yield
    finally:
        _state.deferring -= 1
        if _state.deferred is not None and not _state.deferring:
            error, _state.deferred = _state.deferred, None
            raise error


# handlers -----------------------------------------------------------------------------------------------------------


def _handle(name: str, handler: Any) -> None:
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, handler)


def _start_nudging() -> None:
    """Have a thread woken by each signal, which interrupts the main one; on Windows, which ends the program."""
    if _state.nudged_in == os.getpid():
        return
    import threading

    _state.nudged_in = os.getpid()
    if sys.platform != "win32":
        woken, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.signal(signal.SIGURG, lambda *_: None)  # which means nothing to a program
        thread = threading.Thread(target=_nudge, args=(woken, threading.main_thread()), daemon=True)
    else:
        import socket

        _state.sockets = ours, theirs = socket.socketpair()  # Windows wakes only sockets
        theirs.setblocking(False)
        wakeup = theirs.fileno()
        thread = threading.Thread(target=_end_the_deaf, args=(ours,), daemon=True)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    thread.start()


def _nudge(woken: int, main: "threading.Thread") -> None:
    import time

    if sys.platform == "win32":
        return
    while numbers := os.read(woken, 512):
        for pause in _NUDGES if set(numbers) - {signal.SIGURG} else ():
            time.sleep(pause)
            _send(main, signal.SIGURG)


def _end_the_deaf(woken: "socket.socket") -> None:
    """End the program where the main thread doesn't come to handle a signal."""
    import time

    while numbers := woken.recv(512):
        came = time.monotonic()
        ends = [number for number in numbers if signal.getsignal(number) is _on_end]  # a pager's are its own affair
        while ends and _state.handled < came - _LONGEST_DEAF and time.monotonic() < came + _LONGEST_DEAF:
            time.sleep(_LATER)
        if ends and _state.handled < came - _LONGEST_DEAF:
            code, word = _ENDS[signal.Signals(ends[0]).name]
            finish()
            os.write(2, f"cometresp: error: {word}\n".encode())
            os._exit(code)


def _on_end(number: int, _: object) -> None:
    import time

    _state.handled = time.monotonic()
    code, word = _ENDS[signal.Signals(number).name]
    if _state.phase is _Phase.OVER:
        os._exit(code)
    if _state.phase is _Phase.CLEANING:
        return
    if _state.phase is _Phase.TELLING:
        import threading

        _state.phase = _Phase.CLEANING
        last = threading.Timer(_LONGEST_TELLING, os._exit, (code,))
        last.daemon = True
        last.start()
        return
    error = StoppedError(code, word)
    if _state.deferring:
        _state.deferred = error
        return
    raise error


def _on_stop(*_: object) -> None:
    if not _state.watched and _state.pause is None:
        _stop()
    elif _state.pause is None:
        _state.pause = _Pause()
        _state.pause.start()
    elif _state.pause.paused.is_set():
        with deferred():
            pause, _state.pause = _state.pause, None
            _stop()
            pause.continued.set()
            pause.proceeds.wait(_LONGEST_RESTART)


def _stop() -> None:
    """Stop as a program does that doesn't handle the signal, until it is continued."""
    if sys.platform != "win32":
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, _on_stop)


def _send(thread: "threading.Thread", number: int) -> None:
    if sys.platform == "win32":
        signal.raise_signal(number)  # the main thread runs the handler
    elif thread.ident is not None:
        signal.pthread_kill(thread.ident, number)


def _unraisable(unraisable: Any) -> None:
    """Send a signal again whose error was raised where Python drops errors, such as in a destructor.

    One that comes while this is done would be dropped, too.
    """
    error = unraisable.exc_value
    if not isinstance(error, StoppedError):
        sys.__unraisablehook__(unraisable)
        return
    try:
        with deferred():
            _send_later(error)
    except StoppedError as another:
        _send_later(another)


def _send_later(error: StoppedError) -> None:
    import threading

    threading.Timer(_LATER, _send, (threading.main_thread(), error.exit_code - 128)).start()


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """The end of a signal that came while the error of another was being handled."""
    if isinstance(error, StoppedError):
        finish()
        os._exit(error.exit_code)
    sys.__excepthook__(kind, error, trace)
