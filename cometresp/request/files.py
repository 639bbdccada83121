"""Opening the file that a flag names."""

import os
import re
import stat
from pathlib import Path

from cometresp.errors import UsageError
from cometresp.request.source import Source
from cometresp.text import escape_line
from cometresp.wire.payload import HELD_BYTES

_PATTERN = re.compile(r"[*?\[]")

# What the shell puts there for <(command): a pipe whose writer runs, unlike a named pipe that nobody may ever open.
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")

_EXAMPLES = 3  # files that a hint names


def open_file(flag: str, path: str) -> Source:
    """The file that a flag names; raises UsageError for what can't be read, before anything is sent."""
    shown = shown_name(path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a PathLike would hide a NUL in the name until later
        if stat.S_ISDIR(mode):
            raise UsageError(f"{flag}: {shown} is a directory", hint=_hint_for(flag, path, "*"))
        if stat.S_ISFIFO(mode) and not path.startswith(_DESCRIPTORS):
            raise UsageError(f"{flag}: {shown} is a named pipe", hint=f"use - for it: … < {shown}")
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and path != os.devnull:
            raise UsageError(f"{flag}: {shown} is a device")
        if not stat.S_ISREG(mode) or path.startswith(_DESCRIPTORS):  # nothing that could be found there again
            return Source(shown, "", Path(path).read_bytes())
        absolute = os.path.abspath(path)  # noqa: PTH100 - as it was named, links and all
        large = os.stat(path).st_size > HELD_BYTES  # noqa: PTH116
        return Source(shown, absolute, None if large else Path(path).read_bytes())
    except FileNotFoundError as error:
        parts = Path(path).parts
        first = next((n for n, part in enumerate(parts) if _PATTERN.search(part)), None)
        hint = _hint_for(flag, str(Path(*parts[:first])), str(Path(*parts[first:]))) if first is not None else ""
        raise UsageError(f"{flag}: can't read {shown}: {error.strerror}", hint=hint) from error
    except OSError as error:
        raise UsageError(f"{flag}: can't read {shown}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{flag}: can't read {shown}: {error}") from error


def _hint_for(flag: str, folder: str, pattern: str) -> str:
    """What to type instead of a folder or a pattern: the files, each with its flag."""
    import shlex

    try:
        found = sorted(path for path in Path(folder).glob(pattern) if path.is_file() and path.name[0] != ".")
    except (OSError, ValueError, NotImplementedError):
        found = []
    if not found or flag != "--file":
        return f"{flag} takes one file; name it"
    words = [f"-f {shlex.quote(shown_name(str(path)))}" for path in found[:_EXAMPLES]]
    more = f" … ({len(found)} files)" if len(found) > _EXAMPLES else ""
    return f"-f takes one file, and is repeated for more: {' '.join(words)}{more}"


def shown_name(name: str) -> str:
    """A file's name in a message: on one line, and no longer than one."""
    return escape_line(name, 200) or "''"


def whole_characters(word: str) -> str:
    """A word of the command line; bytes that weren't UTF-8 came as lone surrogates, which a name can't be sent with."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
