"""Changes in the config file itself: whole or not at all, private, through links, and none of them lost."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cometresp.errors import CometrespError, ConfigError, OutputError
from cometresp.settings.editing import read, set_value, unset_value


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_private_and_so_is_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a/cometresp/config.toml"
    set_value(path, ("model",), "m")
    assert (path.read_text(), mode(path), mode(path.parent)) == ('model = "m"\n', 0o600, 0o700)
    assert names(path.parent) == ["config.toml"]


def test_a_file_keeps_its_mode_and_a_link_stays_one_but_a_key_makes_it_private(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles/config.toml", tmp_path / "config.toml"
    real.parent.mkdir()
    real.write_text("\ufeffmodel = 'x'\n")
    real.chmod(0o664)
    link.symlink_to("dotfiles/config.toml")
    set_value(link, ("plain",), True)
    assert (link.is_symlink(), real.read_text(), mode(real)) == (True, "\ufeffmodel = 'x'\nplain = true\n", 0o664)
    set_value(link, ("keys", "https://h/v1"), "k", private=True)
    assert (link.is_symlink(), read(link)["keys"], mode(real)) == (True, {"https://h/v1": "k"}, 0o600)
    assert (unset_value(link, ("keys",)), unset_value(link, ("keys",))) == (True, False)
    assert real.read_text() == "\ufeffmodel = 'x'\nplain = true\n\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"model = ", "not valid TOML: Invalid value (at end of document)"),
        (
            b"\xff",
            "the config file can't be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (b"a = 1\na = 2\n", "not valid TOML: Cannot overwrite a value (at line 2, column 6)"),
    ],
)
def test_a_damaged_file_is_an_error_and_stays_as_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    for change in (lambda: set_value(path, ("model",), "m"), lambda: unset_value(path, ("model",))):
        with pytest.raises(ConfigError) as raised:
            change()
        assert raised.value.message == f"{path}: {message}"
    assert (path.read_bytes(), names(tmp_path)) == (content, ["config.toml"])


def test_what_cant_be_written_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "lost").symlink_to("none/config.toml")
    os.mkfifo(tmp_path / "pipe")
    for name, message in (
        ("file/config.toml", "the config file can't be written: Not a directory"),
        ("lost", "the config file can't be written: No such file or directory"),
        ("pipe", "the config file can't be read: it is a named pipe"),
    ):
        with pytest.raises(CometrespError) as raised:
            set_value(tmp_path / name, ("model",), "m")
        assert (type(raised.value), raised.value.message) in (
            (OutputError, f"{tmp_path / name}: {message}"),
            (ConfigError, f"{tmp_path / name}: {message}"),
        )
    assert names(tmp_path) == ["file", "lost", "pipe"]


# Sets its own twenty settings, one after the other.
_WRITER = """
import sys
from pathlib import Path
from cometresp.settings.editing import set_value
for n in range(20):
    set_value(Path(sys.argv[1]), ("aliases", f"{sys.argv[2]}{n}"), "m")
"""


def test_processes_that_write_at_once_lose_no_change_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    seen: list[object] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(read(path))

    reader = threading.Thread(target=look)
    reader.start()
    try:
        writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in "abc"]
        assert [writer.wait() for writer in writers] == [0, 0, 0]
    finally:
        over.set()
        reader.join()
    assert read(path) == {"aliases": {f"{name}{n}": "m" for name in "abc" for n in range(20)}}
    assert len(seen) > 0  # and none of them was half a file, which raises
