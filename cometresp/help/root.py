"""The page of the program as a whole, and what it answers without a command."""

import os
import stat
import sys
from typing import Any

from cometresp.errors import UsageError
from cometresp.help.page import Page, Section, command_sections

GROUPS: dict[str, tuple[str, ...]] = {
    "Prompts": ("ask", "stream", "continue", "again", "batch"),
    "Responses on the server": ("get", "cancel", "delete", "items"),
    "Recorded here": ("chains", "log"),
    "Models and costs": ("models", "usage"),
    "Settings": ("config", "templates", "doctor"),
    "Tools": ("schema", "emulator", "completion", "help", "version"),
}
_ABOUT = "Send prompts to the Responses API from a shell: single requests, streams, and chains of turns."
_EXAMPLES = (
    'cometresp ask --offline "Say hello"          # tries it without a key',
    'cometresp ask "Explain rebase in two sentences"',
    'git diff | cometresp ask "Write a commit message"',
    'cometresp continue "Shorter"                 # the next turn of the chain',
)
_VARIABLES = (
    ("COMETAPI_KEY", "The key."),
    ("COMETAPI_BASE_URL", "Another server than CometAPI."),
)
_EXIT_CODES = (
    ("0", "The response completed; the command did what it says."),
    ("1, 3 to 8", "A response, but no plain answer: it failed, is cut, waits …"),
    ("2", "Wrong usage or bad input."),
    ("9", "Stopped by --max-cost."),
    ("65 to 78", "An error: refused, unreachable, no key, no place to write …"),
)
_MORE = (
    ("help COMMAND", "A command's everyday flags; --help-all has all of them."),
    ("help exit-codes", "Every exit code."),
    ("help environment", "Every variable."),
    ("docs/", "In the source: chains, tools, files, the emulator …"),
)


def root_page(ctx: Any) -> Page:
    sections = [
        *command_sections(ctx, GROUPS),
        Section("Examples", [(line, "") for line in _EXAMPLES]),
        Section("Variables", list(_VARIABLES)),
        Section("Exit codes", list(_EXIT_CODES)),
        Section("More", list(_MORE)),
    ]
    return Page("cometresp COMMAND …", _ABOUT, sections)


def check_without_command() -> None:
    """Raises UsageError where something is piped into the program, but no command takes it."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode if sys.stdin else 0
    except (OSError, ValueError):
        return
    if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
        raise UsageError("no command for what is piped in", hint="as the prompt: … | cometresp ask")
