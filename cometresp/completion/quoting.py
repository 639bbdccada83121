r"""Values as a shell inserts them in place of what was typed.

zsh and fish quote what they insert themselves. bash inserts it as it is, and in place of a part of the word only: what
is behind an open quote, or behind the last character of COMP_WORDBREAKS that isn't quoted, such as `=`, `:` or `@`.
"""

import re

from cometresp.completion.lines import RULES, Line, Word, parse

_KEPT_BREAK = "@"  # a break that belongs to what is replaced: hostnames begin with it
_SAFE = re.compile(r"[^\w./:=@%+,-]", re.ASCII)


def replaced_from(line: str, word: Word, breaks: str) -> int:
    """Where bash's replacement begins: the index in the line."""
    if word.quote:
        return word.opened
    for place in range(len(line) - 1, word.start - 1, -1):
        if line[place] in breaks and not word.quoted[place - word.start]:
            return place if line[place] == _KEPT_BREAK else place + 1
    return word.start


def for_bash(value: str, line: str, parsed: Line, breaks: str) -> str:
    """What replaces the end of the line, so that the word becomes the value."""
    start = replaced_from(line, parsed.current, breaks)
    return _in_quote(value[len(_text(line[parsed.current.start : start])) :], parsed.current.quote)


def _text(typed: str) -> str:
    """The text of the first part of a word."""
    kept = parse(f"x {typed}", RULES["bash"])
    return kept.current.text if kept else ""


def _in_quote(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':  # in quotes, a backslash before `!` stays
        return re.sub(r'[$`"\\]', r"\\\g<0>", text).replace("!", '"\\!"')
    return _SAFE.sub(lambda found: f"\\{found[0]}" if found[0].isascii() else found[0], text)


def for_powershell(value: str) -> str:
    """A whole word, in quotes where it needs them."""
    return value if re.fullmatch(r"[\w./:=+-]+", value, re.ASCII) else "'" + value.replace("'", "''") + "'"
