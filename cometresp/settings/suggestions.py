"""Names of settings for a shell's completion."""

import os

from cometresp.config_file import config_path
from cometresp.errors import CometrespError
from cometresp.settings.document import dotted
from cometresp.settings.editing import read
from cometresp.settings.flags import OWN, settings
from cometresp.settings.listing import names


def setting_names(typed: str) -> list[tuple[str, str]]:
    """The settings that begin as typed, each with what it takes: those of flags, and the entries of tables."""
    found = {name: settings()[name].values if name not in OWN else "" for name in names()}
    try:
        table = read(config_path(os.environ)[0])
    except CometrespError:
        table = {}
    for name, inner in table.items():
        if name != "keys" and isinstance(inner, dict):
            found |= {dotted((name, key)): "" for key in inner}
    return [(name, text) for name, text in found.items() if name.startswith(typed)]
