"""Bugs: exceptions that nobody expected, as a message for the user and as a private file to report.

The file has the versions, the command with the names of its flags, and the traceback: no values of flags or variables,
and of prompts and answers at most what an exception quotes. Secrets are masked. It is written to the state folder or,
failing that, to the temporary one.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path

from cometresp import __version__
from cometresp.text import escape, escape_line
from cometresp.tuples import NamedTuple

Mask = Callable[[str], str]

_KEPT = 10  # files
_LONGEST = 200  # characters of an exception's message
_FIRST, _LAST = 20, 40  # frames of a traceback
_CAUSES = 5
_PREFIX, _SUFFIX = "cometresp-bug-", ".txt"


class Bug(NamedTuple):
    """A bug as it is told: its message and hint for the user, and the traceback. All of it is masked."""

    message: str
    hint: str
    traceback: str


def report(error: BaseException, words: Sequence[str] = ()) -> Bug:
    """Write the file about a bug, and say what to tell the user. `words` are the command and the names of its flags."""
    mask = _mask()
    what = _described(error, mask)
    traceback = mask(_without_home("".join(_lines(error, mask))))
    head = [f"cometresp {__version__}", _system(), " ".join(["command:", "cometresp", *words]), f"error: {what}"]
    path = _written("\n".join([*map(mask, head), "", traceback]))
    where = f"the details are in {escape_line(str(path))}" if path else "--debug shows where it happened"
    return Bug(f"a bug in cometresp {__version__}: {what}", f"please report it; {where}", traceback)


def last_words(error: BaseException) -> None:
    """Say that there is a bug where even the report of it failed."""
    with suppress(Exception):
        os.write(2, f"cometresp: error: a bug in cometresp {__version__}: {type(error).__name__}\n".encode())


def _mask() -> Mask:
    """What masks the secrets of the runs, and the key of the environment, which is known before any run is."""
    from cometresp.config_file import clean
    from cometresp.wire.masking import Secrets, of_runs

    secrets = Secrets()
    secrets.add_key(clean(os.environ.get("COMETAPI_KEY")))
    known = (*of_runs, secrets)
    return lambda text: reduce(lambda masked, each: each.message(masked), known, text)


def _described(error: BaseException, mask: Mask) -> str:
    """`TYPE: MESSAGE` on one line. The message is masked before it is cut, or a part of a secret would be left."""
    try:
        message = mask(str(error))
    except Exception:  # noqa: BLE001 - a message that can't be made
        message = "(it has no readable message)"
    return f"{type(error).__name__}: {escape_line(message, _LONGEST)}".removesuffix(": ")


def _lines(error: BaseException, mask: Mask) -> Iterator[str]:
    """The tracebacks of an exception and of what caused it, the first cause first, without values of variables."""
    from traceback import extract_tb, format_list

    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain and len(chain) < _CAUSES:
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    for each in reversed(chain):
        frames = extract_tb(each.__traceback__)
        left_out = len(frames) - _FIRST - _LAST
        yield "Traceback (most recent call last):\n"
        yield from map(escape, format_list(frames[:_FIRST] if left_out > 0 else frames))
        if left_out > 0:
            yield f"  ({left_out} calls are left out)\n"
            yield from map(escape, format_list(frames[-_LAST:]))
        yield f"{_described(each, mask)}\n"


def _without_home(text: str) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    return text.replace(home + os.sep, "~" + os.sep) if len(home) > 1 else text


def _system() -> str:
    import platform

    return f"Python {platform.python_version()} ({sys.implementation.name}), {platform.platform()}"


def _written(text: str) -> Path | None:
    """The path of a new private file with this text, None if there is no place for it."""
    from time import strftime

    for folder_of in (_state_folder, _temporary_folder):
        try:
            path = _new_file(folder_of(), strftime("%Y%m%dT%H%M%S-"), text)
        except Exception:  # noqa: BLE001, S112 - whatever is wrong with the first place, the second may be good
            continue
        with suppress(OSError):
            _remove_oldest(path.parent)
        return path
    return None


def _state_folder() -> Path:
    from cometresp.config import state_dir

    folder = state_dir(os.environ)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _temporary_folder() -> Path:
    from tempfile import gettempdir

    return Path(gettempdir())


def _new_file(folder: Path, time: str, text: str) -> Path:
    from tempfile import mkstemp

    number, name = mkstemp(_SUFFIX, _PREFIX + time, folder)  # mode 0600, under a name that nobody can guess
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _remove_oldest(folder: Path) -> None:
    """Remove the user's own files of this kind, but for the newest."""
    found = [path for path in folder.glob(f"{_PREFIX}*{_SUFFIX}") if path.is_file() and not path.is_symlink()]
    own = [path for path in found if sys.platform == "win32" or path.stat().st_uid == os.geteuid()]
    for path in sorted(own, key=lambda path: (path.stat().st_mtime_ns, path.name))[:-_KEPT]:
        path.unlink(missing_ok=True)
