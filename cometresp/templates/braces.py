"""Text with {variables} -> its pieces. Pure.

    pieces("In {language}: {{x}}")  ->  ["In ", Variable("language"), ": {x}"]

A value that takes a variable's place is never read again: what looks like a variable in it is text.
"""

import re
from collections.abc import Mapping, Sequence

from cometresp.tuples import NamedTuple

_BRACES = re.compile(r"(\{\{|\}\})|\{([A-Za-z_][\w-]{0,63})\}|[{}]", re.ASCII)


class Variable(NamedTuple):
    name: str


Piece = str | Variable


def pieces(text: str) -> list[Piece]:
    """The text and the variables in it, in order. Raises ValueError, which says where, for a single brace."""
    found: list[Piece] = []
    plain, end = "", 0
    for match in _BRACES.finditer(text):
        plain += text[end : match.start()]
        end = match.end()
        doubled, name = match.groups()
        if doubled:
            plain += doubled[0]
        elif name:
            found += [plain, Variable(name)] if plain else [Variable(name)]
            plain = ""
        else:
            brace, line = match[0], text.count("\n", 0, match.start()) + 1
            raise ValueError(f"line {line}: a single {brace}: a variable is {{name}}, and {brace * 2} is a brace")
    plain += text[end:]
    return [*found, plain] if plain else found


def variables_of(found: Sequence[Piece]) -> list[str]:
    return list(dict.fromkeys(piece.name for piece in found if isinstance(piece, Variable)))


def filled(found: Sequence[Piece], values: Mapping[str, str]) -> str:
    """The text with the values in place of its variables."""
    return "".join(values[piece.name] if isinstance(piece, Variable) else piece for piece in found)
