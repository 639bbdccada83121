"""Generated images within the terminal's text: kitty's graphics protocol, and iTerm2's inline images.

Only what is known to be an image of a sane size is sent, encoded again here: no byte of it can control the terminal.
"""

import struct
import sys
import zlib
from binascii import b2a_base64
from contextlib import suppress

from cometresp.render.known import Images, image_protocol
from cometresp.terminal import Terminal
from cometresp.tuples import NamedTuple
from cometresp.wire.images import PNG, BrokenImageError, decoded, generated_images, image_of
from cometresp.wire.json import Json

_MOST_BYTES, _MOST_PIXELS, _LONGEST_SIDE = 16_000_000, 25_000_000, 10_000
_CHUNK = 4096  # characters of Base64 in one escape code of kitty
_CELL = (10, 20)  # pixels of a character's cell, where the terminal doesn't tell
_SHARE = 2 / 3  # of the rows that an image takes at most
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # bits, by PNG's colour type
_LEFT_OPEN = "\x1b\\\x1b_Gm=0,q=2;\x1b\\"  # ends an escape code, and the image of which only some chunks came


class Room(NamedTuple):
    """A terminal's columns and rows, and the pixels of a cell."""

    columns: int
    rows: int
    cell: tuple[int, int] = _CELL


def show_images(item: Json, terminal: Terminal, size: tuple[int, int]) -> None:
    """Show the generated image of an item on stdout, where the terminal is known to take images."""
    protocol = image_protocol(terminal.environ)
    for _, _, base64 in generated_images([item]) if protocol else ():
        if protocol is None or len(base64) > 2 * _MOST_BYTES:
            continue
        with suppress(BrokenImageError):
            code = inline(decoded(base64), protocol, Room(*size, _cell()))
            if code:
                _write(terminal, code)


def inline(data: bytes, protocol: Images, room: Room) -> bytes:
    """What is written to show an image, with a newline after it; b"" where it isn't one, or is too large."""
    if len(data) > _MOST_BYTES:
        return b""
    size = png_size(data)
    if size is None and (protocol == "kitty" or not _is_whole(data)):
        return b""
    key, cells = _extent(size, room)
    text = b2a_base64(data, newline=False)
    if protocol == "iterm":
        name = {"c": "width", "r": "height"}[key]
        head = f"\x1b]1337;File=inline=1;size={len(data)};{name}={cells};preserveAspectRatio=1:"
        return head.encode() + text + b"\a\n"
    chunks = [text[place : place + _CHUNK] for place in range(0, len(text), _CHUNK)]
    codes = []
    for n, chunk in enumerate(chunks):
        keys = f"a=T,f=100,q=2,{key}={cells}," if n == 0 else "q=2,"
        codes.append(f"\x1b_G{keys}m={int(n + 1 < len(chunks))};".encode() + chunk + b"\x1b\\")
    return b"".join(codes) + b"\n"


def png_size(data: bytes) -> tuple[int, int] | None:
    """The width and height of a well-formed PNG of a sane size; None for anything else."""
    size, place = None, len(PNG)
    kinds: list[bytes] = []
    if not data.startswith(PNG):
        return None
    while place + 12 <= len(data) and kinds[-1:] != [b"IEND"]:
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        if data[place + 8 + length : place + 12 + length] != struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
            return None
        if not kinds:
            size = _of_header(kind, body)
        kinds.append(kind)
        place += 12 + length
    return size if kinds[-1:] == [b"IEND"] and b"IDAT" in kinds else None


def _of_header(kind: bytes, body: bytes) -> tuple[int, int] | None:
    if kind != b"IHDR" or len(body) != 13:  # noqa: PLR2004 - as the format has it
        return None
    width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", body)
    sane = 0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE and width * height <= _MOST_PIXELS
    return (width, height) if sane and depth in _DEPTHS.get(colour, ()) else None


def _is_whole(data: bytes) -> bool:
    """Whether it is another image that iTerm2 takes, from its first bytes to its last."""
    image = image_of(data)
    kind = image.ending if image else ""
    if kind == ".webp":
        return int.from_bytes(data[4:8], "little") + 8 in (len(data), len(data) + 1)
    return (kind == ".jpg" and data.endswith(b"\xff\xd9")) or (kind == ".gif" and data.endswith(b";"))


def _extent(size: tuple[int, int] | None, room: Room) -> tuple[str, int]:
    """("c", columns) or ("r", rows), whichever keeps the image within the room; the other follows from its shape."""
    most_columns, most_rows = max(room.columns - 1, 1), max(int(room.rows * _SHARE), 1)
    if size is None:
        return "r", most_rows
    (width, height), (cell_width, cell_height) = size, room.cell
    columns = min(-(-width // cell_width), most_columns)
    rows = columns * cell_width * height / width / cell_height
    return ("r", most_rows) if rows > most_rows else ("c", columns)


def _cell() -> tuple[int, int]:
    """The pixels of a cell of the terminal on stdout."""
    if sys.platform != "win32":
        import fcntl
        import termios

        with suppress(OSError):
            rows, columns, width, height = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))
            if rows and columns and width >= columns and height >= rows:
                return width // columns, height // rows
    return _CELL


def _write(terminal: Terminal, code: bytes) -> None:
    """Write it at once, so that no other output comes within it; an interrupt leaves no code open."""
    try:
        terminal.write(code)
    except BaseException:
        terminal.write_stderr(_LEFT_OPEN)
        raise
