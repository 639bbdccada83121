"""The first bytes that identify a file's type."""

from typing import NamedTuple


class Image(NamedTuple):
    mime: str
    ending: str


_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", Image("image/png", ".png")),
    (b"\xff\xd8\xff", Image("image/jpeg", ".jpg")),
    (b"GIF87a", Image("image/gif", ".gif")),
    (b"GIF89a", Image("image/gif", ".gif")),
)
_WEBP = Image("image/webp", ".webp")
PDF, RTF, ZIP = b"%PDF-", b"{\\rtf", b"PK\x03\x04"


def image_of(start: bytes) -> Image | None:
    """The type of an image that the API takes (API 9); None for anything else."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _WEBP
    return next((image for magic, image in _IMAGES if start.startswith(magic)), None)


def is_known(start: bytes) -> bool:
    """Whether these are the first bytes of an image or a document, some of which contain no NUL byte."""
    return image_of(start) is not None or start.startswith((PDF, RTF, ZIP))
