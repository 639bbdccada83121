"""`--file` -> a content part (API 3.1): what a file is, by its content first, then by its name."""

import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from cometresp.content import HELD_BYTES, DataUrl, FencedText, Source, whole_text
from cometresp.errors import UsageError
from cometresp.terminal import escape_line

Warn = Callable[[str], None]

_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
IMAGE_ENDINGS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
_OFFICE = "application/vnd.openxmlformats-officedocument"
# Files that are best read by the server, by their ending.
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
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FILE_ID = re.compile(r"file-[A-Za-z0-9_-]{6,}")
_PATTERN = re.compile(r"[*?\[]")
_UTF16, _UTF32 = (b"\xff\xfe", b"\xfe\xff"), b"\xff\xfe\x00\x00"
# What the shell puts there for <(command): a pipe whose writer runs, unlike a named pipe that nobody may ever open.
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")
_EXAMPLES = 3  # files that a hint names
_FRAME = re.compile(rb"\x21\xf9\x04.{4}\x00[\x21\x2c]", re.DOTALL)  # a GIF's graphic control extension
_FRAME_BYTES = 9
_MOST_ROWS = 1000  # of a spreadsheet's sheet that the API reads (API section 9)


def remote(spec: str, file_as: str | None, detail: str | None) -> dict[str, Any] | None:
    """The part for a URL or a file id, which the server reads; None for what is a path."""
    if _ADDRESS.match(spec):
        return _address(spec, file_as, detail)
    if not _FILE_ID.fullmatch(spec) or Path(spec).exists():
        return None
    if file_as == "text":
        raise UsageError(f"--file: {spec} can't be sent as text, since the server has it")
    if file_as == "image":
        return {"type": "input_image", "file_id": spec, "detail": detail or "auto"}
    return {"type": "input_file", "file_id": spec}


def part_of(source: Source, name: str, file_as: str | None, detail: str | None, warn: Warn) -> dict[str, Any]:
    """The part for a file's bytes. `name` is the file's, without its folder."""
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
        name += ending  # by which the server knows how to read it (API 3.1)
    return {"type": "input_file", "filename": name, "file_data": DataUrl(source, mime)}


def again(source: Source, before: str, warn: Warn) -> "DataUrl | FencedText | str":
    """The string that a file stood for in an earlier body, of which `before` is the stand-in."""
    if before.startswith("data:"):
        return DataUrl(source, before.removeprefix("data:").partition(";")[0])
    return _text(source, before.partition(":\n")[0], warn)


def open_file(flag: str, path: str) -> Source:
    """The file that a flag names; raises UsageError for what can't be read, before anything is sent."""
    shown = shown_name(path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a PathLike would hide a NUL in the name until later
        if stat.S_ISDIR(mode):
            raise UsageError(f"{flag}: {shown} is a directory", hint=_hint_for(flag, path, "*"))
        if stat.S_ISFIFO(mode) and not path.startswith(_DESCRIPTORS):
            raise UsageError(f"{flag}: {shown} is a named pipe", hint=f"use - for it: … < {shown}")
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and path != os.devnull:
            raise UsageError(f"{flag}: {shown} is a device")
        if not stat.S_ISREG(mode) or path.startswith(_DESCRIPTORS):  # nothing that could be found there again
            return Source(shown, "", Path(path).read_bytes())
        absolute = os.path.abspath(path)  # noqa: PTH100 - as it was named, links and all
        large = os.stat(path).st_size > HELD_BYTES  # noqa: PTH116
        return Source(shown, absolute, None if large else Path(path).read_bytes())
    except FileNotFoundError as error:
        parts = Path(path).parts
        first = next((n for n, part in enumerate(parts) if _PATTERN.search(part)), None)
        hint = _hint_for(flag, str(Path(*parts[:first])), str(Path(*parts[first:]))) if first is not None else ""
        raise UsageError(f"{flag}: can't read {shown}: {error.strerror}", hint=hint) from error
    except OSError as error:
        raise UsageError(f"{flag}: can't read {shown}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{flag}: can't read {shown}: {error}") from error


def _hint_for(flag: str, folder: str, pattern: str) -> str:
    """What to type instead of a folder or a pattern: the files, each with its flag."""
    import shlex

    try:
        found = sorted(path for path in Path(folder).glob(pattern) if path.is_file() and path.name[0] != ".")
    except (OSError, ValueError, NotImplementedError):
        found = []
    if not found or flag != "--file":
        return f"{flag} takes one file; name it"
    words = [f"-f {shlex.quote(shown_name(str(path)))}" for path in found[:_EXAMPLES]]
    more = f" … ({len(found)} files)" if len(found) > _EXAMPLES else ""
    return f"-f takes one file, and is repeated for more: {' '.join(words)}{more}"


def shown_name(name: str) -> str:
    """A file's name in a message: on one line, and no longer than one."""
    return escape_line(name, 200) or "''"


def whole_characters(word: str) -> str:
    """A word of the command line; bytes that weren't UTF-8 came as lone surrogates, which a name can't be sent with."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# what it is -------------------------------------------------------------------------------------------------------


def kind_of(source: Source, name: str) -> tuple[str, str, str]:
    """(image, file or text; MIME type; the ending that documents of that type have)."""
    start, ending = source.start, PurePosixPath(name).suffix.lower()
    for magic, mime in _IMAGES.items():
        if start.startswith(magic):
            return "image", mime, ""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image", "image/webp", ""
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
    if b"%PDF-" in start:  # readers take it within the first 1024 bytes
        return ".pdf"
    if start.startswith(b"{\\rtf"):
        return ".rtf"
    if not start.startswith(b"PK\x03\x04"):
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
    """The archive, as a context. Raises one of `zip_errors`, as does reading from it."""
    import zipfile
    from io import BytesIO

    return zipfile.ZipFile(BytesIO(source.data) if source.data is not None else source.path)


def zip_errors() -> tuple[type[Exception], ...]:
    """What a damaged, encrypted or unusual archive ends in."""
    import zipfile
    import zlib

    return zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError, KeyError, OverflowError


def mime_of(name: str) -> str:
    """By the ending, from Python's own table: the machine's would make requests differ from one to the next."""
    from mimetypes import MimeTypes

    return MimeTypes().guess_type(PurePosixPath(name).name)[0] or "application/octet-stream"


def _text(source: Source, name: str, warn: Warn) -> "str | FencedText":
    """A text file under its name, in a fence longer than any that it holds; a large one is read when it is sent."""
    title = escape_line(name)
    if title.startswith(("```", "~~~")):  # which would open a fence
        title = f"./{title}"
    encoding = encoding_of(source.start)
    try:
        fenced = FencedText(source, title, encoding, "strict")
    except UnicodeDecodeError:
        _warn_replaced(source.shown, encoding, warn)
        fenced = FencedText(source, title, encoding, "replace")
    return fenced if source.size > HELD_BYTES else whole_text(fenced)


def decoded(data: bytes, shown: str, warn: Warn) -> str:
    """UTF-8, or UTF-16 with a BOM; other bytes are replaced, with a warning."""
    encoding = encoding_of(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        _warn_replaced(shown, encoding, warn)
        return data.decode(encoding, "replace")


def encoding_of(start: bytes) -> str:
    return "utf-16" if start.startswith(_UTF16) and not start.startswith(_UTF32) else "utf-8-sig"


def _warn_replaced(shown: str, encoding: str, warn: Warn) -> None:
    warn(f"{shown} is not valid {encoding.removesuffix('-sig').upper()}; what isn't was replaced")


def _address(url: str, file_as: str | None, detail: str | None) -> dict[str, Any]:
    """A URL is passed on, never fetched; the ending of its path says whether it is an image."""
    shown, url = shown_name(url), whole_characters(url)
    try:
        address = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"--file: {shown} is not an address: {error}") from error
    if address.scheme not in ("http", "https"):
        raise UsageError(f"--file: {shown}: only http: and https: addresses can be attached")
    if not address.hostname:
        raise UsageError(f"--file: {shown} names no host")
    if file_as == "text":
        raise UsageError(f"--file: {shown} can't be sent as text, since addresses are not fetched here")
    ending = PurePosixPath(unquote(address.path)).suffix.lower()
    if file_as == "image" or (file_as is None and ending in IMAGE_ENDINGS):
        return {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    return {"type": "input_file", "file_url": url}


# limits of the API that need a look into the file (API section 9) ---------------------------------------------------


def _warn_about_image(source: Source, mime: str, warn: Warn) -> None:
    if mime.startswith("image/") and mime not in IMAGE_ENDINGS.values():
        warn(f"--file: {source.shown} is {mime}; the API takes images as PNG, JPEG, WEBP and GIF")
    elif mime == "image/gif" and frames_of(source) > 1:
        warn(f"--file: {source.shown} is animated; the API takes GIF images of 1 frame")


def frames_of(source: Source) -> int:
    """How many pictures a GIF holds, by the blocks that introduce one."""
    frames, carried = 0, b""
    for chunk in source.chunks():
        seen = carried + chunk
        frames += len(_FRAME.findall(seen))
        carried = seen[-(_FRAME_BYTES - 1) :]
    return frames


def _warn_about_rows(source: Source, warn: Warn) -> None:
    with suppress(*zip_errors()), opened_zip(source) as archive:
        for member in archive.namelist():
            if not member.startswith("xl/worksheets/"):
                continue
            rows, carried = 0, b""
            with archive.open(member) as sheet:
                while rows <= _MOST_ROWS and (chunk := sheet.read(1 << 16)):
                    seen = carried + chunk
                    rows += seen.count(b"<row ") + seen.count(b"<row>")
                    carried = seen[-4:]
            if rows > _MOST_ROWS:
                warn(f"--file: {source.shown}: of each sheet the API reads the first {_MOST_ROWS} rows")
                return
