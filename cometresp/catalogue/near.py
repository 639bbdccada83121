"""The models of a catalogue that an unknown name was probably meant for. Pure."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

_MOST = 3
_LIKENESS = 0.75  # of difflib; below it, names of other families come up


def near(name: str, ids: Sequence[str]) -> list[str]:
    """Up to three ids that are like the name, the likest first.

    Letters and digits are compared, of an id such as `openai/gpt-5.4` those behind the slash.
    """
    typed = _short(name)
    shorts: dict[str, list[str]] = {}
    for identifier in ids:
        shorts.setdefault(_short(identifier), []).append(identifier)
    likest = get_close_matches(typed, shorts, n=_MOST, cutoff=_LIKENESS)
    return [identifier for short in likest for identifier in shorts[short] if identifier != name][:_MOST]


def _short(name: str) -> str:
    return re.sub(r"[\W_]", "", name.rpartition("/")[2]).casefold()
