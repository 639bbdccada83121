"""Reading the files that flags and settings name, whatever they are: no device, and never without end.

A pipe may get its writer late, and a file of `/proc` has content though its size is 0. So the size of what is read is
bounded, and whoever reads tells the user what is waited for (`Reading`).
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager

MOST_HELD = 256_000_000  # bytes of a pipe, or of a text, that are kept in memory
_QUICK = 1_000_000  # bytes that are read at once
_CHUNK = 1 << 20

Reading = Callable[[str], AbstractContextManager[object]]  # of a path: the block in which it is read


def wait_message(path: str) -> tuple[str, int]:
    """What to say while a file is read that takes its time, and its size if it has one.

    ("", 0) for any other, and where there is none.
    """
    try:
        facts = os.stat(path)  # noqa: PTH116 - a PathLike hides a NUL in the name until later
    except (OSError, ValueError):
        return "", 0
    if not stat.S_ISREG(facts.st_mode) or not facts.st_size:
        return "waiting for", 0
    return ("reading", facts.st_size) if facts.st_size > _QUICK else ("", 0)


def is_device(facts: os.stat_result) -> bool:
    """Whether it is a device, such as a terminal or `/dev/zero`; `/dev/null` is none, but empty.

    Windows tells no device from its null device.
    """
    if not (stat.S_ISCHR(facts.st_mode) or stat.S_ISBLK(facts.st_mode)):
        return False
    try:
        return numbers_of(facts) != numbers_of(os.stat(os.devnull))  # noqa: PTH116
    except OSError:
        return True


def numbers_of(device: os.stat_result) -> int:
    """The numbers of a device, which say what it is; 0 on Windows, where it has none."""
    return getattr(device, "st_rdev", 0)


def read_file(path: str, limit: int, *, only_regular: bool = False) -> bytes:
    """The bytes of a file, or of a pipe until its writers close it.

    Raises OSError, also for a device and for more than `limit` bytes; its `strerror` says why.
    """
    facts = os.stat(path)  # noqa: PTH116
    if is_device(facts):
        raise OSError(errno.EINVAL, "it is a device")
    if only_regular and stat.S_ISFIFO(facts.st_mode):
        raise OSError(errno.EINVAL, "it is a named pipe")
    chunks, size = [], 0
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise OSError(errno.EFBIG, f"it has more than {limit / 1e6:.0f} MB")
            chunks.append(chunk)
    return b"".join(chunks)
