"""Text: the words that steer the emulator, quoting, counting tokens, and cutting text into deltas."""

import re
import unicodedata

COMMAND = r"\bemulate:([a-z_]+)(?:=(\d+))?"
_COMMAND = re.compile(COMMAND)
_TOKEN = re.compile(r"\S+\s*|\s+")
_LONG = 12
_CHUNK = 8
CHARS_PER_TOKEN = 4
# Characters that continue the grapheme before them: marks, joiners, variation selectors, skin tones, flag halves.
_JOINER = "\u200d"
_EXTENDERS = (("\U0001f3fb", "\U0001f3ff"), ("\U0001f1e6", "\U0001f1ff"))


def commands(prompt: str) -> dict[str, int]:
    """The `emulate:` words of a prompt, each with its number (0 without one)."""
    return {name: int(value or 0) for name, value in _COMMAND.findall(prompt)}


def without_commands(prompt: str) -> str:
    return _COMMAND.sub(" ", prompt)


def tokens(text: str) -> int:
    """A plausible count: about one token for four characters."""
    return -(-len(text) // CHARS_PER_TOKEN)


def pieces(text: str) -> list[str]:
    """The deltas of a text: its words, long ASCII words in several; a grapheme is never cut."""
    result: list[str] = []
    for word in _TOKEN.findall(text):
        if result and _continues(result[-1], word):
            result[-1] += word
        elif len(word) > _LONG and word.isascii() and not word.isspace():
            result.extend(_chunks(word))
        else:
            result.append(word)
    return result


def _continues(before: str, word: str) -> bool:
    first = word[0]
    return (
        first == _JOINER
        or before[-1] == _JOINER
        or unicodedata.category(first).startswith("M")
        or any(low <= first <= high for low, high in _EXTENDERS)
    )


def _chunks(word: str) -> list[str]:
    body = word.rstrip()  # the white space stays whole: "\r\n" is one grapheme
    parts = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    parts[-1] += word[len(body) :]
    return parts


def clip(text: str, limit: int) -> str:
    """As many whole pieces of the text as fit in `limit` characters, but never nothing of a text."""
    kept = ""
    for piece in pieces(text[: limit + _LONG]):
        if kept and len(kept) + len(piece) > limit:
            break
        kept += piece
    return kept


def excerpt(text: str, limit: int) -> str:
    """A text for quoting; a long one is cut and says its full length."""
    if len(text) <= limit:
        return text
    return f"{clip(text, limit).rstrip()} … ({len(text)} characters in all)"


def one_line(text: str, limit: int) -> str:
    return " ".join(excerpt(text, limit).split())
