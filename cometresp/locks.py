"""Locks between processes: of a file, and of a folder. They end with the process that has them."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_FAR = 1 << 40  # the byte that is locked on Windows, where nobody reads or writes: a lock there keeps others from both


def lock_file(file: BinaryIO) -> bool:
    """Whether the open file is locked by this process from now on; True also where its file system has no locks."""
    if sys.platform == "win32":
        return _lock_far_byte(file)
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _lock_far_byte(file: BinaryIO) -> bool:
    """The same on Windows."""
    import msvcrt

    before = file.tell()
    try:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore] # Windows
    except PermissionError:
        return False
    except OSError:
        return True
    finally:
        file.seek(before)
    return True


@contextmanager
def folder_locked(folder: Path, tries: Iterable[None]) -> Iterator[None]:
    """The block that one process at a time is in; for each of the `tries` it is asked for once.

    What the `tries` raise ends the wait. Windows has no locks of folders: there the block isn't alone.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        for _ in tries:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        yield
    finally:
        os.close(descriptor)
