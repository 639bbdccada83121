"""The prompt while it is edited and sent: a file of its own, which stays where the run fails, and is then named."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkstemp
from typing import TYPE_CHECKING, Self

from cometresp.editor import edit
from cometresp.errors import CometrespError, Hint, Next, OutputError, PipeClosedError, TurnError, UsageError
from cometresp.paths import MOST_HELD, read_file
from cometresp.runtime import Runtime
from cometresp.text import escape_line, shell_word, to_bytes

if TYPE_CHECKING:
    from cometresp.turns.record import Recorder


class Draft:
    """The file of `--edit`, as a context: it is removed after a run without an error.

    It is removed also where a response ended in an error, if its `recorder` has recorded the turn with its text.
    """

    def __init__(self, runtime: Runtime, verb: str) -> None:
        self._runtime = runtime
        self._verb = verb
        self._path: Path | None = None
        self.recorder: Recorder | None = None

    def edited(self, text: str) -> bytes:
        """What the user leaves in the editor, which opens with the text.

        Raises UsageError where it is empty or can't be read, or the editor fails, OutputError where no file can be
        written.
        """
        self._path = path = _new_file(self._runtime.config.state_dir, text)
        edit(str(path), self._runtime.terminal)
        try:
            data = read_file(str(path), MOST_HELD, only_regular=True)
        except FileNotFoundError:
            data = b""
        except OSError as error:
            self._path = None  # what the editor left there is no prompt
            raise UsageError(f"--edit: {escape_line(str(path))} can't be read: {error.strerror}") from error
        if not data.strip():
            self._remove()
            raise UsageError("--edit: the prompt is empty: nothing was sent")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        recorded = self.recorder is not None and self.recorder.keeps_text
        if error is None or isinstance(error, PipeClosedError) or (recorded and isinstance(error, TurnError)):
            self._remove()
        elif isinstance(error, CometrespError) and self._path is not None:
            error.and_hint(self._hint(self._path))

    def _hint(self, path: Path) -> Hint:
        typed = shell_word(str(path))
        return ("the prompt is kept: ", Next(self._verb, ("--edit", f"< {typed}" if typed else None)))

    def _remove(self) -> None:
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()
        self._path = None


def _new_file(folder: Path, text: str) -> Path:
    """A new private file with the text, beside the state file, else in the folder for temporary files."""
    for place in (folder, Path(gettempdir())):
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.mkdir(mode=0o700, exist_ok=True)
            number, name = mkstemp(".md", "prompt-", place)  # mode 0600
            with os.fdopen(number, "wb") as file:
                file.write(to_bytes(f"{text}\n" if text and not text.endswith("\n") else text))
        except OSError as error:
            reason = error.strerror
            continue
        return Path(name)
    raise OutputError(f"--edit: no file can be written in {folder}: {reason}")
