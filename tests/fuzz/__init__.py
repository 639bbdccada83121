"""Inputs that nobody would write, for code that reads what others wrote: `python -m tests.fuzz TARGET --minutes 10`.

Each target is a file whose `check(data)` raises where something doesn't hold that must hold for any bytes. The suite
checks a fixed number of inputs (test_targets); the script checks new ones for as long as it is told, and prints the
shortest input of each finding.

command_lines    Words and environment variables of a command line that runs offline.
error_replies    The status, headers and body of a reply that is an error.
markdown         The text of an answer, rendered.
recordings       The file of a recording of `emulator --record`.
settings         The config file and environment variables.
state_commands   A damaged state file, read by whole commands.
state_file       A damaged state file, read and written as commands do.
signals          Signals at random moments of a run on a terminal: a script of its own.
streams          The bytes of a stream, or of a whole reply.

edits            Inputs made from others: what is changed in them.
engine           Many inputs, one after the other, and what was found; each finding as a short input.
forks            Command lines run in forks that can reach and change nothing of this machine.
guided           The same with atheris, which looks for inputs that reach new code.
target           What a file with a `check` says of itself.
"""

from pathlib import Path

TARGETS = (
    *("streams", "error_replies", "state_file", "state_commands", "command_lines", "settings", "markdown"),
    "recordings",
)
ROOT = Path(__file__).parent.parent.parent
