"""Names of settings for a shell's completion."""

import os

from cometresp.config_file import AT_TOP, config_path
from cometresp.errors import CometrespError
from cometresp.settings.document import dotted
from cometresp.settings.editing import read
from cometresp.settings.flags import settings


def setting_names(typed: str) -> list[tuple[str, str]]:
    """The settings that begin as typed, each with what it takes: those of flags, and the entries of tables."""
    found = {setting.name: setting.values for setting in settings().values()}
    found |= {name: "" for name, kind in AT_TOP.items() if kind is not dict}
    try:
        table = read(config_path(os.environ)[0])
    except CometrespError:
        table = {}
    for name, inner in table.items():
        if name != "keys" and isinstance(inner, dict):
            found |= {dotted((name, key)): "" for key in inner}
    return [(name, text) for name, text in found.items() if name.startswith(typed)]
