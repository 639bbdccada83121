"""What a file is: by its content first, then by its name (API 3.1)."""

import re
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from cometresp.request.magic import PDF, RTF, ZIP
from cometresp.request.source import Source
from cometresp.wire.images import image_of

_OFFICE = "application/vnd.openxmlformats-officedocument"

# Documents that the server parses, by their extension.
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".rtf": "application/rtf",
    ".epub": "application/epub+zip",
}

_IN_ZIP = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "ppt/presentation.xml": ".pptx"}
_UTF16, _UTF32 = (b"\xff\xfe", b"\xfe\xff"), b"\xff\xfe\x00\x00"
_FRAME = re.compile(rb"\x21\xf9\x04.{4}\x00[\x21\x2c]", re.DOTALL)  # a GIF's graphic control extension
_FRAME_BYTES = 9

IMAGE_ENDINGS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def kind_of(source: Source, name: str) -> tuple[str, str, str]:
    """("image", "file" or "text"; the MIME type; the extension of that type of document), the last two may be ""."""
    start, ending = source.start, PurePosixPath(name).suffix.lower()
    if image := image_of(start):
        return "image", image.mime, ""
    found = _document_ending(source)
    if not found and ending in _DOCUMENTS and (ending != ".pdf" or is_binary(source)):
        found = ending
    if found:
        return "file", _DOCUMENTS[found], found
    if ending in IMAGE_ENDINGS and is_binary(source):
        return "image", IMAGE_ENDINGS[ending], ""
    return "text", "", ""


def _document_ending(source: Source) -> str:
    start = source.start
    if PDF in start:  # PDF readers accept it anywhere in the first 1024 bytes
        return ".pdf"
    if start.startswith(RTF):
        return ".rtf"
    if not start.startswith(ZIP):
        return ""
    names: set[str] = set()
    with suppress(*zip_errors()), opened_zip(source) as archive:
        names = set(archive.namelist())
        if "mimetype" in names and archive.getinfo("mimetype").file_size < len(source.start):
            mime = archive.read("mimetype").decode("ascii", "replace").strip()
            return next((ending for ending, known in _DOCUMENTS.items() if known == mime), "")
    return next((ending for member, ending in _IN_ZIP.items() if member in names), "")


def is_binary(source: Source) -> bool:
    return source.has_nul and encoding_of(source.start) != "utf-16"


def opened_zip(source: Source) -> Any:
    """The archive, as a context manager. Opening and reading it raise `zip_errors`."""
    import zipfile
    from io import BytesIO

    return zipfile.ZipFile(BytesIO(source.data) if source.data is not None else source.path)


def zip_errors() -> tuple[type[Exception], ...]:
    """The exceptions that a damaged, encrypted or unusual archive can raise."""
    import zipfile
    import zlib

    return zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError, KeyError, OverflowError


def encoding_of(start: bytes) -> str:
    return "utf-16" if start.startswith(_UTF16) and not start.startswith(_UTF32) else "utf-8-sig"


def mime_of(name: str) -> str:
    """The MIME type for the name's extension, from Python's table: the system's differs from machine to machine."""
    from mimetypes import MimeTypes

    return MimeTypes().guess_type(PurePosixPath(name).name)[0] or "application/octet-stream"


def frames_of(source: Source) -> int:
    """The number of frames of a GIF, counted by the blocks that precede them."""
    frames, carried = 0, b""
    for chunk in source.chunks():
        read = carried + chunk
        frames += len(_FRAME.findall(read))
        carried = read[-(_FRAME_BYTES - 1) :]
    return frames
