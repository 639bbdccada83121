"""Prompt words, standard input and files -> text and content parts (design section 2, API 3.1)."""

import base64
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from cometresp.errors import UsageError
from cometresp.terminal import Terminal, escape_line

_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
# Files that hold NUL bytes or are best read by the server, by their ending.
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".rtf": "application/rtf",
    ".epub": "application/epub+zip",
}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FILE_ID = re.compile(r"file-[A-Za-z0-9_-]{6,}")
_SOCKET_WAIT = 0.1  # how long a socket may take to show data or its end before it counts as idle
_NOTICE_AFTER = 1.0
_CHUNK = 1 << 16
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# What the shell puts there for <(command): a pipe whose writer runs, unlike a named pipe that nobody may ever open.
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the user said: the text, and the content parts of attachments, which go before it."""

    text: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.text and not self.parts


class Inputs:
    """Reads what the command line names. Standard input can be taken once, by whatever names it first.

    `named`: a flag that is read after the prompt names standard input, so that a pipe is no part of the prompt.
    """

    def __init__(self, terminal: Terminal, *, no_stdin: bool = False, named: bool = False) -> None:
        self._terminal = terminal
        self._no_stdin = no_stdin
        self._named = named
        self._taken_by = ""

    def text_of(self, flag: str, value: str) -> str:
        """The text of a flag that takes `@FILE`; `@-` is standard input, `@@` a literal `@`."""
        if not value.startswith("@"):
            return value
        if value.startswith("@@"):
            return value[1:]
        if value == "@-":
            return self._decode(self._stdin(f"{flag} @-"), "standard input")
        if value == "@":
            raise UsageError(f"{flag}: @ names no file", hint="@FILE, @- (standard input), or @@ for a literal @")
        return self.file_text(flag, value[1:])

    def file_text(self, flag: str, path: str) -> str:
        """The text of a file that a flag names without an `@`."""
        return self._decode(_file_bytes(flag, path), _shown(path))

    def prompt(self, words: list[str], files: list[str], file_as: str | None, detail: str | None) -> Prompt:
        """Join words, standard input and attachments; raises UsageError for what can't be read."""
        parts = [self._attach(spec, file_as, detail) for spec in files]
        pieces: list[str] = []
        run: list[str] = []
        for word in words:
            if word != "-":
                run.append(word)
                continue
            pieces.append(" ".join(run))
            run = []
            data = self._stdin("-")
            if not data:
                raise UsageError("-: standard input is empty")
            pieces.append(self._piece(data, parts, detail))
        pieces.append(" ".join(run))
        if not (self._taken_by or self._no_stdin or self._named) and (data := self._piped()):
            pieces.append(self._piece(data, parts, detail))
        return Prompt("\n\n".join(text for piece in pieces if (text := _without_newline(piece))), parts)

    # standard input ------------------------------------------------------------------------------------------------

    def _stdin(self, by: str) -> bytes:
        """All of standard input, for what names it outright."""
        if self._taken_by:
            raise UsageError(f"{by}: standard input was already read by {self._taken_by}")
        if self._no_stdin:
            raise UsageError(f"{by}: standard input is not read, because of --no-stdin")
        self._taken_by = by
        stream = self._terminal.stdin
        if stream is None or stream.closed:
            return b""
        if self._terminal.stdin_tty:
            raise UsageError(f"{by}: standard input is a terminal, which is never read", hint="pipe something in")
        return self._read_all(stream.fileno())

    def _piped(self) -> bytes:
        """What was piped in without being named: a pipe, a file from its start, a socket that is ready."""
        stream = self._terminal.stdin
        if stream is None or stream.closed or self._terminal.stdin_tty:
            return b""
        try:
            descriptor = stream.fileno()
            mode = os.fstat(descriptor).st_mode
        except OSError:
            return b""
        if stat.S_ISREG(mode):
            wanted = os.lseek(descriptor, 0, os.SEEK_CUR) == 0
        elif stat.S_ISSOCK(mode):
            wanted = _ready(descriptor, _SOCKET_WAIT)
        else:
            wanted = stat.S_ISFIFO(mode)
        if not wanted:
            return b""
        self._taken_by = "the prompt"
        return self._read_all(descriptor)

    def _read_all(self, descriptor: int) -> bytes:
        if not _ready(descriptor, _NOTICE_AFTER):
            self._terminal.note("waiting for standard input to end (--no-stdin reads none)")
        chunks = []
        try:
            while chunk := _read(descriptor):
                chunks.append(chunk)
        except OSError as error:
            raise UsageError(f"standard input can't be read: {error.strerror}") from error
        return b"".join(chunks)

    def _piece(self, data: bytes, parts: list[dict[str, Any]], detail: str | None) -> str:
        """Text of standard input; data with NUL bytes becomes an attachment where its type is known."""
        if not _is_binary(data):
            return self._decode(data, "standard input")
        kind, mime = _kind_of(data, "")
        if kind == "text" or not mime:
            raise UsageError(
                "standard input holds binary data of no known type", hint="to send it as a file: --file-as file -f -"
            )
        parts.append(_part(kind, data, mime, "stdin" + _ending(mime), detail))
        return ""

    # files ---------------------------------------------------------------------------------------------------------

    def _attach(self, spec: str, file_as: str | None, detail: str | None) -> dict[str, Any]:
        flag = "--file"
        if _ADDRESS.match(spec):
            return _remote_part(spec, file_as, detail)
        if _FILE_ID.fullmatch(spec) and not Path(spec).exists():
            if file_as == "text":
                raise UsageError(f"{flag}: {spec} can't be sent as text, since the server has it")
            if file_as == "image":
                return {"type": "input_image", "file_id": spec, "detail": detail or "auto"}
            return {"type": "input_file", "file_id": spec}
        piped = spec == "-"
        data = self._stdin("--file -") if piped else _file_bytes(flag, spec)
        name, shown = ("stdin", "standard input") if piped else (_whole_characters(Path(spec).name), _shown(spec))
        if not data:
            raise UsageError(f"{flag}: {shown} is empty")
        kind, mime = _kind_of(data, name)
        kind = file_as or kind
        if kind == "text":
            if not file_as and _is_binary(data):
                raise UsageError(
                    f"{flag}: {shown} holds binary data of no known type", hint="to send it: --file-as file"
                )
            return {"type": "input_text", "text": _fenced(name, self._decode(data, shown))}
        mime = mime or _mime_of(name)
        if kind == "image" and not mime.startswith("image/"):
            mime = "image/png"
        return _part(kind, data, mime, name, detail)

    def _decode(self, data: bytes, name: str) -> str:
        """UTF-8, or UTF-16 with a BOM; other bytes are replaced, with a warning."""
        encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            standard = encoding.removesuffix("-sig").upper()
            self._terminal.warn(f"{name} is not valid {standard}; what isn't was replaced")
            return data.decode(encoding, "replace")


def _ready(descriptor: int, seconds: float | None) -> bool:
    """Whether a read would return at once; where that can't be asked (Windows), yes."""
    import select

    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    except (OSError, ValueError):
        return True


def _read(descriptor: int) -> bytes:
    """The next bytes, b"" at the end; waited for also where another program made the pipe non-blocking."""
    while True:
        try:
            return os.read(descriptor, _CHUNK)
        except BlockingIOError:
            _ready(descriptor, None)


def _file_bytes(flag: str, path: str) -> bytes:
    shown = _shown(path)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a PathLike would hide a NUL in the name until later
        if stat.S_ISDIR(mode):
            raise UsageError(f"{flag}: {shown} is a directory", hint="name the files in it, as in DIRECTORY/*.txt")
        if stat.S_ISFIFO(mode) and not path.startswith(_DESCRIPTORS):
            raise UsageError(f"{flag}: {shown} is a named pipe", hint=f"use - for it: … < {shown}")
        if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and path != os.devnull:
            raise UsageError(f"{flag}: {shown} is a device")
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{flag}: can't read {shown}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{flag}: can't read {shown}: {error}") from error


def _is_binary(data: bytes) -> bool:
    return b"\0" in data and not data.startswith(_UTF16)


def _mime_of(name: str) -> str:
    """By the ending, from Python's own table: the machine's would make requests differ from one to the next."""
    from mimetypes import MimeTypes

    return MimeTypes().guess_type(PurePosixPath(name).name)[0] or "application/octet-stream"


def _shown(name: str) -> str:
    """A file's name in a message: on one line, and no longer than one."""
    return escape_line(name, 200) or "''"


def _kind_of(data: bytes, name: str) -> tuple[str, str]:
    """(image, file or text, MIME type) by content first, then by name."""
    for magic, mime in _IMAGES.items():
        if data.startswith(magic):
            return "image", mime
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image", "image/webp"
    if data.startswith(b"%PDF-"):
        return "file", "application/pdf"
    ending = PurePosixPath(name).suffix.lower()
    if ending in _DOCUMENTS and ending != ".pdf":
        return "file", _DOCUMENTS[ending]
    return "text", ""


def _ending(mime: str) -> str:
    return {"image/jpeg": ".jpg"}.get(mime) or "." + mime.rsplit("/", 1)[1]


def _part(kind: str, data: bytes, mime: str, name: str, detail: str | None) -> dict[str, Any]:
    url = f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
    if kind == "image":
        return {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    return {"type": "input_file", "filename": name, "file_data": url}


def _remote_part(url: str, file_as: str | None, detail: str | None) -> dict[str, Any]:
    """A URL is passed on, never fetched; the ending of its path says whether it is an image."""
    shown, url = _shown(url), _whole_characters(url)
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
    if file_as == "image" or (file_as is None and ending in _IMAGE_ENDINGS):
        return {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    return {"type": "input_file", "file_url": url}


def _fenced(name: str, text: str) -> str:
    """A text file under its name, in a fence longer than any that it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{escape_line(name)}:\n{fence}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"


def _whole_characters(word: str) -> str:
    """A word of the command line; bytes that weren't UTF-8 came as lone surrogates, which a name can't be sent with."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _without_newline(text: str) -> str:
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
