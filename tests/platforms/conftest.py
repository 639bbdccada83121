"""The command at the border of Windows, see `windows`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import AT_THE_START, Command, Forker, Result

_SITE = "from tests.platforms import windows\nwindows.install()\n"


@pytest.fixture(scope="session")
def border(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PYTHONPATH of a process that has the border."""
    if sys.platform != "linux":
        pytest.skip("the border is faked on Linux")
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(_SITE)
    return f"{site}:{Path(__file__).parent.parent.parent}"


@pytest.fixture(scope="session")
def forker_on_windows(border: str) -> Iterator[Forker]:
    forker = Forker({**AT_THE_START, "PYTHONPATH": border})
    yield forker
    forker.close()


@pytest.fixture
def on_windows(ask: Command, border: str) -> Command:
    """The command with a key, a model and the scripted server, without what Windows lacks; each in a process."""
    ask.environ["PYTHONPATH"] = border
    return ask


class Quick(Command):
    """The same, in forks of one process."""

    forker: Forker

    def __call__(self, *words: str, stdin: Any = None, env: dict[str, str] | None = None) -> Result:
        return self.forker.run(self, words, stdin=stdin, env=env)


@pytest.fixture
def quick(on_windows: Command, forker_on_windows: Forker) -> Quick:
    made = Quick(on_windows.home, on_windows.environ)
    made.forker = forker_on_windows
    return made
