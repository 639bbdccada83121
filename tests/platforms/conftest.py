"""The command at the border of Windows, see `windows`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Command, Forker
from tests.quick import Quick

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
    with Forker(PYTHONPATH=border) as process:
        yield process


@pytest.fixture
def on_windows(ask: Command, border: str) -> Command:
    """The command with a key, a model and the scripted server, without what Windows lacks; each in a process."""
    ask.environ["PYTHONPATH"] = border
    return ask


@pytest.fixture
def quick(on_windows: Command, forker_on_windows: Forker) -> Quick:
    """The same, in forks of one process."""
    return Quick.of(on_windows, forker_on_windows)
