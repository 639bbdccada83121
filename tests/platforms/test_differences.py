"""What is done another way on another platform, each where its border is faked in this process."""

import errno
import os
import types
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any

import pytest

import cometresp.terminal
from cometresp.errors import PipeClosedError
from cometresp.settings import key_command
from cometresp.state.file import connect
from cometresp.state.patience import Patience
from cometresp.terminal import Terminal
from cometresp.text import command_words
from tests.conftest import Command
from tests.scripted import Wire, json_reply, message, response

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(
    ("command", "windows", "words"),
    [
        ("code --wait", True, ["code", "--wait"]),
        (r'"C:\Program Files\vim\vim.exe" -n', True, [r"C:\Program Files\vim\vim.exe", "-n"]),
        (r"C:\Users\O'Brien\edit.exe # -x", True, [r"C:\Users\O'Brien\edit.exe", "#", "-x"]),
        (r"'my editor' a\ b", False, ["my editor", "a b"]),
    ],
)
def test_a_command_has_the_words_of_its_platform(command: str, windows: bool, words: list[str]) -> None:
    assert command_words(command, windows=windows) == words


@pytest.mark.parametrize("windows", [True, False])
def test_a_quote_that_isnt_closed_is_no_command(windows: bool) -> None:
    with pytest.raises(ValueError, match="No closing quotation"):
        command_words('edit "a', windows=windows)


class _ClosedOnWindows(FileIO):
    """A pipe whose reader is gone, as Windows reports it."""

    def write(self, _: Any) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")


def test_a_pipe_without_a_reader_is_known_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cometresp.terminal, "os", types.SimpleNamespace(**{**vars(os), "name": "nt"}))
    reader, writer = os.pipe()
    with _ClosedOnWindows(writer, "w") as pipe, pytest.raises(PipeClosedError):
        Terminal(None, pipe, BytesIO()).write(b"x")
    os.close(reader)


def test_a_state_file_is_opened_by_a_path_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("C:\\Users\\Zoë & Co #1%41?\\state.db")  # here all of it is the name of one file
    path.touch()
    connect(path, Patience()).close()
    assert [(one.name, one.stat().st_size > 0) for one in tmp_path.iterdir()] == [(str(path), True)]


def test_no_image_gets_the_name_of_a_device(ask: Command, wire: Wire) -> None:
    image = {"type": "image_generation_call", "status": "completed", "result": PNG}
    images = [{**image, "id": name} for name in ("CON", "lpt1")]
    wire.answer(json_reply(response(*images, message("done"))))
    assert ask("ask", "--save-images", "pictures", "hi").code == 0
    assert sorted(path.name for path in (ask.home / "pictures").iterdir()) == ["image-1.png", "image-2.png"]


def test_the_processes_of_a_key_command_are_found_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/bin/ps").exists():
        pytest.skip("there is no /bin/ps")
    monkeypatch.setattr(key_command, "Path", lambda path: Path("/nowhere" + path))
    assert (os.getpid(), os.getppid()) in key_command.parents()
