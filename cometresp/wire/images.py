"""Generated images in an output (API 6.3), and the images that the API takes (API 9), by their first bytes."""

import re
from binascii import Error, a2b_base64
from collections.abc import Iterable, Iterator

from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json


class Image(NamedTuple):
    mime: str
    ending: str


PNG = b"\x89PNG\r\n\x1a\n"  # the first bytes of one
_IMAGES = (
    (PNG, Image("image/png", ".png")),
    (b"\xff\xd8\xff", Image("image/jpeg", ".jpg")),
    (b"GIF87a", Image("image/gif", ".gif")),
    (b"GIF89a", Image("image/gif", ".gif")),
)
_WEBP = Image("image/webp", ".webp")


class BrokenImageError(Exception):
    """An image that can't be decoded; the message says why."""


def image_of(start: bytes) -> Image | None:
    """The type of an image that the API takes (API 9); None for anything else."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _WEBP
    return next((image for magic, image in _IMAGES if start.startswith(magic)), None)


def generated_images(output: Iterable[Json]) -> Iterator[tuple[int, Json, str]]:
    """(number, item, Base64) of each item with a generated image; the Base64 of a completed one may be empty."""
    for number, item in enumerate(output, 1):
        result = item.get("result")
        if item.get("type") != "image_generation_call" or not isinstance(result, str):
            continue
        if result or item.get("status") == "completed":
            yield number, item, result


def decoded(base64: str) -> bytes:
    """The bytes of Base64 as servers write it: also a data URL, with line breaks, in the alphabet of URLs, unpadded.

    Raises BrokenImageError.
    """
    if re.match(r"data:[^,]{0,200};base64,", base64, re.IGNORECASE):
        base64 = base64.partition(",")[2]
    digits = "".join(base64.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        data = a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)
    except (Error, ValueError) as error:
        raise BrokenImageError("is not valid Base64") from error
    if not data:
        raise BrokenImageError("is empty")
    return data
