"""What precedes the API: a request's Host and Origin, which have to be of this machine, and the bytes of its body.

A web page whose name was made to lead to 127.0.0.1 (DNS rebinding) is stopped by the Host, one that posts to the
emulator's address from elsewhere by the Origin. The framing of bodies is that of RFC 9112.
"""

import email.errors
import ipaddress
import re
from collections.abc import Callable, Iterator
from email.message import Message
from io import BufferedIOBase
from urllib.parse import urlsplit

from cometresp.emulator.errors import ApiError

MAX_BODY = 750_000_000  # 512 MB of images in Base64 (API 9), and text
_MAX_HEAD = 65_536
_MAX_TRAILERS = 100
_MAX_DIGITS = 15  # of a length that is worth a comparison
_CHUNK_HEAD = 1024
_PIECE = 1 << 20
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{0,5})?", re.ASCII)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(;[^\r\n]*)?\r\n")
_SHORT_ADDRESS = re.compile(r"127(\.[0-9]{1,3}){1,2}")  # 127.1 is 127.0.0.1
_BROKEN_HEAD = (email.errors.MissingHeaderBodySeparatorDefect, email.errors.FirstHeaderLineIsContinuationDefect)


def check_head(headers: Message, target: str, version: str) -> None:
    """Raise ApiError for headers that are broken or too large (400, 431), and for those of a foreign page (403)."""
    if any(isinstance(defect, _BROKEN_HEAD) for defect in headers.defects):
        raise _bad("A header line has no name.")
    if sum(len(name) + len(value) for name, value in headers.items()) > _MAX_HEAD:
        raise ApiError(431, f"The headers are longer than {_MAX_HEAD} bytes.", code="headers_too_large")
    hosts = headers.get_all("Host") or []
    if len(hosts) > 1 or (not hosts and version != "HTTP/1.0"):
        raise _bad("Expected one Host header.")
    named = [*hosts, *([] if target.startswith("/") else [_authority_of(target)])]
    if foreign := [host for host in named if not is_loopback(host)]:
        text = f"The emulator answers only to loopback addresses and localhost, not to the host '{foreign[0][:255]}'."
        raise ApiError(403, text, code="forbidden_host")
    origins = headers.get_all("Origin") or []
    if foreign := [origin for origin in origins if not _is_loopback_origin(origin)]:
        text = f"The emulator answers only to pages of this machine, not to those of '{foreign[0][:255]}'."
        raise ApiError(403, text, code="forbidden_origin")


def is_loopback(authority: str) -> bool:
    """Whether a host, with or without a port, is this machine: localhost, 127.0.0.0/8 or ::1."""
    found = _AUTHORITY.fullmatch(authority.strip(" \t"))
    if not found:
        return False
    host = found[1].strip("[]").lower()
    if host == "localhost" or _SHORT_ADDRESS.fullmatch(host):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_loopback_origin(origin: str) -> bool:
    scheme, _, authority = origin.strip(" \t").partition("://")
    return scheme.lower() in ("http", "https") and is_loopback(authority)


def _authority_of(target: str) -> str:
    """The host of a request target that is a whole URL; "" if it has none, such as `*`."""
    try:
        return urlsplit(target).netloc
    except ValueError:
        raise _bad("The target of the request is no URL.") from None


def read_body(headers: Message, version: str, source: BufferedIOBase, begin: Callable[[], None]) -> bytes:
    """The body of a request; `begin` is called before it is read, if its head is right.

    Raises ApiError (400, 413) where its framing is wrong or it is too large, ConnectionError if it is cut short.
    """
    codings, lengths = headers.get_all("Transfer-Encoding") or [], headers.get_all("Content-Length") or []
    if codings:
        if lengths or version == "HTTP/1.0":
            raise _bad("Transfer-Encoding can't be combined with Content-Length or HTTP/1.0.")
        if [coding.strip(" \t").lower() for coding in codings] != ["chunked"]:
            raise _bad("The only supported Transfer-Encoding is chunked.")
        begin()
        return b"".join(_chunks(source))
    if not lengths:
        begin()
        return b""
    length = lengths[0].strip(" \t")
    if len(lengths) > 1 or not (length.isascii() and length.isdigit()):
        raise _bad(f"Invalid Content-Length: {', '.join(lengths)[:100]}")
    size = _bounded(length, 10)
    begin()
    return b"".join(_exactly(source, size))


def _chunks(source: BufferedIOBase) -> Iterator[bytes]:
    total = 0
    while size := _chunk_size(source):
        total += size
        _check_size(total)
        yield from _exactly(source, size)
        if source.readline(len(b"\r\n")) != b"\r\n":
            raise _bad("A chunk of the body is longer than its size.")
    for _ in range(_MAX_TRAILERS):
        line = source.readline(_CHUNK_HEAD)
        if line == b"\r\n":
            return
        if not line.endswith(b"\r\n"):
            break
    raise _bad("The trailers of the body don't end.")


def _chunk_size(source: BufferedIOBase) -> int:
    found = _CHUNK_SIZE.fullmatch(source.readline(_CHUNK_HEAD))
    if not found:
        raise _bad("Invalid size of a chunk in the body.")
    return _bounded(found[1].decode(), 16)


def _bounded(digits: str, base: int) -> int:
    """A length as a number. Raises ApiError (413) above the limit; Python refuses to read very many digits."""
    digits = digits.lstrip("0") or "0"
    size = int(digits, base) if len(digits) <= _MAX_DIGITS else MAX_BODY + 1
    _check_size(size)
    return size


def _check_size(size: int) -> None:
    if size > MAX_BODY:
        raise ApiError(413, f"The body is longer than {MAX_BODY} bytes.", code="body_too_large")


def _exactly(source: BufferedIOBase, size: int) -> Iterator[bytes]:
    """So many bytes in pieces, so that memory is taken only for what has come."""
    while size > 0:
        data = source.read(min(size, _PIECE))
        if not data:
            raise ConnectionError("the body was cut short")
        yield data
        size -= len(data)


def _bad(text: str) -> ApiError:
    return ApiError(400, text, code="bad_request_body")
