"""How help and messages write a flag, its value, and the words of a command line."""

from collections.abc import Iterable
from typing import Any

from cometresp.help.words import looks_like_flag, takes_value
from cometresp.text import shell_word

_KINDS = {"str": "TEXT", "text": "TEXT", "int": "N", "integer": "N", "float": "N", "path": "FILE"}


def metavar(option: Any) -> str:
    """What stands for an option's value in help and messages."""
    if option.metavar:
        return str(option.metavar)
    choices = getattr(option.type, "choices", ())
    return "|".join(str(getattr(one, "value", one)) for one in choices) or _KINDS.get(option.type.name, "VALUE")


def about(param: Any) -> str:
    """What a flag or an argument is for, as a hint: `--retries N: how often a failed request is tried again`."""
    name = next((name for name in param.opts if name.startswith("--")), "")
    shown = metavar(param) if not name else name if not takes_value(param) else f"{name} {metavar(param)}"
    text = (param.help or "").partition(". ")[0].rstrip(".")
    return f"{shown}: {text if text[1:2].isupper() else text[:1].lower() + text[1:]}"


def shown_words(words: Iterable[str], most: int = 60) -> str:
    """The words up to the first flag as they are typed, cut to `most` characters; `…` for what is left out."""
    shown: list[str] = []
    for word in words:
        typed = None if looks_like_flag(word) else shell_word(word)
        if typed is None or sum(map(len, shown)) + len(typed) > most:
            return " ".join([*shown, "…"])
        shown.append(typed)
    return " ".join(shown)
