"""A command line as a shell reads it, up to the cursor. Nothing is expanded: `$x` and `*.txt` stay as they are."""

import re

from cometresp.tuples import NamedTuple

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_PROGRAM = "cometresp"


class Rules(NamedTuple):
    """How a shell quotes: its escape character, and what that escapes inside quotes; `twice`: `''` in quotes is `'`."""

    escape: str = "\\"
    in_double: str = '$`"\\\n!'
    in_single: str = ""
    twice: bool = False


POSIX = Rules()
RULES = {
    "bash": POSIX,
    "zsh": POSIX,
    "fish": Rules(in_double='$"\\\n', in_single="'\\"),
    "powershell": Rules("`", in_double='$`"', twice=True),
}


class Word(NamedTuple):
    """A word: where it begins, its text without quotes, and for each character whether it is quoted."""

    start: int
    text: str
    quoted: tuple[bool, ...] = ()
    quote: str = ""  # the one that isn't closed
    opened: int = 0  # where the text behind it begins


class Line(NamedTuple):
    """The arguments before the cursor's word, and that word as the shell reads it."""

    arguments: list[str]
    current: Word


def parse(line: str, rules: Rules) -> Line | None:
    """The arguments of the program that is called on the line; None where the cursor isn't behind its name."""
    words = []
    place = 0
    while True:
        while place < len(line) and line[place].isspace():
            place += 1
        word, place = _word(line, place, rules)
        words.append(word)
        if place >= len(line):
            break
    *before, current = words
    texts = _behind_program([word.text for word in before])
    return None if texts is None else Line(texts, current)


def _behind_program(words: list[str]) -> list[str] | None:
    """The words behind the program's name: behind assignments, and commands such as `env` that run another."""
    names = [re.split(r"[/\\]", word)[-1].removesuffix(".exe") for word in words]
    if _PROGRAM in names:
        return words[names.index(_PROGRAM) + 1 :]
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    return words[1:] if words else None


def _word(line: str, start: int, rules: Rules) -> tuple[Word, int]:
    """The word that begins at `start`, and where it ends."""
    text, quoted, quote, opened = "", [], "", start
    place = start
    while place < len(line):
        character, following = line[place], line[place + 1 : place + 2]
        if quote:
            escapable = rules.in_single if quote == "'" else rules.in_double
            if character == rules.escape and following and following in escapable:
                text, place = text + following, place + 1
                quoted.append(True)
            elif character == quote and rules.twice and following == quote:
                text, place = text + quote, place + 1
                quoted.append(True)
            elif character == quote:
                quote = ""
            else:
                text += character
        elif character in "'\"":
            quote, opened = character, place + 1
        elif character == rules.escape:
            text, place = text + following, place + 1
            quoted.append(True)
        elif character.isspace():
            return Word(start, text, tuple(quoted)), place
        else:
            text += character
            quoted.append(False)
            place += 1
            continue
        quoted.append(True)
        place += 1
    return Word(start, text, tuple(quoted), quote, opened), place
