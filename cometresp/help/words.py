"""Which words of a command line are flags, their values, and words of the prompt.

A word that begins with `-` and a letter, or with `--` and a letter, is a flag, or a wrong one. Any other, such as `-5`,
`- item`, `->` or `---`, can't be mistaken for a flag: it is a word of the prompt.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from cometresp.tuples import NamedTuple


class Piece(NamedTuple):
    """One word of a command line; a flag with the value that belongs to it.

    `name` is the flag without its value. `value` is None where the flag has none, or takes none. `joined`: flag and
    value are one word, `--model=m` or `-mm`.
    """

    kind: Literal["flag", "word", "literal"]  # a literal stands behind `--`
    text: str
    name: str = ""
    value: str | None = None
    joined: bool = False
    option: Any = None  # Typer's; None for a flag that isn't known

    @property
    def typed(self) -> list[str]:
        return [self.text] if self.joined or self.value is None else [self.text, self.value]


def flags_of(params: Iterable[Any]) -> dict[str, Any]:
    """Name -> Typer's option, for the flags among a command's parameters."""
    options = (param for param in params if param.param_type_name == "option")
    return {name: option for option in options for name in (*option.opts, *option.secondary_opts)}


def looks_like_flag(word: str) -> bool:
    """Whether a word is a flag, or a wrong one, where it is no value of one; `-` and `--` aren't."""
    start = word[2:3] if word.startswith("--") else word[1:2]
    return word.startswith("-") and start.isascii() and start.isalpha()


def takes_value(option: Any) -> bool:
    return not (option.is_flag or option.count)


def read(args: Iterable[str], flags: Mapping[str, Any]) -> Iterator[Piece]:
    """The pieces of a command line, in its order, as Typer's parser finds them."""
    rest = iter(args)
    for word in rest:
        if word == "--":
            yield from (Piece("literal", word) for word in rest)
        elif not looks_like_flag(word):
            yield Piece("word", word)
        else:
            yield _flag(word, rest, flags)


def _flag(word: str, rest: Iterator[str], flags: Mapping[str, Any]) -> Piece:
    """The flag that a word is, with its value, which may be the next word."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        option = flags.get(name)
        if equals:
            return Piece("flag", word, name, value, joined=True, option=option)
        return Piece("flag", word, name, _value(option, rest), option=option)
    for end, letter in enumerate(word[1:], 2):
        option = flags.get(f"-{letter}")
        if option is None:
            return Piece("flag", word, f"-{letter}")
        if takes_value(option):
            glued = word[end:]
            return Piece("flag", word, f"-{letter}", glued or _value(option, rest), joined=bool(glued), option=option)
    return Piece("flag", word, word[:2], option=flags.get(word[:2]))


def _value(option: Any, rest: Iterator[str]) -> str | None:
    return next(rest, None) if option is not None and takes_value(option) else None


def with_flags_first(pieces: Iterable[Piece]) -> list[str]:
    """The same command line, in which no word can be taken for a flag: they all stand behind `--`."""
    pieces = list(pieces)
    typed = [word for piece in pieces if piece.kind == "flag" for word in piece.typed]
    return [*typed, "--", *(piece.text for piece in pieces if piece.kind != "flag")]
