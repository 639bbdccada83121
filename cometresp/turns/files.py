"""Files that a command writes: `--output FILE`, whole or not at all, `--id-file FILE` and `--save-images DIR`."""

import binascii
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cometresp.errors import OutputError, PipeClosedError
from cometresp.terminal import Masks, Terminal
from cometresp.wire.json import Json


class IdFile:
    """The file of `--id-file`, written as soon as the response id is known. `error` is set where that failed."""

    def __init__(self, path: str, terminal: Terminal) -> None:
        if not os.access(os.path.dirname(path) or ".", os.W_OK):  # noqa: PTH120 - as the user wrote it
            raise OutputError(f"--id-file: {path} can't be written: its folder isn't there or is read-only")
        self._path = path
        self._terminal = terminal
        self.error: OutputError | None = None

    def write(self, response_id: str) -> None:
        try:
            with open(self._path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as the user wrote it
                file.write(response_id + "\n")
        except OSError as error:
            self.error = OutputError(f"--id-file: {self._path} can't be written: {error.strerror}")
            self._terminal.warn(self.error.message)


class FileSink:
    """Writes to a temporary file; `commit` renames it to FILE, `abandon` to FILE.part and leaves FILE as it was.

    What isn't a regular file (a pipe, a device) is written through.
    """

    def __init__(self, path: str, masks: Masks | None = None) -> None:
        self.path = Path(path)
        self._masks = masks
        try:
            mode = _mode_of(self.path)
            if stat.S_ISDIR(mode):
                raise OutputError(f"--output: {path} is a directory")
            self.through = not stat.S_ISREG(mode)
            # next to the file that a link points to: the rename must not replace the link
            self._target = self.path if self.through else self.path.resolve()
            self._mode = stat.S_IMODE(self._target.stat().st_mode) if self._target.exists() else None
            if self.through:
                self._file: BinaryIO = self._target.open("wb")
                return
            import tempfile

            descriptor, name = tempfile.mkstemp(prefix=f".{self._target.name[:100]}.", dir=self._target.parent)
            self._temporary = Path(name)  # of this run alone, and private until it has its place
            self._file = os.fdopen(descriptor, "wb")
        except OSError as error:
            raise self._error(error) from error

    def write(self, data: bytes) -> None:
        try:
            self._file.write(self._masks.output(data) if self._masks else data)
            self._file.flush()
        except BrokenPipeError as error:
            raise PipeClosedError from error
        except OSError as error:
            raise self._error(error) from error

    def commit(self) -> None:
        """The file appears, with the mode of the one that it replaces."""
        try:
            self._file.close()
            if not self.through:
                self._place(self._target)
        except OSError as error:
            raise self._error(error) from error

    def abandon(self) -> str:
        """Keep what was received as FILE.part; returns a sentence about it, "" where nothing was received."""
        try:
            self._file.close()
            if self.through:
                return ""
            if not self._temporary.stat().st_size:
                self._temporary.unlink()
                return ""
            part = self._target.with_name(self._target.name + ".part")
            self._place(part)
        except OSError:
            return ""  # the run has failed already, with a better reason
        return f"{self.path} is untouched; what came is kept as {part}"

    def _place(self, path: Path) -> None:
        mask = os.umask(0)
        os.umask(mask)
        self._temporary.chmod(0o666 & ~mask if self._mode is None else self._mode)
        os.replace(self._temporary, path)  # noqa: PTH105 - the atomic one, also on Windows

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"--output: {self.path} can't be written: {error.strerror}")


def _mode_of(path: Path) -> int:
    """What the path is, a regular file where nothing is. Raises OSError for links that lead in a circle, too."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return stat.S_IFREG


def image_folder(path: str) -> Path:
    """The folder of `--save-images`, made where it isn't."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--save-images: {path} can't be made: {error.strerror}") from error
    return Path(path)


def save_images(output: Iterable[Json], folder: Path) -> Iterator[Path]:
    """Write each finished image of an output; a file that is there is never written over. Raises OutputError."""
    for number, item in enumerate(output, 1):
        if item.get("type") != "image_generation_call" or not isinstance(item.get("result"), str):
            continue
        try:
            data = binascii.a2b_base64(item["result"])
            name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(item.get("id") or ""))[:80] or f"image-{number}"
            yield _write_new(folder, name, _ending_of(data), data)
        except binascii.Error as error:
            raise OutputError(f"--save-images: the image of item {number} is not valid base64") from error
        except OSError as error:
            raise OutputError(f"--save-images: {folder} can't be written: {error.strerror}") from error


def _ending_of(data: bytes) -> str:
    from cometresp.request.magic import image_of

    if image := image_of(data):
        return image.ending
    return ".svg" if data.startswith(b"<svg") else ".bin"


def _write_new(folder: Path, name: str, ending: str, data: bytes) -> Path:
    for again in range(1, 1000):
        path = folder / (name + (f"-{again}" if again > 1 else "") + ending)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        return path
    raise OutputError(f"--save-images: {folder} holds a thousand files named {name}")
