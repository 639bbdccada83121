"""What a tool sees of the environment: an allow-list, and never the API key.

A tool runs as the user, so this is no wall against a hostile program; it keeps secrets from those who don't look for
them, such as a tool that prints its environment for the model to read.
"""

import os
import re
from collections.abc import Iterable, Mapping

from cometresp.errors import UsageError

_ALWAYS = ("PATH", "HOME", "LANG", "TMPDIR")

# Without these hardly a program starts on Windows.
_WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "PATHEXT", "USERPROFILE", "TEMP", "TMP")

_NEVER = ("COMETAPI_KEY",)

_NAME = re.compile(r"[^=\x00]+")


def checked(where: str, names: Iterable[str]) -> list[str]:
    """Names of variables that a tool may see besides. Raises UsageError for the key's own and for what is no name."""
    names = list(names)
    for name in names:
        if name.upper() in _NEVER:
            raise UsageError(f"{where}: {name} is never given to a tool")
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{where}: {name[:60]!r} is not a variable's name",
                hint="only the name; its value is taken from the environment",
            )
    return names


def cut(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The environment of a tool. A name that isn't set is just absent."""
    allowed = (*_ALWAYS, *(_WINDOWS if os.name == "nt" else ()), *names)
    return {name: environ[name] for name in allowed if name in environ}
