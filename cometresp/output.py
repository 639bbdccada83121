"""`--output FILE`: whole or not at all (design section 3)."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from cometresp.errors import OutputError, PipeClosedError


class FileSink:
    """Collects in `FILE.part`; `commit` renames it to FILE, `abandon` leaves it beside an untouched FILE.

    What isn't a regular file (a pipe, a device) is written through.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        try:
            mode = self.path.stat().st_mode if self.path.exists() else stat.S_IFREG
            if stat.S_ISDIR(mode):
                raise OutputError(f"--output: {path} is a directory")
            self.through = not stat.S_ISREG(mode)
            # beside the file itself, where FILE is a link to it: the rename must not replace the link
            self._target = self.path if self.through else self.path.resolve()
            self.part = self._target if self.through else self._target.with_name(self._target.name + ".part")
            self._file: BinaryIO = self.part.open("wb")
        except OSError as error:
            raise self._error(error) from error

    def write(self, data: bytes) -> None:
        try:
            self._file.write(data)
            self._file.flush()
        except BrokenPipeError as error:
            raise PipeClosedError from error
        except OSError as error:
            raise self._error(error) from error

    def commit(self) -> None:
        """The file appears, with the mode of the one that it replaces."""
        try:
            self._file.close()
            if self.through:
                return
            if self._target.exists():
                self.part.chmod(stat.S_IMODE(self._target.stat().st_mode))
            os.replace(self.part, self._target)  # noqa: PTH105 - the atomic one, also on Windows
        except OSError as error:
            raise self._error(error) from error

    def abandon(self) -> str:
        """Close what came; returns a sentence that says where it is, "" where nothing came."""
        self._file.close()
        if self.through:
            return ""
        if not self.part.stat().st_size:
            self.part.unlink()
            return ""
        return f"{self.path} is untouched; what came is kept as {self.part}"

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"--output: {self.path} can't be written: {error.strerror}")
