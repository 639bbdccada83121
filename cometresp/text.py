r"""Untrusted text made safe, and text as bytes. Pure.

Two rules say what becomes an escape such as `\x1b`, `\u202e` or `\U000e0041`:

- `escape`, for prose (answers, reasoning, transcripts): control characters, and those that reorder text or carry hidden
  text: bidi controls, line separators, interlinear annotations, tags. Soft hyphens, joiners, variation selectors and
  zero-width spaces stay: they are part of how text is written.
- `escape_invisible` and `escape_line`, for what a user decides by, types or copies (names, arguments, ids, the lines
  of calls, messages, questions): all that, and every character that shows nothing. A joiner stays between two letters
  of the scripts that need it and between emoji, a variation selector after a symbol.
"""

import os
import re
from collections.abc import Callable
from functools import cache

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # as word processors put in the place of `-` and `--`

# C0 except tab and newline, DEL, C1, and all characters that reorder or hide text (Unicode Bidi_Control, line and
# paragraph separators, interlinear annotation, tags). `\r` is included: alone it overwrites the line.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"
)
# The rest of Unicode's Default_Ignorable_Code_Point but for joiners and the two selectors of emoji, and the blanks that
# are no white space: the empty braille pattern, and the musical null notehead.
_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u2800\u3164\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0080-\U000e0fff"
)
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"  # and the selectors of emoji
# What a joiner joins: letters from Arabic to Myanmar, Khmer, Mongolian and so on to Brahmi; and emoji.
_LETTERS = "\u0620-\u109f\u1700-\u17b3\u17b6-\u180a\u1810-\u18af\u1b00-\u1c4f\ua800-\uabff\U00011000-\U000114ff"
_SYMBOLS = "\u00a9\u00ae\u203c\u2049\u2100-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_READ_AHEAD = 4  # characters behind the last one that is shown, which may say what becomes of it
_QUOTED = 60  # characters of a wrong word in a message
_TYPED = 2000  # characters of a word in a command to type


@cache
def _unsafe() -> re.Pattern[str]:
    """Compiled when text other than ASCII is escaped first."""
    return re.compile(f"[{_UNSAFE}]")


@cache
def _unsafe_or_invisible() -> re.Pattern[str]:
    """One set of characters, the joiners among them: `_visible_unless_joining` says which of those stay."""
    return re.compile(rf"[{_UNSAFE}{_INVISIBLE}{_JOINERS}]")


@cache
def _joining() -> re.Pattern[str]:
    """A joiner or a selector where it is a part of how text is written."""
    letter, symbol = f"[{_LETTERS}]", f"[{_SYMBOLS}]"
    legitimate = (
        rf"(?<={letter})[\u200c\u200d](?={letter})",
        rf"(?:(?<={symbol})|(?<={symbol}\ufe0f))\u200d(?={symbol})",
        rf"(?<={symbol})[\ufe0e\ufe0f]",
        r"(?<=[0-9#*])\ufe0f(?=\u20e3)",  # a keycap
    )
    return re.compile("|".join(legitimate))


def _visible_unless_joining(match: re.Match[str]) -> str:
    if match[0] in _JOINERS and _joining().match(match.string, match.start()):
        return match[0]
    return _visible(match)


def _visible(match: re.Match[str]) -> str:
    point = ord(match[0])
    if point < 0x100:  # noqa: PLR2004 - the width of the escape, not a threshold
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004


def escape(text: str) -> str:
    """Untrusted prose made safe for a terminal: control characters become escapes, newlines and tabs are kept."""
    if text.isascii() and text.isprintable():
        return text
    return _unsafe().sub(_visible, text.replace("\r\n", "\n"))


def escape_invisible(text: str) -> str:
    """The same, for text that a user decides by: characters that show nothing become escapes too."""
    if text.isascii():
        return escape(text)
    return _unsafe_or_invisible().sub(_visible_unless_joining, text.replace("\r\n", "\n"))


def escape_line(text: str, limit: int = 0) -> str:
    """Untrusted text on one line, cut to `limit` characters (0: not cut); nothing in it is invisible."""
    if limit:
        text = text[: limit + _READ_AHEAD]  # an escape is as long as what it is of, or longer
    plain = text.isascii() and text.isprintable()
    line = text if plain else _on_a_line(text)
    return line if not limit or len(line) <= limit else line[: max(limit - 1, 0)] + "…"


def _on_a_line(text: str) -> str:
    return escape_invisible(text.replace("\r\n", "\n").replace("\n", "\\n").replace("\t", " "))


def shell_word(word: str) -> str | None:
    """A word as it is typed in sh, bash, zsh or fish; None where it can't be shown, and so pasted, as it is.

    That is the case with control and invisible characters, and with a backslash, which fish reads in quotes too.
    """
    from shlex import quote

    if len(word) > _TYPED or "\\" in word or escape_line(word) != word:
        return None
    typed = quote(word)
    return f"'{word}'" if typed == word and word[0] in "=%" else typed  # zsh and fish expand these


def shell_flag(flag: str, value: str, rest: str = "") -> str | None:
    """A flag and its value as they are typed, `--from resp_1`; None as for `shell_word`. `rest` ends the value."""
    typed = None if rest and not value else shell_word(value)  # zsh expands `''=x`
    return None if typed is None else f"{flag}{'=' if value.startswith('-') else ' '}{typed}{rest}"


def shell_arguments(*words: str) -> str | None:
    """Arguments as they are typed, behind a `--` if one looks like a flag; None as for `shell_word`."""
    typed = [shell_word(word) for word in words]
    shown = " ".join(word for word in typed if word is not None)
    return None if None in typed else f"-- {shown}" if any(word.startswith("-") for word in words) else shown


def command_words(command: str, *, windows: bool = os.name == "nt") -> list[str]:
    """The words of a command, as a shell splits them. Raises ValueError for a quote that isn't closed.

    On Windows a backslash is part of a path, and only `"` quotes.
    """
    import shlex

    if not windows:
        return shlex.split(command)
    words = shlex.shlex(command, posix=True)
    words.whitespace_split, words.commenters, words.escape, words.quotes = True, "", "", '"'
    return list(words)


def quoted(text: str) -> str:
    """A wrong word as errors name it: in quotes, at most 60 characters of it."""
    return repr(text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…")


def shown_size(size: int) -> str:
    """A number of bytes as flags take it, where it is a whole number of its unit: `256M`, `1000 bytes`."""
    for bits, unit in ((30, "G"), (20, "M"), (10, "K")):
        if size and size % (1 << bits) == 0:
            return f"{size >> bits}{unit}"
    return f"{size} bytes"


def escape_json(document: str) -> str:
    r"""JSON text for a terminal: control and bidi characters, which only strings contain, become `\u` escapes."""

    def unicode_escape(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

    return _unsafe().sub(unicode_escape, document) if not document.isascii() or "\x7f" in document else document


def valid_json(document: str) -> str:
    """JSON text that Python wrote, with `1e999` for a number too large for a float, and `null` for NaN."""
    if "Infinity" not in document and "NaN" not in document:
        return document

    def replaced(found: re.Match[str]) -> str:
        return found[1] or ("null" if found[0] == "NaN" else f"{found[2]}1e999")

    return re.sub(r'("[^"\\]*(?:\\.[^"\\]*)*")|(-?)Infinity|NaN', replaced, document)


def to_bytes(text: str) -> bytes:
    """UTF-8. Surrogate halves that a server sent separately are joined; a lone one becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def json_bytes(document: str) -> bytes:
    """JSON text as UTF-8; a lone surrogate, which UTF-8 can't encode, becomes a JSON escape again."""
    return document.encode(errors="backslashreplace")


Say = Callable[[str], None]  # prints a message for the user
Read = Callable[[str, str], str]  # (flag, "@FILE" or text) -> text


def join_surrogates(text: str) -> str:
    """The text with surrogate pairs joined: a server may send the halves of a character in two deltas."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text
