"""`--file` -> a content part (API 3.1): what a file is, by its content first, then by its name."""

import re
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from cometresp.errors import UsageError
from cometresp.request.content import DataUrl, FencedText, whole_text
from cometresp.request.files import shown_name, valid_text
from cometresp.request.kinds import (
    IMAGE_ENDINGS,
    encoding_of,
    frames_of,
    is_binary,
    kind_of,
    mime_of,
    opened_zip,
    zip_errors,
)
from cometresp.request.source import Source
from cometresp.text import Say, escape_line
from cometresp.wire.json import Json
from cometresp.wire.payload import HELD_BYTES
from cometresp.wire.urls import shown_url

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # one letter is a drive of Windows
_FILE_ID = re.compile(r"file-[A-Za-z0-9_-]{6,}")
_MAX_ROWS = 1000  # that the API reads of each sheet of a spreadsheet (API 9)


def remote(spec: str, file_as: str | None, detail: str | None) -> Json | None:
    """The part for a URL or a file id, whose content the server reads; None for a path."""
    if _ADDRESS.match(spec):
        return _address(spec, file_as, detail)
    if not _FILE_ID.fullmatch(spec) or Path(spec).exists():
        return None
    if file_as == "text":
        raise UsageError(f"--file: {spec} can't be sent as text, since only the server has its content")
    if file_as == "image":
        return {"type": "input_image", "file_id": spec, "detail": detail or "auto"}
    return {"type": "input_file", "file_id": spec}


def part_of(source: Source, name: str, file_as: str | None, detail: str | None, warn: Say) -> Json:
    """The part for a file's bytes. `name` is the file's name without its folder."""
    if not source.size:
        raise UsageError(f"--file: {source.shown} is empty")
    kind, mime, ending = kind_of(source, name)
    kind = file_as or kind
    if kind == "text":
        if not file_as and is_binary(source):
            raise UsageError(
                f"--file: {source.shown} holds binary data of no known type", hint="to send it: --file-as file"
            )
        return {"type": "input_text", "text": _text(source, name, warn)}
    mime = mime or mime_of(name)
    if kind == "image":
        _warn_about_image(source, mime, warn)
        mime = mime if mime.startswith("image/") else "image/png"
        return {"type": "input_image", "image_url": DataUrl(source, mime), "detail": detail or "auto"}
    if ending == ".xlsx":
        _warn_about_rows(source, warn)
    if ending and not file_as and not PurePosixPath(name).suffix:
        name += ending  # which tells the server how to parse the file (API 3.1)
    return {"type": "input_file", "filename": name, "file_data": DataUrl(source, mime)}


def replayed(source: Source, stand_in: str, warn: Say) -> "DataUrl | FencedText | str":
    """A file's string in a body, as in an earlier body of which only the stand-in was recorded."""
    if stand_in.startswith("data:"):
        return DataUrl(source, stand_in.removeprefix("data:").partition(";")[0])
    return _text(source, stand_in.partition(":\n")[0], warn)


def _text(source: Source, name: str, warn: Say) -> "str | FencedText":
    """A text file under its name, in a fence longer than any in the text; a large file is read when it is sent."""
    title = escape_line(name)
    if title.startswith(("```", "~~~")):  # else the name opens a fence
        title = f"./{title}"
    encoding = encoding_of(source.start)
    try:
        fenced = FencedText(source, title, encoding, "strict")
    except UnicodeDecodeError:
        _warn_replaced(source.shown, encoding, warn)
        fenced = FencedText(source, title, encoding, "replace")
    return fenced if source.size > HELD_BYTES else whole_text(fenced)


def decoded(data: bytes, shown: str, warn: Say) -> str:
    """UTF-8, or UTF-16 with a BOM; other bytes are replaced, with a warning."""
    encoding = encoding_of(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        _warn_replaced(shown, encoding, warn)
        return data.decode(encoding, "replace")


def _warn_replaced(shown: str, encoding: str, warn: Say) -> None:
    warn(f"{shown} is not valid {encoding.removesuffix('-sig').upper()}; invalid bytes were replaced")


def _address(url: str, file_as: str | None, detail: str | None) -> Json:
    """The part for a URL, which is sent, never fetched; the extension of its path decides whether it is an image."""
    shown, url = shown_name(shown_url(url)), valid_text(url)
    try:
        address = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"--file: {shown} is not an address: {error}") from error
    if address.scheme not in ("http", "https"):
        raise UsageError(f"--file: {shown}: only http: and https: addresses can be attached")
    if not address.hostname:
        raise UsageError(f"--file: {shown} has no host")
    if file_as == "text":
        raise UsageError(f"--file: {shown} can't be sent as text, since cometresp doesn't fetch addresses")
    ending = PurePosixPath(unquote(address.path)).suffix.lower()
    if file_as == "image" or (file_as is None and ending in IMAGE_ENDINGS):
        return {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    return {"type": "input_file", "file_url": url}


# limits of the API that need the file's content (API 9) -------------------------------------------------------


def _warn_about_image(source: Source, mime: str, warn: Say) -> None:
    if mime.startswith("image/") and mime not in IMAGE_ENDINGS.values():
        warn(f"--file: {source.shown} is {mime}; the API takes images as PNG, JPEG, WEBP and GIF")
    elif mime == "image/gif" and frames_of(source) > 1:
        warn(f"--file: {source.shown} is animated; the API takes GIF images of 1 frame")


def _warn_about_rows(source: Source, warn: Say) -> None:
    with suppress(*zip_errors()), opened_zip(source) as archive:
        for member in archive.namelist():
            if not member.startswith("xl/worksheets/"):
                continue
            rows, carried = 0, b""
            with archive.open(member) as sheet:
                while rows <= _MAX_ROWS and (chunk := sheet.read(1 << 16)):
                    read = carried + chunk
                    rows += read.count(b"<row ") + read.count(b"<row>")
                    carried = read[-4:]
            if rows > _MAX_ROWS:
                warn(f"--file: {source.shown}: of each sheet the API reads the first {_MAX_ROWS} rows")
                return
