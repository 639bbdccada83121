"""The words of a command with places for arguments: `["git", "log", "--max-count={count}"]` (pure).

`{name}` stands for that argument, `{{` and `}}` for braces. One word stays one word whatever the argument holds: text
as it is, numbers, true and false as in JSON, arrays and objects as their JSON. A word one of whose arguments is null
or not given is left out whole. A value that begins with `-` may not begin a word, since programs would read it as an
option, unless the file allows that for the argument.
"""

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple

from cometresp.wire.json import Json

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


class WordError(Exception):
    """A word that can't be read, or an argument that can't stand in one; the message says which."""


class Place(NamedTuple):
    name: str


Word = list[str | Place]


def parse(word: str) -> Word:
    """Raises WordError."""
    if "\0" in word:
        raise WordError("holds a NUL character")
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
    """The command's words; `dashed` names the arguments that may begin a word with `-`. Raises WordError."""
    return [
        "".join(_filled(word, arguments, dashed))
        for word in words
        if all(arguments.get(name) is not None for name in places(word))
    ]


def _filled(word: Word, arguments: Json, dashed: Collection[str]) -> list[str]:
    begun = False
    filled = []
    for piece in word:
        text = piece if isinstance(piece, str) else _text(piece.name, arguments[piece.name])
        if isinstance(piece, Place) and not begun and text.startswith("-") and piece.name not in dashed:
            raise WordError(f"argument {piece.name!r} must not begin with -")
        begun = begun or bool(text)
        filled.append(text)
    return filled


def _text(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if "\0" in text:
        raise WordError(f"argument {name!r} must not hold a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WordError(f"argument {name!r} must not hold a lone surrogate") from error
    return text
