"""Questions on the terminal, whatever the standard streams are. What is asked is defined elsewhere."""

import sys
from contextlib import suppress
from typing import Any, BinaryIO

from cometresp import signals
from cometresp.console import NAMES


def ask(question: bytes, *, secret: bool = False) -> str | None:
    """The line that the user types, with its newline; "" at the end of input, None if there is no terminal."""
    kind = _SecretQuestion if secret else _Question
    try:
        with open(NAMES[0], "rb", buffering=0) as typed, open(NAMES[1], "wb", buffering=0) as shown:  # noqa: PTH123
            return kind(question, typed, shown).answer()
    except OSError:
        return None


class _Question:
    """A question on a terminal; it is put again after the program was stopped and continued."""

    def __init__(self, question: bytes, typed: BinaryIO, shown: BinaryIO) -> None:
        self._question = question
        self._typed = typed
        self._shown = shown

    def answer(self) -> str:
        """The line that was typed, "" at the end of input. Raises OSError."""
        signals.watch(self)
        try:
            self._put()
            line = self._read()
        except BaseException:  # an interrupt: the next output starts a new line
            with suppress(OSError):  # as where the terminal is gone, which is what the interrupt says
                self._shown.write(b"\n")
            raise
        finally:
            signals.unwatch(self)
            self.end()
        self._shown.write(b"\n")  # behind the end of the input, or a blank line behind the answer
        return line.decode(errors="replace")

    def _read(self) -> bytes:
        return self._typed.readline()

    def _put(self) -> None:
        self._shown.write(self._question.rstrip(b" "))
        _discard_typed(self._typed)
        self._shown.write(b" ")  # only now: whoever waits for the whole question types nothing that is discarded

    def pause(self) -> None:
        return

    def proceed(self) -> None:
        self._put()

    def end(self) -> None:
        return


class _SecretQuestion(_Question):
    """A question whose answer the terminal doesn't echo. While the program is stopped, and after it, it does again."""

    _before: list[Any] | None = None  # the settings of the terminal

    def _put(self) -> None:
        if sys.platform != "win32":
            import termios

            with suppress(termios.error):
                settings = termios.tcgetattr(self._typed)
                self._before = self._before or list(settings)
                settings[3] &= ~termios.ECHO
                termios.tcsetattr(self._typed, termios.TCSADRAIN, settings)
        super()._put()

    def _read(self) -> bytes:
        return _typed_unseen() if sys.platform == "win32" else super()._read()

    def pause(self) -> None:
        self.end()

    def end(self) -> None:
        if sys.platform == "win32" or self._before is None:
            return
        import termios

        with suppress(termios.error):
            termios.tcsetattr(self._typed, termios.TCSADRAIN, self._before)


def _discard_typed(terminal: BinaryIO) -> None:
    """Discard what was typed and not yet read: it was no answer to what is shown now. Raises OSError."""
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    try:
        termios.tcflush(terminal, termios.TCIFLUSH)
    except termios.error as error:
        raise OSError(*error.args) from error


def _typed_unseen() -> bytes:
    """What is typed at a console of Windows until Enter or Ctrl-Z. Raises KeyboardInterrupt for Ctrl-C."""
    line = ""
    if sys.platform == "win32":
        import msvcrt

        while not line.endswith(("\r", "\n", "\x1a", "\x03")):
            typed = msvcrt.getwch()
            line = line[:-1] if typed == "\b" else line + typed
    if line.endswith("\x03"):
        raise KeyboardInterrupt
    end = "" if line.endswith("\x1a") else "\n"
    return (line[:-1] + end).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
