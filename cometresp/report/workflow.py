"""The streams of a step of GitHub Actions: annotations, and text whose lines are no commands.

A runner reads both streams line by line. A line that begins with `::NAME` after blanks is a command to it, and so is
`##[NAME]` anywhere in a line, whoever wrote it.
"""

import re
from codecs import getincrementaldecoder

_BLANK = "(?:[^\\S\r\n]|\ufeff)*"
_COMMAND = re.compile(f"(?:\\A|(?<=[\r\n])){_BLANK}:(?=:)|##(?=\\[)")
_BROKEN = "\\g<0>\u200b"  # a zero-width space within the sign: readers see no change, JSON stays JSON


class Workflow:
    """How the streams of a job are written.

    `guards`: text from outside isn't taken for commands there. `annotates`: errors and warnings are annotations.
    """

    def __init__(self, *, guards: bool, annotates: bool) -> None:
        self.annotates = annotates
        self._stdout = _Guard() if guards else None
        self._stderr = _Guard() if guards else None
        self._decoder = getincrementaldecoder("utf-8")("surrogateescape")

    def stdout(self, data: bytes) -> bytes:
        if self._stdout is None:
            return data
        # The first bytes of a character are written as they come, and looked at with its last ones.
        begun = len(self._decoder.getstate()[0])
        shown = self._stdout.inert(self._decoder.decode(data)).encode(errors="surrogateescape")
        return (shown + self._decoder.getstate()[0])[begun:]

    def stderr(self, text: str) -> str:
        return text if self._stderr is None else self._stderr.inert(text)

    def annotation(self, level: str, title: str, message: str) -> str:
        """The line that makes an annotation of a message: a command of our own."""
        begins = self._stderr is None or self._stderr.at_start
        return ("" if begins else "\n") + annotation(level, title, message)


class _Guard:
    """Breaks the signs of commands in text that is written piece by piece."""

    def __init__(self) -> None:
        self._before = ""  # what of the line so far may belong to a sign

    @property
    def at_start(self) -> bool:
        return self._before == ""

    def inert(self, text: str) -> str:
        if not text:
            return text
        whole = self._before + text
        shown = _COMMAND.sub(_BROKEN, whole)[len(self._before) :]
        line = re.sub(f"^{_BLANK}", "", re.split("[\r\n]", whole)[-1])
        hashes = len(line) - len(line.rstrip("#"))
        self._before = line if line in ("", ":") else "x" + "#" * min(hashes, 2)
        return shown


def annotation(level: str, title: str, message: str) -> str:
    """`::error title=TITLE::MESSAGE`, a line; `level` is error, warning or notice."""
    title = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={title}::{_escaped(message)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
