"""Where a terminal is found whatever the standard streams are, and what is different on a console of Windows."""

import os
import sys

# The names of the terminal that this program is attached to: to read from, to write to.
NAMES = ("CONIN$", "CONOUT$") if os.name == "nt" else ("/dev/tty", "/dev/tty")

_SEQUENCES = 0x0004  # ENABLE_VIRTUAL_TERMINAL_PROCESSING


def is_console(descriptor: int) -> bool:
    """Whether it is a console, on Windows, where `isatty` also says so of the null device."""
    return _Mode(descriptor).value is not None


def takes_sequences(descriptor: int) -> bool:
    """Whether a console of Windows takes the sequences that steer or colour a terminal; they are turned on for it."""
    mode = _Mode(descriptor)
    return mode.value is not None and bool(mode.value & _SEQUENCES or mode.set(mode.value | _SEQUENCES))


class _Mode:
    """The mode of a console; its `value` is None for anything else."""

    def __init__(self, descriptor: int) -> None:
        self.value: int | None = None
        if sys.platform == "win32":
            import ctypes
            import msvcrt

            value = ctypes.c_ulong()
            self._kernel = ctypes.windll.kernel32
            self._handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
            if self._kernel.GetConsoleMode(self._handle, ctypes.byref(value)):
                self.value = value.value

    def set(self, value: int) -> bool:
        """Whether the console takes this mode."""
        return sys.platform == "win32" and bool(self._kernel.SetConsoleMode(self._handle, value))
