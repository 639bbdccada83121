"""The compression of replies: decoded piece by piece, and what can't be decoded (API 12.12).

httpx decodes a whole chunk at once: 64 KiB of the network may become 64 MiB, so that no limit could hold.
"""

import re
import zlib
from collections.abc import Iterator

import httpx

ACCEPTED = "gzip, deflate"  # what requests ask for

_GZIP, _DEFLATE = zlib.MAX_WBITS | 16, zlib.MAX_WBITS
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE, "x-deflate": _DEFLATE}
_DECODED = ("", "identity", *_WINDOWS)
_PIECE = 1 << 16  # bytes
_CONTROL = rb"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_LOOKED_AT = 4096  # bytes
_MOST = 5  # encodings of one body


class BrokenError(Exception):
    """The compressed bytes can't be decoded."""


def decoded(reply: httpx.Response) -> Iterator[bytes]:
    """The body as it comes, without its compression, in pieces of at most 64 KiB. Raises BrokenError.

    An encoding that isn't known is left as it is: see `unreadable`.
    """
    windows = [_WINDOWS[name] for name in reversed(_names(reply)) if name in _WINDOWS]
    if len(windows) > _MOST:
        raise BrokenError(f"{len(windows)} encodings, of which at most {_MOST} are undone")
    assert isinstance(reply.stream, httpx.SyncByteStream)
    pieces = iter(reply.stream)
    for window in windows:
        pieces = _inflated(pieces, window)
    yield from pieces


def _inflated(pieces: Iterator[bytes], window: int) -> Iterator[bytes]:
    """The bytes that zlib makes of these; what comes after their end is ignored."""
    stream = zlib.decompressobj(window)
    begun = False
    for given in _with_whole_header(pieces):
        rest, piece = given, b""
        while (rest or len(piece) == _PIECE) and not stream.eof:
            try:
                piece = stream.decompress(rest, _PIECE)
            except zlib.error as error:
                if begun or window != _DEFLATE:
                    raise BrokenError(str(error)) from error
                stream, begun = zlib.decompressobj(-zlib.MAX_WBITS), True  # some send it without its header
                continue
            begun, rest = True, stream.unconsumed_tail
            if piece:
                yield piece
    if piece := stream.flush():
        yield piece


def _with_whole_header(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, of which the first two, zlib's header, come together: by both of them it is known."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) > 1:
            break
    yield start
    yield from pieces


def unreadable(reply: httpx.Response, start: bytes | bytearray) -> str:
    """Why a body can't be read, as in `compressed with zstd, which was not asked for`; "" where it can.

    `start` are its first bytes, as they were decoded: they decide, since some servers name an encoding though the body
    is plain.
    """
    unknown = [name for name in _names(reply) if name not in _DECODED]
    if not unknown or _is_text(start[:_LOOKED_AT]):
        return ""
    asked = reply.request.headers.get("accept-encoding", "").lower()
    why = "can't be read here" if all(name in asked for name in unknown) else "was not asked for and can't be read"
    return f"compressed with {_listed(unknown)}, which {why}"


def compression(reply: httpx.Response) -> str:
    """The encodings of a body as an error names them: `gzip`, `gzip, deflate`."""
    return _listed(_names(reply))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_MOST] + ["…"] * (len(names) > _MOST))


def _names(reply: httpx.Response) -> list[str]:
    return [name.strip().lower() for name in reply.headers.get_list("content-encoding", split_commas=True)]


def _is_text(start: bytes | bytearray) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":  # the cut fell into a character
            return False
    return not re.search(_CONTROL, start)
