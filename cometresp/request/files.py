"""Opening the file that a flag names."""

import os
import re
import stat
from pathlib import Path

from cometresp.errors import UsageError
from cometresp.paths import MOST_HELD, is_device, read_file
from cometresp.request.source import Source
from cometresp.text import escape_line, shell_word
from cometresp.wire.payload import HELD_BYTES

_PATTERN = re.compile(r"[*?\[]")

# What the shell passes for <(command): a pipe with a running writer; a named pipe may never get one.
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")
_EXAMPLES = 3  # files to name in a hint


def open_file(flag: str, path: str, *, most: int | None = None) -> Source:
    """The file that a flag names. Raises UsageError if it can't be read, or has more than `most` bytes.

    Its caller says what is waited for (`paths.Reading`).
    """
    shown = shown_name(path)
    try:
        facts = os.stat(path)  # noqa: PTH116 - a PathLike hides a NUL in the name until later
        mode = facts.st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{flag}: {shown} is a directory", hint=_hint_for(flag, path, "*"))
        if stat.S_ISFIFO(mode) and not path.startswith(_DESCRIPTORS):
            raise UsageError(f"{flag}: {shown} is a named pipe", hint=_redirected(path))
        if is_device(facts):
            raise UsageError(f"{flag}: {shown} is a device")
        if not stat.S_ISREG(mode) or path.startswith(_DESCRIPTORS):  # it can't be read a second time
            return Source(shown, "", read_file(path, MOST_HELD))
        absolute = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
        if most is not None and facts.st_size > most:
            raise UsageError(f"{flag}: {shown} has more than {most / 1e6:.0f} MB")
        large = facts.st_size > HELD_BYTES
        return Source(shown, absolute, None if large else read_file(path, MOST_HELD))
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
    """A hint with the flags to type instead of a folder or a pattern."""
    try:
        found = sorted(path for path in Path(folder).glob(pattern) if path.is_file() and path.name[0] != ".")
    except (OSError, ValueError, NotImplementedError):
        found = []
    if not found or flag != "--file":
        return f"{flag} takes the name of one file"
    words = [word for path in found[:_EXAMPLES] if (word := shell_word(_as_path(str(path))))]
    more = f" … ({len(found)} files)" if len(found) > len(words) else ""
    return "-f takes one file; repeat it for more" + (f": -f {' -f '.join(words)}{more}" if words else "")


def _redirected(path: str) -> str:
    """A hint to read a named pipe from standard input; without its name where that can't be typed."""
    typed = shell_word(path)
    return f"use - for it: … < {typed}" if typed else "use - for it"


def _as_path(name: str) -> str:
    """The name of a file, which can't be taken for a flag."""
    return f"./{name}" if name.startswith("-") else name


def shown_name(name: str) -> str:
    """A file's name for a message: escaped, on one line, at most 200 characters."""
    return escape_line(name, 200) or "''"


def valid_text(word: str) -> str:
    """A word of the command line with U+FFFD for bytes that aren't UTF-8, which Python represents by surrogates."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
