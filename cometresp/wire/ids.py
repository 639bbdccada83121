"""Which ids of a server are taken: those that can be printed, typed and put into a path as they are (API 12.17).

Servers name responses `resp_…`, by UUIDs, `chatcmpl-…`, base64 with `=` at its end (LiteLLM, a few hundred characters)
and paths with `/`, `:`, `@` or `~`. An id of other characters can steer a terminal, break a line or a shell command.
"""

import re

from cometresp.text import escape_line, quoted

LONGEST_ID = 1024
_SHOWN = 20  # characters of a long id: those of `resp_` tell the second and a bit more
_SLACK = 4  # so few more aren't worth a `…`
_PLAIN = re.compile(r"(?!@|\.+$)[A-Za-z0-9._~:/+=@-]+")
_WORDS = ("-", "last", "new")  # which stand for something else where an id can be typed, as an `@` at the start does


def is_plain_id(given: str) -> bool:
    """Whether a server's id is taken."""
    return len(given) <= LONGEST_ID and _PLAIN.fullmatch(given) is not None and given not in _WORDS


def short_id(given: str, unique: int = 0) -> str:
    """An id where it is only shown: the first 20 characters of a longer one, or the `unique` ones that tell it apart.

    `resp_67ccd2bed1ec8190…`; what stands before the `…` is a prefix that can be typed. Escaped.
    """
    length = max(_SHOWN, unique)
    return escape_line(given) if len(given) <= length + _SLACK else escape_line(given[:length]) + "…"


def refusal_of(given: str) -> str:
    """A sentence that refuses an id."""
    return f"the id {quoted(given)} is refused: an id has up to {LONGEST_ID} of a-z, A-Z, 0-9 and .-_~:/+=@"
