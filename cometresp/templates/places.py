"""Where templates are: `templates/NAME.toml` beside the config file; a name with a slash or `.toml` is a file."""

import os
import re
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from cometresp.config_file import config_path, expanded
from cometresp.errors import Hint, Next, UsageError
from cometresp.nearest import nearest
from cometresp.paths import Reading, read_file
from cometresp.text import escape_line, shell_arguments

ENDING = ".toml"
_MOST_BYTES = 1_000_000
_NAME = re.compile(r"[^\W_][\w .+-]{0,99}")


def folder(environ: Mapping[str, str]) -> Path:
    return config_path(environ)[0].parent / "templates"


def names(environ: Mapping[str, str]) -> list[str]:
    """The names of the templates in the folder. Raises UsageError if it can't be read."""
    place = folder(environ)
    try:
        found = [entry.name.removesuffix(ENDING) for entry in os.scandir(place) if entry.name.endswith(ENDING)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{escape_line(str(place))}: the templates can't be read: {error.strerror}") from error
    return sorted(name for name in found if is_name(name))


def is_name(given: str) -> bool:
    """Whether it can be the name of a template in the folder."""
    return _NAME.fullmatch(given) is not None and given == given.strip() and escape_line(given) == given


def is_file(given: str) -> bool:
    """Whether it is the path of a file, rather than a name."""
    return "/" in given or os.sep in given or given.endswith(ENDING)


def path_of(given: str, environ: Mapping[str, str], argument: str = "--template") -> Path:
    """The file that a name or a path means, whether it is there or not. Raises UsageError for what is neither."""
    if not given.strip():
        raise UsageError(f"{argument}: must not be empty")
    if is_file(given):
        return expanded(given)
    if not is_name(given):
        what = f"{escape_line(given, 80)!r} is no name: letters, digits, blanks and . _ + -"
        raise UsageError(f"{argument}: {what}", hint="a path has a slash in it, or ends in .toml")
    return folder(environ) / f"{given}{ENDING}"


def read(
    given: str, environ: Mapping[str, str], reading: Reading | None = None, argument: str = "--template"
) -> tuple[Path, str]:
    """The file of a template, and its text. A pipe is waited for in a block of `reading`; without, it is an error.

    Raises UsageError where there is none, or it can't be read.
    """
    path = path_of(given, environ, argument)
    shown = escape_line(str(path), 200)
    try:
        with reading(str(path)) if reading else nullcontext():
            return path, read_file(str(path), _MOST_BYTES, only_regular=reading is None).decode("utf-8-sig")
    except FileNotFoundError as error:
        if is_file(given):
            raise UsageError(f"{argument}: can't read {shown}: {error.strerror}") from error
        near = nearest(given, names(environ))
        make = Next("templates edit", (shell_arguments(given),))
        hint: Hint = f"did you mean {near}?" if near else (make, " makes it")
        place = escape_line(str(path.parent), 200)
        raise UsageError(f"{argument}: there is no template {given} in {place}", hint=hint) from error
    except OSError as error:
        raise UsageError(f"{argument}: can't read {shown}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{argument}: {shown} is not UTF-8: byte {error.start + 1} is wrong") from error
    except ValueError as error:  # a NUL in the name
        raise UsageError(f"{argument}: can't read {shown}: {error}") from error
