"""Inputs that nobody would write, for code that reads what others wrote: `python -m tests.fuzz TARGET --minutes 10`.

Each target is a file whose `check(data)` raises where something doesn't hold that must hold for any bytes. The suite
checks a fixed number of inputs (test_targets); the script checks new ones for as long as it is told, and prints the
shortest input of each finding.

error_replies    The status, headers and body of a reply that is an error.
streams          The bytes of a stream, or of a whole reply.

edits            Inputs made from others: what is changed in them.
engine           Many inputs, one after the other, and what was found; each finding as a short input.
guided           The same with atheris, which looks for inputs that reach new code.
target           What a file with a `check` says of itself.
"""

from pathlib import Path

TARGETS = ("streams", "error_replies")
ROOT = Path(__file__).parent.parent.parent
