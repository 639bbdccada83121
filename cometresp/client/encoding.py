"""The compression of replies: names that httpx doesn't know, and bytes that it can't decode (API 12.12)."""

import re

import httpx

_SYNONYMS = {"x-gzip": "gzip", "x-deflate": "deflate"}
_DECODED = ("", "gzip", "deflate", "identity")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LOOKED_AT = 4096  # bytes


def name_as_registered(reply: httpx.Response) -> None:
    """Give the encodings of a reply the names that httpx knows. Do this before its body is read."""
    if "content-encoding" in reply.headers:
        names = _names(reply)
        reply.headers["content-encoding"] = ", ".join(_SYNONYMS.get(name, name) for name in names)


def unreadable(reply: httpx.Response, start: bytes | bytearray) -> str:
    """Why a body can't be read, as in `compressed with zstd, which was not asked for`; "" where it can.

    `start` are its first bytes, as httpx decoded them: they decide, since some servers name an encoding though the body
    is plain.
    """
    unknown = [name for name in _names(reply) if name not in _DECODED]
    if not unknown or _is_text(start[:_LOOKED_AT]):
        return ""
    asked = reply.request.headers.get("accept-encoding", "").lower()
    why = "can't be read here" if all(name in asked for name in unknown) else "was not asked for and can't be read"
    return f"compressed with {', '.join(unknown)}, which {why}"


def _names(reply: httpx.Response) -> list[str]:
    return [name.strip().lower() for name in reply.headers.get_list("content-encoding", split_commas=True)]


def _is_text(start: bytes | bytearray) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":  # the cut fell into a character
            return False
    return not _CONTROL.search(start)
