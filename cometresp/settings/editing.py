"""Changes in the config file: read, changed and written whole, while no other process changes it."""

import codecs
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from cometresp.config_file import MOST_BYTES, parse, read_text
from cometresp.errors import Next, OutputError, UsageError
from cometresp.locks import folder_locked
from cometresp.settings.document import Path as Name
from cometresp.settings.document import Unchangeable, value_at, with_value, without
from cometresp.text import escape_line

_LONGEST_WAIT = 5.0  # seconds for another process that changes the file
_PAUSE = 0.02


def set_value(path: Path, name: Name, value: Any, *, private: bool = False) -> None:
    """Write a setting; a new file is private, and so is any that gets a `private` value.

    Raises ConfigError where the file is damaged, OutputError where it can't be written; it is then as it was.
    """
    _change(path, lambda text: with_value(text, name, value), private=private)


def unset_value(path: Path, name: Name) -> bool:
    """Remove a setting, or a table; returns whether it was there. Raises as `set_value` does."""
    if value_at(read(path), name) is None:
        return False
    _change(path, lambda text: without(text, name))
    return True


def read(path: Path) -> dict[str, Any]:
    """What is in the file, unchecked; {} where there is none. Raises ConfigError."""
    return parse(_text(path) or "", path)


_NEW = """\
# Settings of cometresp: the long names of flags, and others that docs/settings.md of the source describes.
# cometresp config show --all lists them.

# model = "gpt-5.4"
# reasoning_effort = "low"

# [aliases]
# fast = "gpt-5.4-mini"

# [profile.work]
# base_url = "https://llm.example.com/v1"
# key_command = ["pass", "show", "work"]
"""


def create(path: Path) -> bool:
    """Make the file with a few lines of comments, where there is none; returns whether it did. Raises OutputError."""
    try:
        _make_folder(path)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_NEW.encode())
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    return True


def remove_untouched(path: Path) -> None:
    """Remove the file that `create` made, where nothing was written to it since."""
    with suppress(OSError, ValueError):
        if path.read_text("utf-8") == _NEW:
            path.unlink()


def _text(path: Path) -> str | None:
    try:
        return read_text(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _change(path: Path, edit: Callable[[str], str], *, private: bool = False) -> None:
    real = Path(os.path.realpath(path))  # a link stays one
    try:
        _make_folder(path)
        with folder_locked(real.parent, _tries(real.parent)):  # one process at a time changes the file
            text, mark = _text(path) or "", _mark(real)
            parse(text, path)  # so that nothing is written over a damaged file
            data = mark + edit(text).encode()
            if len(data) > MOST_BYTES:
                raise UsageError(f"{_shown(path)}: the config file has at most {MOST_BYTES // 1_000_000} MB")
            _replace(real, data, private=private)
    except Unchangeable as error:
        hint = (Next("config edit"), " opens it in an editor")
        raise UsageError(f"{_shown(path)}: {error}", hint=hint) from error
    except UnicodeEncodeError as error:
        raise UsageError(f"{_shown(path)}: a setting is text in UTF-8") from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    return OutputError(f"{_shown(path)}: the config file can't be written: {reason}")


def _mark(path: Path) -> bytes:
    """The byte order mark that the file begins with, b"" if it doesn't."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return codecs.BOM_UTF8 if file.read(3) == codecs.BOM_UTF8 else b""


def _make_folder(path: Path) -> None:
    """Make the folder of a file that isn't there; none for a link that leads nowhere."""
    if not path.parent.exists():
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)


def _tries(folder: Path) -> Iterator[None]:
    """A round for each try to lock the folder. Raises OSError when the time is up."""
    deadline = time.monotonic() + _LONGEST_WAIT
    while True:
        yield
        if time.monotonic() > deadline:
            raise OSError(None, f"another process holds the folder {folder}")
        time.sleep(_PAUSE)


def _replace(path: Path, data: bytes, *, private: bool) -> None:
    """Put a file with this content in the place of the old one, with its owner and mode. Raises OSError."""
    import tempfile

    facts = _facts(path)
    if facts is not None and not os.access(path, os.W_OK):
        raise OSError(None, "it is read-only")
    number, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            if facts is not None:
                if hasattr(os, "fchown"):
                    with suppress(OSError):
                        os.fchown(file.fileno(), facts.st_uid, facts.st_gid)
                Path(name).chmod(stat.S_IMODE(facts.st_mode) & (0o600 if private else 0o7777))
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - the atomic one, also on Windows
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def _facts(path: Path) -> os.stat_result | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(None, "it is no regular file")
    return facts


def _shown(path: Path) -> str:
    return escape_line(str(path))
