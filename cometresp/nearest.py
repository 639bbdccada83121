"""The name that was meant: a wrong suggestion is worse than none."""

import re
from collections.abc import Collection

_LEAST_PREFIX = 3  # letters of a name that is cut short
_SHORT = 3  # letters of a word in which one wrong letter makes another word


def nearest(typed: str, names: Collection[str]) -> str | None:
    """The one name that was probably meant, None where none or several are near."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", typed).lower().replace("_", "-")
    for found in (
        [name for name in names if _letters(name) == _letters(word)],
        [name for name in names if len(_letters(word)) >= _LEAST_PREFIX and name.startswith(word)],
        _closest(word, names),
        [name for name in names if _has_parts(word, name)],
    ):
        if len(found) == 1:
            return found[0]
    return None


def _letters(name: str) -> str:
    return name.replace("-", "")


def _closest(word: str, names: Collection[str]) -> list[str]:
    """The names at the least number of mistakes, which grows with the length of the word."""
    letters = len(_letters(word))
    most = 0 if letters < 3 else 1 if letters < 6 else 2  # noqa: PLR2004
    mistakes = {name: distance(word, name) for name in names if abs(len(name) - len(word)) <= most}
    least = min(mistakes.values(), default=most + 1)
    near = [name for name, count in mistakes.items() if count == least <= most]
    return near if letters > _SHORT else [name for name in near if set(word) <= set(name)]  # csh isn't zsh


def _has_parts(word: str, name: str) -> bool:
    """Whether a flag has all the parts of the word: --max-tokens of --max-output-tokens, but not of --no-max-tokens."""
    parts, of = word.strip("-").split("-"), name.strip("-").split("-")
    return name.startswith("--") and word.startswith("--") and set(parts) < set(of) and "no" not in set(of) - set(parts)


def distance(one: str, other: str) -> int:
    """The least number of letters to add, drop, replace or swap with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        current = [i]
        for j, wanted in enumerate(other, 1):
            best = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                best = min(best, before[j - 2] + 1)
            current.append(best)
        before, row = row, current
    return row[-1]
