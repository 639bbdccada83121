"""The first bytes that identify a file's type."""

from cometresp.wire.images import image_of

PDF, RTF, ZIP = b"%PDF-", b"{\\rtf", b"PK\x03\x04"


def is_known(start: bytes) -> bool:
    """Whether these are the first bytes of an image or a document, some of which contain no NUL byte."""
    return image_of(start) is not None or start.startswith((PDF, RTF, ZIP))
