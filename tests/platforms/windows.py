"""The border of Windows, faked on Linux: `sitecustomize` of a child imports this before cometresp is loaded.

Only cometresp meets it. Its modules get stand-ins for `os`, `sys`, `signal`, `select`, `socket` and `ctypes`, which
lack what Windows lacks, and no module that Windows hasn't. Python itself and the libraries run as they are. What
Windows refuses is refused: replacing an open file, `select` on a pipe, an interrupt that ends a wait for the network.

The console is a terminal of Linux: the files CONIN$ and CONOUT$ in the current folder, and MSVCRT_KEYS for what is
typed unseen.
"""

import builtins
import errno
import os
import select
import signal
import socket
import stat
import sys
import threading
import types
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_ABSENT_MODULES = {"fcntl", "termios", "pty", "tty", "pwd", "grp", "resource", "readline", "curses", "syslog"}
_ABSENT = {
    "os": """chown fchmod fchown fork forkpty getegid geteuid getgid getpgid getpgrp getpriority getsid getuid killpg
        lchown mkfifo mknod nice openpty pread pwrite sched_getaffinity set_blocking setpgid setsid statvfs sync sysconf
        tcgetpgrp tcsetpgrp ttyname uname wait waitid O_ACCMODE O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK
        O_SYNC""",
    "signal": """SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1
        SIGUSR2 SIGWINCH ITIMER_REAL alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt
        sigwait""",
    "select": "poll epoll kqueue",
    "socket": "AF_UNIX recv_fds send_fds SO_REUSEPORT",
}


class _StandIn(types.ModuleType):
    """A module without some of its names, and with others in place of its own."""

    def __init__(self, real: types.ModuleType, absent: set[str], own: Mapping[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _absent=absent, **own)

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__["_absent"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Windows", name=name)
        return getattr(self.__dict__["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_real"], name, value)


# what Windows refuses -----------------------------------------------------------------------------------------------


def _is_open(path: Any) -> bool:
    try:
        facts = Path(path).stat()
    except OSError:
        return False
    if not stat.S_ISREG(facts.st_mode):
        return False
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of the listing itself
            if os.path.samestat(os.fstat(int(link.name)), facts):
                return True
    return False


def _moved(move: Any) -> Any:
    """`os.replace` and `os.rename`, for all callers: pathlib's are the same."""

    def moved(source: Any, target: Any, **more: Any) -> None:
        for path in (source, target):
            if _is_open(path):
                raise PermissionError(errno.EACCES, "Access is denied", os.fspath(path))
        move(source, target, **more)

    return moved


def _select(readers: Any, writers: Any, others: Any, timeout: float | None = None) -> Any:
    for one in (*readers, *writers, *others):
        number = one if isinstance(one, int) else one.fileno()
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(10038, "An operation was attempted on something that is not a socket")
    return select.select(readers, writers, others, timeout)


def _signal(number: int, handler: Any) -> Any:
    if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV):
        raise ValueError("signal number out of range")
    return signal.signal(number, handler)


def _set_wakeup_fd(number: int, **more: Any) -> int:
    if number >= 0 and not stat.S_ISSOCK(os.fstat(number).st_mode):
        raise ValueError("only sockets")
    return signal.set_wakeup_fd(number, **more)


def _get_signals_in_another_thread() -> None:
    """An interrupt then ends no system call of the main thread."""
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


# the console --------------------------------------------------------------------------------------------------------


class _Kernel:
    """kernel32: a terminal is a console, which takes sequences if CONSOLE_MODE isn't `old`."""

    @staticmethod
    def GetConsoleMode(handle: Any, mode: Any) -> int:  # noqa: N802 - as Windows names it
        if not os.isatty(handle.value or 0):
            return 0
        mode._obj.value = 3  # noqa: SLF001 - what `byref` is of
        return 1

    @staticmethod
    def SetConsoleMode(_: Any, mode: int) -> int:  # noqa: N802
        return int(not mode & 4 or os.environ.get("CONSOLE_MODE") != "old")


def _msvcrt() -> types.ModuleType:
    import fcntl

    def locking(number: int, _: int, size: int) -> None:
        """A lock of some bytes, which another process can't take; as a rule of its own, not that of `flock`."""
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None
        assert size == 1
        assert os.lseek(number, 0, os.SEEK_CUR) == 1 << 40

    module = types.ModuleType("msvcrt")
    keys = list(os.environ.get("MSVCRT_KEYS", ""))
    module.__dict__.update(
        LK_NBLCK=2,
        locking=locking,
        get_osfhandle=lambda number: number,
        kbhit=lambda: False,
        getwch=lambda: keys.pop(0),
    )
    return module


# imports ------------------------------------------------------------------------------------------------------------


def install() -> None:
    os.replace, os.rename = _moved(os.replace), _moved(os.rename)
    own: dict[str, dict[str, Any]] = {
        "os": {"name": "nt", "kill": lambda number, _: os.kill(number, signal.SIGTERM)},
        "sys": {"platform": "win32"},
        "signal": {"CTRL_BREAK_EVENT": 1, "signal": _signal, "set_wakeup_fd": _set_wakeup_fd},
        "select": {"select": _select},
        "socket": {},
    }
    reals = {"os": os, "sys": sys, "signal": signal, "select": select, "socket": socket}
    stand_ins: dict[str, types.ModuleType] = {
        name: _StandIn(real, set(_ABSENT.get(name, "").split()), own[name]) for name, real in reals.items()
    }
    stand_ins["msvcrt"] = _msvcrt()
    import ctypes

    stand_ins["ctypes"] = _StandIn(ctypes, set(), {"windll": types.SimpleNamespace(kernel32=_Kernel)})
    real_import = builtins.__import__

    def imported(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
        if level == 0 and globals and _is_ours(globals):
            if name in _ABSENT_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in stand_ins:
                return stand_ins[name]
        return real_import(name, globals, locals, fromlist, level)

    builtins.__import__ = imported
    _get_signals_in_another_thread()


def _is_ours(caller: Mapping[str, Any]) -> bool:
    spec = caller.get("__spec__")
    return (spec.name if spec is not None else "").partition(".")[0] == "cometresp"
