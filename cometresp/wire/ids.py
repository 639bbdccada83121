"""Which ids of a server are taken: those that can be printed, typed and put into a path as they are (API 12.17).

Servers name responses `resp_…`, by UUIDs, `chatcmpl-…`, base64 with `=` at its end (LiteLLM, a few hundred characters)
and paths with `/`, `:`, `@` or `~`. An id of other characters can steer a terminal, break a line or a shell command.
"""

import re

from cometresp.text import escape_line, quoted

LONGEST_ID = 1024
LONG_ID = 64  # characters; ids of OpenAI's own have 53
_START, _END = 20, 16  # the ends of gateways' ids tell them apart
_PLAIN = re.compile(r"(?!@|\.+$)[A-Za-z0-9._~:/+=@-]+")
_WORDS = ("-", "last", "new")  # which stand for something else where an id can be typed, as an `@` at the start does


def is_plain_id(given: str) -> bool:
    """Whether a server's id is taken."""
    return len(given) <= LONGEST_ID and _PLAIN.fullmatch(given) is not None and given not in _WORDS


def abridged_id(given: str) -> str:
    """An id in a message, escaped: of one that is as long as those of some gateways only `START...END`.

    Several ids can be shown alike. What can be typed is the short id of `state.ids.shown`.
    """
    return escape_line(given if len(given) <= LONG_ID else f"{given[:_START]}...{given[-_END:]}")


def refusal_of(given: str) -> str:
    """A sentence that refuses an id."""
    return f"the id {quoted(given)} is refused: an id has up to {LONGEST_ID} of a-z, A-Z, 0-9 and .-_~:/+=@"
