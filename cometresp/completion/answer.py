"""The answer to a shell's request: a line with the kind of what is offered, then a line for each offer.

    _COMETRESP_COMPLETE=fish _COMETRESP_LINE='cometresp ask --effort h' cometresp
    words
    high<TAB>

The kind is `words`, `files` or `directories`; for the latter two bash and zsh complete names themselves. An offer is a
whole word, but for bash what takes the place of the part of a word that bash replaces.
"""

import os
from collections.abc import Mapping
from typing import Any

from cometresp.completion.lines import RULES, parse
from cometresp.completion.offers import DIRECTORIES, WORDS, Offers, offers
from cometresp.completion.quoting import for_bash, for_powershell
from cometresp.completion.values import files
from cometresp.text import escape_line

REQUEST = "_COMETRESP_COMPLETE"  # the shell that asks
_LINE = "_COMETRESP_LINE"  # up to the cursor
_BREAKS = "_COMETRESP_BREAKS"  # bash's COMP_WORDBREAKS
_MOST_HELP = 200  # characters


def answer(root: Any, environ: Mapping[str, str]) -> bytes:
    """What is printed; nothing for a shell that isn't known, or behind what is no command line of the program."""
    shell, line = environ[REQUEST], environ.get(_LINE, "")
    rules = RULES.get(shell)
    parsed = parse(line, rules) if rules else None
    if parsed is None:
        return b""
    typed = parsed.current.text
    found = offers(root, parsed.arguments, typed)
    if shell == "fish" and found.kind != WORDS:  # its own function can't read open quotes
        found = Offers(words=files(typed, only_directories=found.kind == DIRECTORIES, tilde=True))
    rows = [found.kind]
    for value, help_text in found.words:
        if escape_line(value) != value:  # it can't be shown, nor be inserted by a shell
            continue
        if shell == "bash":
            rows.append(for_bash(value, line, parsed, environ.get(_BREAKS, "")))
        else:
            shown = for_powershell(value) if shell == "powershell" else value
            rows.append(f"{shown}\t{escape_line(help_text, _MOST_HELP)}")
    return os.fsencode("\n".join(rows) + "\n")
