"""Command lines that can be read, but hardly mean what they say: it is said before anything is sent."""

import os
import stat
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from cometresp.errors import UsageError
from cometresp.help.phrases import about, metavar
from cometresp.help.words import Piece, takes_value
from cometresp.text import DASHES, quoted

_NO_VALUE = " \t\n\r:,;!?)"  # how no value begins that is glued to its flag, `-s: summarise`
_PIPES = ("/dev/fd/", "/proc/self/fd/")  # where a shell puts the pipe of `<(…)`
_FIELDS = ("temperature", "top_p", "max_tokens", "max_output_tokens", "seed")  # `-o temperature 0` means a field in llm


def check(pieces: Sequence[Piece], flags: Mapping[str, Any], command: str, *, prompt: bool) -> None:
    """Raises UsageError for the first mistake. `prompt`: the words are those of a prompt."""
    for piece in pieces:
        if piece.kind == "flag":
            _check_flag(piece, flags)
        elif piece.kind == "word" and piece.text[:1] in DASHES:
            _check_dash(piece.text, flags)
    if prompt:
        _check_files(pieces)
        for piece in pieces:
            if piece.kind == "word":
                _check_pipe(piece.text, command)


def _check_flag(piece: Piece, flags: Mapping[str, Any]) -> None:
    word, name, value = piece.text, piece.name, piece.value
    if not word.startswith("--"):
        _check_short(piece, flags)
    if piece.option is None or piece.joined:
        if piece.option is not None and word.startswith("--") and not takes_value(piece.option):
            off = [other for other in piece.option.secondary_opts if other != name]
            raise UsageError(f"{name} takes no value", hint=f"{off[0]} is its opposite" if off else about(piece.option))
        return
    if value is None:
        if takes_value(piece.option):
            raise UsageError(f"{name} needs a value", hint=about(piece.option))
        return
    if value.partition("=")[0] in flags:
        raise UsageError(
            f"{name} needs a value: {metavar(piece.option)}", hint=f"{value.partition('=')[0]}, behind it, is a flag"
        )
    if name in ("-o", "--output") and value in _FIELDS:
        field = "max_output_tokens" if value == "max_tokens" else value
        flag = f"--{field.replace('_', '-')}"
        raise UsageError(
            f"{name} names the file for the answer: {value} is a field of the request",
            hint=f"{flag} N sets it" if flag in flags else f"-P {field}=VALUE sets it",
        )


def _check_short(piece: Piece, flags: Mapping[str, Any]) -> None:
    word, value = piece.text, piece.value
    long = f"-{word.partition('=')[0]}"
    if long in flags and len(long) > 3:  # noqa: PLR2004 - "--" and a letter
        raise UsageError(f"{long[1:]} has one dash too few", hint=f"did you mean {long}?")
    if piece.joined and value and value.startswith("="):
        raise UsageError(f"{piece.name} takes its value without =", hint=f"{piece.name} {metavar(piece.option)}")
    if word[2:3] and word[2] in _NO_VALUE and word[:2] in flags:
        raise unclear(word, flags[word[:2]])


def unclear(word: str, option: Any) -> UsageError:
    """The error for a word that begins like a flag and goes on like prose."""
    as_flag = f"; for the flag: {word[:2]} {metavar(option)}" if takes_value(option) else ""
    return UsageError(f"{word[:3] + '…'!r} begins like a flag", hint=f"words of a prompt stand behind --{as_flag}")


def _check_dash(word: str, flags: Mapping[str, Any]) -> None:
    """A flag that was pasted from a page on which `--` became a dash."""
    letters = word.partition("=")[0].lstrip(f"-{DASHES}")
    for flag in (f"--{letters}", f"-{letters}"):
        if flag in flags:
            raise UsageError(
                f"{quoted(word.partition('=')[0])} begins with another character than -", hint=f"did you mean {flag}?"
            )


def _check_files(pieces: Sequence[Piece]) -> None:
    """`-f *.txt`: the shell puts all names behind the flag, which takes one."""
    for i, piece in enumerate(pieces):
        if piece.option is None or not piece.option.multiple or piece.option.metavar != "FILE" or piece.joined:
            continue
        behind = takewhile(lambda next_one: next_one.kind == "word" and _is_file(next_one.text), pieces[i + 1 :])
        names = [word.text for word in behind]
        if len(names) > 1 or any(mark in name for name in names for mark in "./"):
            more = "" if len(names) == 1 else f" and {len(names) - 1} more"
            raise UsageError(
                f"{piece.name} takes one file: {quoted(names[0])}{more} would be part of the prompt",
                hint=f"repeat it for each, {piece.name} FILE {piece.name} FILE; words of a prompt stand behind --",
            )


def _is_file(word: str) -> bool:
    try:
        return os.path.isfile(word)  # noqa: PTH113 - Path would be loaded for each command
    except ValueError:  # a NUL
        return False


def _check_pipe(word: str, command: str) -> None:
    """`<(…)` is the name of a pipe to the program, which isn't read."""
    number = next((word.removeprefix(folder) for folder in _PIPES if word.startswith(folder)), "")
    if word != "/dev/stdin" and not number.isdecimal():
        return
    try:
        mode = os.stat(word).st_mode  # noqa: PTH116
    except OSError:
        return
    if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
        attach = "-f <(…)" if number not in ("", "0") else "-"
        raise UsageError(
            f"{word} is a file, which a prompt doesn't read",
            hint=f'cometresp {command} {attach} "…" reads it',
        )
