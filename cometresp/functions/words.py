"""The words of a command with placeholders: `["git", "log", "--max-count={count}"]`. Pure.

`{name}` is replaced by that argument, `{{` and `}}` by braces. One word remains one word, whatever the argument
contains. Text is inserted unchanged, other values as JSON. A word is left out if one of its arguments is null or
missing. A value that starts with `-` may not be at the start of a word, because programs would read it as an option,
unless the file allows it for the argument.
"""

import json
import re
from collections.abc import Collection
from typing import Any

from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


class WordError(Exception):
    """An invalid word, or an argument that can't be put into one; the message names it."""


class Place(NamedTuple):
    name: str


Word = list[str | Place]


def parse(word: str) -> Word:
    """Raises WordError."""
    if "\0" in word:
        raise WordError("contains a NUL character")
    pieces: Word = []
    for token in _TOKEN.finditer(word):
        text = token[0]
        if token[1] is not None:
            pieces.append(Place(token[1]))
        elif text in ("{", "}"):
            raise WordError(f"has a lone {text}; a brace itself is written {text * 2}")
        else:
            pieces.append(text[0] if text in ("{{", "}}") else text)
    return pieces


def places(word: Word) -> list[str]:
    return [piece.name for piece in word if isinstance(piece, Place)]


def fill(words: list[Word], arguments: Json, dashed: Collection[str]) -> list[str]:
    """The words of the command; `dashed` names the arguments that may start a word with `-`. Raises WordError."""
    return [
        "".join(_filled(word, arguments, dashed))
        for word in words
        if all(arguments.get(name) is not None for name in places(word))
    ]


def _filled(word: Word, arguments: Json, dashed: Collection[str]) -> list[str]:
    started = False
    filled = []
    for piece in word:
        text = piece if isinstance(piece, str) else _text(piece.name, arguments[piece.name])
        if isinstance(piece, Place) and not started and text.startswith("-") and piece.name not in dashed:
            raise WordError(f"argument {piece.name!r} must not start with -")
        started = started or bool(text)
        filled.append(text)
    return filled


def _text(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "\0" in text:
        raise WordError(f"argument {name!r} must not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WordError(f"argument {name!r} must not contain a lone surrogate") from error
    return text
