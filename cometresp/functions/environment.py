"""The environment variables of a tool: only allowed ones, and never the API key.

A tool runs as the user, so this doesn't stop a hostile program. It prevents accidents, such as a tool that prints its
environment and so sends secrets to the model.
"""

import os
import re
from collections.abc import Iterable, Mapping

from cometresp.errors import UsageError

_ALWAYS = ("PATH", "HOME", "LANG", "TMPDIR")

# Most programs need these to start on Windows.
_WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "PATHEXT", "COMSPEC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP")
_NEVER = ("COMETAPI_KEY",)
_NAME = re.compile(r"[^=\x00]+")


def checked(where: str, names: Iterable[str]) -> list[str]:
    """The `names` of additional variables for tools. Raises UsageError for an invalid one, and for that of the key."""
    names = list(names)
    for name in names:
        if name.upper() in _NEVER:
            raise UsageError(f"{where}: {name} is never given to a tool")
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{where}: {_start_of(name)!r} is not the name of a variable",
                hint="give only the name; the value is taken from the environment",
            )
    return names


def _start_of(name: str) -> str:
    """What may be shown: not what stands behind `=`, which may be a secret."""
    start, equals, _ = name[:60].partition("=")
    return f"{start}=…" if equals else start


def allowed(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The environment of a tool. Variables that are not set are left out."""
    kept = (*_ALWAYS, *(_WINDOWS if os.name == "nt" else ()), *names)
    return {name: environ[name] for name in kept if name in environ}
