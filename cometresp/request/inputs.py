"""Prompt words, standard input and files -> text and content parts (API 3.1)."""

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from cometresp.errors import UsageError, named_in_errors
from cometresp.paths import MOST_HELD, Reading
from cometresp.terminal import END_KEYS, Terminal
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

_SOCKET_WAIT = 0.1  # seconds to wait for data or the end of a socket before it is treated as idle
_CHUNK = 1 << 16
_WAITING = "waiting for standard input to end"
_STDIN = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


class Prompt(NamedTuple):
    """The user's input: the text, and the content parts of attachments, which are sent before it."""

    text: str = ""
    parts: Sequence[Json] = ()

    @property
    def empty(self) -> bool:
        return not self.text and not self.parts


class Slot(NamedTuple):
    """A place in the prompt of a template: of standard input ("stdin"), or of what is typed ("input")."""

    name: str


class Inputs:
    """Reads what the command line names. Standard input can be read once, by the first flag or word that names it.

    `named`: a flag that is read after the prompt names standard input, so a pipe is not part of the prompt. A file is
    read in a block of `reading`.
    """

    def __init__(
        self, terminal: Terminal, *, no_stdin: bool = False, named: bool = False, reading: Reading = nullcontext
    ) -> None:
        self._terminal = terminal
        self._reading = reading
        self._no_stdin = no_stdin
        self._named = named
        self._read_by = ""

    def text_of(self, flag: str, value: str) -> str:
        """The text of a flag that takes `@FILE`; `@-` is standard input, `@@` a literal `@`.

        Raises UsageError where there is none: nothing would be sent, or no JSON. Only a `--param` may be empty.
        """
        if not value.startswith("@"):
            return value
        if value.startswith("@@"):
            return value[1:]
        if value == "@":
            raise UsageError(f"{flag}: @ names no file", hint="@FILE, @- (standard input), or @@ for a literal @")
        if value == "@-":
            text = self._decode(self._stdin(f"{flag} @-"), "standard input")
        else:
            text = self.file_text(flag, value[1:])
        if not text.strip() and flag != "--param":
            from cometresp.request.files import shown_name

            raise UsageError(f"{flag}: {'standard input' if value == '@-' else shown_name(value[1:])} is empty")
        return text

    def file_text(self, flag: str, path: str) -> str:
        """The text of the file that a flag names, without an `@`."""
        from cometresp.request.files import open_file

        with self._reading(path):
            source = open_file(flag, path, most=MOST_HELD)
            return self._decode(b"".join(source.chunks()), source.shown)

    def prompt(self, words: list[str], files: list[str], file_as: str | None, detail: str | None) -> Prompt:
        """Words, standard input and attachments in one prompt. Raises UsageError for what can't be read."""
        if file_as is not None and not files:
            raise UsageError("--file-as goes with --file")
        parts = [self._attach(spec, file_as, detail) for spec in files]
        pieces: list[str] = []
        joined: list[str] = []
        for word in words:
            if word != "-":
                joined.append(word)
                continue
            pieces.append(" ".join(joined))
            joined = []
            data = self._stdin("-")
            if not data:
                raise UsageError("-: standard input is empty")
            pieces.append(self._piece(data, parts, detail))
        pieces.append(" ".join(joined))
        if not (self._read_by or self._no_stdin or self._named) and (data := self._piped()):
            pieces.append(self._piece(data, parts, detail))
        return Prompt("\n\n".join(text for piece in pieces if (text := without_newline(piece))), tuple(parts))

    def templated(
        self, pieces: Sequence[str | Slot], words: list[str], files: list[str], file_as: str | None, detail: str | None
    ) -> Prompt:
        """The same with the prompt of a template around it; what it has no place for stands behind it."""
        parts: list[Json] = []
        slots = {piece.name for piece in pieces if isinstance(piece, Slot)}
        texts = {"stdin": ""}
        if "stdin" in slots:
            data = self._stdin("{stdin} of the template")
            if not data:
                raise UsageError("{stdin} of the template: standard input is empty")
            texts["stdin"] = without_newline(self._piece(data, parts, detail))
        given = self.prompt(words, files, file_as, detail)
        if "input" in slots and given.empty:
            raise UsageError(
                "{input} of the template: there is no prompt", hint="words behind the flags take its place"
            )
        texts["input"] = given.text
        text = without_newline("".join(texts[piece.name] if isinstance(piece, Slot) else piece for piece in pieces))
        behind = given.text if "input" not in slots else ""
        return Prompt("\n\n".join(filter(None, (text, behind))), (*given.parts, *parts))

    def edited(self, data: bytes) -> str:
        """The text of a prompt that was edited in a file."""
        return without_newline(self._decode(data, "the edited prompt"))

    # standard input ------------------------------------------------------------------------------------------------

    def _stdin(self, by: str) -> bytes:
        """All of standard input, for a flag or word (`by`) that names it."""
        if self._read_by:
            raise UsageError(f"{by}: standard input was already read by {self._read_by}")
        if self._no_stdin:
            raise UsageError(f"{by}: standard input is not read, because of --no-stdin")
        self._read_by = by
        stream = self._terminal.stdin
        if stream is None or stream.closed:
            return b""
        if self._terminal.stdin_tty:
            what = "the prompt" if by == "-" else by
            self._terminal.note(f"reading {what} from the terminal: {END_KEYS} at the start of a line ends it")
            # From a console of Windows only the stream brings UTF-8: its descriptor has another encoding.
            read = getattr(stream, "read1", None) if os.name == "nt" else None
            return self._read_all(stream.fileno(), read=read)
        with named_in_errors(_WAITING):
            return self._read_all(stream.fileno(), _WAITING)

    def _piped(self) -> bytes:
        """Standard input that nothing names: a pipe, a file that wasn't read from yet, a socket that is ready."""
        stream = self._terminal.stdin
        if stream is None or stream.closed or self._terminal.stdin_tty:
            return b""
        try:
            descriptor = stream.fileno()
            mode = os.fstat(descriptor).st_mode
        except OSError:
            return b""
        if stat.S_ISREG(mode):
            is_input = os.lseek(descriptor, 0, os.SEEK_CUR) == 0
        elif stat.S_ISSOCK(mode):
            is_input = _ready(descriptor, _SOCKET_WAIT)
        else:
            is_input = stat.S_ISFIFO(mode)
        if not is_input:
            return b""
        self._read_by = "the prompt"
        with named_in_errors(_WAITING, "--no-stdin doesn't read it"):
            return self._read_all(descriptor, f"{_WAITING} (--no-stdin skips it)")

    def _read_all(self, descriptor: int, notice: str = "", read: Callable[[int], bytes] | None = None) -> bytes:
        """All that comes until the end; with a notice, once, if nothing comes for a while.

        `read` returns the next bytes, in place of the descriptor.
        """
        chunks, size = [], 0
        try:
            while True:
                if notice and not _ready(descriptor, self._terminal.notice_after):
                    self._terminal.tell_waiting(notice)
                    notice = ""
                if not (chunk := read(_CHUNK) if read else _read(descriptor)):
                    break
                chunks.append(chunk)
                size += len(chunk)
                if size > MOST_HELD:
                    raise UsageError(
                        f"standard input has more than {MOST_HELD / 1e6:.0f} MB",
                        hint="-f FILE attaches a file of any size",
                    )
        except OSError as error:
            raise UsageError(f"standard input can't be read: {error.strerror}") from error
        return b"".join(chunks)

    def _piece(self, data: bytes, parts: list[Json], detail: str | None) -> str:
        """The text of standard input; binary data of a known type is added to `parts` instead."""
        from cometresp.request.magic import is_known

        if b"\0" not in data and not is_known(data[:16]):
            return self._decode(data, "standard input")
        from cometresp.request import attachments
        from cometresp.request.kinds import is_binary, kind_of
        from cometresp.request.source import Source

        source = Source("standard input", "", data)
        unknown = kind_of(source, "")[0] == "text"
        if unknown and not is_binary(source):
            return self._decode(data, source.shown)
        if unknown:
            raise UsageError(
                "standard input holds binary data of no known type", hint="to send it as a file: --file-as file -f -"
            )
        parts.append(attachments.part_of(source, "stdin", None, detail, self._terminal.warn))
        return ""

    def _attach(self, spec: str, file_as: str | None, detail: str | None) -> Json:
        from pathlib import Path

        from cometresp.request import attachments
        from cometresp.request.files import open_file, valid_text
        from cometresp.request.source import Source

        if (part := attachments.remote(spec, file_as, detail)) is not None:
            return part
        if spec in ("-", *_STDIN):
            source, name = Source("standard input", "", self._stdin("--file -")), "stdin"
            return attachments.part_of(source, name, file_as, detail, self._terminal.warn)
        with self._reading(spec):
            source, name = open_file("--file", spec), valid_text(Path(spec).name)
            return attachments.part_of(source, name, file_as, detail, self._terminal.warn)

    def _decode(self, data: bytes, name: str) -> str:
        if data.isascii():  # the usual case, which needs no other module
            return data.decode()
        from cometresp.request.attachments import decoded

        return decoded(data, name, self._terminal.warn)


def _ready(descriptor: int, seconds: float | None) -> bool:
    """Whether a read returns at once within so many seconds; True where `select` doesn't work (Windows)."""
    import select

    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    except (OSError, ValueError):
        return True


def _read(descriptor: int) -> bytes:
    """The next bytes, b"" at the end. Waits even if another program made the pipe non-blocking."""
    while True:
        try:
            return os.read(descriptor, _CHUNK)
        except BlockingIOError:
            _ready(descriptor, None)


def without_newline(text: str) -> str:
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
