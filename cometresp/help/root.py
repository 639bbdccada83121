"""The page of the program as a whole, and what it answers without a command."""

import os
import stat
import sys
from typing import Any

from cometresp.errors import UsageError
from cometresp.help.page import Page, Section, command_sections

GROUPS: dict[str, tuple[str, ...]] = {
    "Prompts": ("ask", "stream", "continue"),
    "Responses on the server": ("get", "cancel", "delete", "items"),
    "Recorded here": ("chains", "log"),
    "Tools": ("schema", "emulator", "completion", "help", "version"),
}
_ABOUT = "Send prompts to the Responses API from a shell: single requests, streams, and chains of turns."
_EXAMPLES = (
    'cometresp ask --offline "Say hello"          # tries it without a key',
    'cometresp ask "Explain rebase in two sentences"',
    'git diff | cometresp ask "Write a commit message"',
    'cometresp continue "Shorter"                 # the next turn of the chain',
)
_ENDING = """\
COMETAPI_KEY holds the key, COMETAPI_BASE_URL another server; all variables: cometresp help environment
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 to 8 an answer that isn't whole or waits, 65 to 78 not answered; \
all: cometresp help exit-codes
Each command: cometresp help COMMAND. The source has more pages in docs/"""


def root_page(ctx: Any) -> Page:
    flags = [("-V, --version", "Print the version."), ("-h, --help", "Print this help.")]
    sections = command_sections(ctx, GROUPS)
    examples = Section("Examples", [(line, "") for line in _EXAMPLES])
    return Page("cometresp COMMAND …", _ABOUT, [*sections, Section("Flags", flags), examples], _ENDING)


def check_without_command() -> None:
    """Raises UsageError where something is piped into the program, but no command takes it."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode if sys.stdin else 0
    except (OSError, ValueError):
        return
    if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
        raise UsageError("no command for what is piped in", hint="as the prompt: … | cometresp ask")
