"""Files that a command writes: whole or not at all.

What isn't a regular file is written through: a pipe, a device, and a descriptor such as `/dev/stdout`, which is written
where its offset is, whatever it leads to.
"""

import errno
import os
import re
import stat
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from cometresp.errors import OutputError, PipeClosedError
from cometresp.signals import deferred
from cometresp.terminal import Terminal, write_all
from cometresp.text import escape_line

_DESCRIPTORS = re.compile(r"/dev/fd|/proc/\d+(/task/\d+)?/fd")  # folders; /proc/self leads to one of them
_MOST_LINKS = 40  # as Linux follows
_MOST_PARTS = 1000


class FileSink:
    """Writes to a temporary file; `commit` renames it to FILE, `abandon` to FILE.part and leaves FILE as it was.

    What isn't a regular file is written through. `flag` is what names the file.
    """

    def __init__(self, path: str, terminal: Terminal | None = None, flag: str = "--output") -> None:
        self._flag = flag
        self._shown = escape_line(path)
        self._terminal = terminal
        self._temporary: Path | None = None
        try:
            if is_written_through(path):
                self._file = opened_through(path, terminal)
                return
            # next to the file that a link points to: the rename must not replace the link
            self._target = Path(os.path.realpath(path))
            if self._target.is_dir():
                raise OutputError(f"{flag}: {self._shown} is a directory")
            self._mode = stat.S_IMODE(self._target.stat().st_mode) if self._target.exists() else None
            import tempfile

            descriptor, name = tempfile.mkstemp(prefix=f".{self._target.name[:50]}.", dir=self._target.parent)
            self._temporary = Path(name)  # of this run alone, and private until it has its place
            self._file = os.fdopen(descriptor, "wb", buffering=0)
        except OSError as error:
            raise self._error(error) from error

    @property
    def is_through(self) -> bool:
        """Whether it is written as it comes, since it isn't a regular file."""
        return self._temporary is None

    def write(self, data: bytes) -> None:
        if self._terminal is not None:
            data = self._terminal.guarded(self._file, self._terminal.masked(data))
            self._terminal.share_with_reader_of(self._file)
        try:
            write_all(self._file, data)
        except BrokenPipeError as error:
            raise PipeClosedError from error
        except OSError as error:
            raise self._error(error) from error

    @deferred()
    def commit(self) -> None:
        """The file appears, with the mode of the one that it replaces. Raises OutputError, which says what is kept."""
        try:
            self._file.close()
            if self._temporary is not None:
                self._give_mode(self._temporary)
                os.replace(self._temporary, self._target)  # noqa: PTH105 - the atomic one, also on Windows
                self._temporary = None
        except OSError as error:
            raise self._error(error).with_hint(self.abandon()) from error

    @deferred()
    def discard(self) -> None:
        """Keep nothing of what was written to a regular file."""
        with suppress(OSError):
            self._file.close()
            if self._temporary is not None:
                self._temporary.unlink()

    @deferred()
    def abandon(self) -> str:
        """Keep what was received under another name; returns a sentence about it, "" where nothing was received."""
        with suppress(OSError):  # the run has failed already, with a better reason
            self._file.close()
        temporary, self._temporary = self._temporary, None
        if temporary is None:
            return ""
        try:
            if not temporary.stat().st_size:
                temporary.unlink()
                return ""
        except OSError:
            return ""
        return f"{self._shown} is untouched; what came is kept as {escape_line(str(self._kept(temporary)))}"

    def _kept(self, temporary: Path) -> Path:
        """FILE.part, FILE.part.2 and so on, whichever is free; the temporary file where none can be made."""
        with suppress(OSError):
            self._give_mode(temporary)
        for number in range(1, _MOST_PARTS):
            part = self._target.with_name(self._target.name + ".part" + (f".{number}" if number > 1 else ""))
            try:
                part.open("xb").close()  # it is ours from here on: a rename would replace the file of another run
            except FileExistsError:
                continue
            except OSError:
                break
            try:
                os.replace(temporary, part)  # noqa: PTH105
            except OSError:
                with suppress(OSError):
                    part.unlink()
                break
            return part
        return temporary

    def _give_mode(self, path: Path) -> None:
        mask = os.umask(0)
        os.umask(mask)
        path.chmod(0o666 & ~mask if self._mode is None else self._mode)

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"{self._flag}: {self._shown} can't be written: {error.strerror}")


# what is written through --------------------------------------------------------------------------------------------


def why_not_writable(path: str) -> str:
    """Why a regular file can't be written, or made; "" where it can, as far as that is known beforehand."""
    if os.path.isdir(path):  # noqa: PTH112 - as the user wrote it
        return "it is a directory"
    if os.path.exists(path):  # noqa: PTH110
        return "" if os.access(path, os.W_OK) else "it is read-only"
    writable = os.access(os.path.dirname(path) or ".", os.W_OK)  # noqa: PTH120
    return "" if writable else "its folder isn't there, or may not be written"


def is_written_through(path: str) -> bool:
    """Whether a path names a descriptor, or anything else than a regular file or a directory. Raises OSError."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as the user wrote it
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def opened_through(path: str, terminal: Terminal | None) -> BinaryIO:
    """A stream to what is there, which is neither emptied nor replaced. A named pipe is waited for until it is read."""
    found = _descriptor(path)
    if found is None:
        waits = terminal.waiting(f"waiting for a reader of {escape_line(path)}") if terminal else nullcontext()
        with waits:
            return open(path, "wb", buffering=0)  # noqa: PTH123 - as the user wrote it
    folder, number = found
    if folder != "/dev/fd" and not folder.startswith(f"/proc/{os.getpid()}/"):  # of another process
        return open(f"{folder}/{number}", "ab", buffering=0)  # noqa: PTH123
    try:
        duplicate = os.dup(int(number))
    except (OverflowError, ValueError) as error:  # no integer of C, or too long for one of Python
        raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from error
    stream = os.fdopen(duplicate, "wb", buffering=0)
    if sys.platform != "win32":
        from fcntl import F_GETFL, fcntl

        if fcntl(stream.fileno(), F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            stream.close()
            raise OSError(0, "it is open for reading only")
    return stream


def _descriptor(path: str) -> tuple[str, str] | None:
    """The folder of descriptors and the number in it that a path leads to, by whatever links; None for a file."""
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        if name.isdecimal() and name.isascii() and _DESCRIPTORS.fullmatch(folder):
            return folder, name
        path = os.path.join(folder, name)  # noqa: PTH118
        if not os.path.islink(path):  # noqa: PTH114
            return None
        path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118
    return None
