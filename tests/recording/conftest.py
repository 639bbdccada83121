"""A recorder and a replayer in this process, on a folder of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cometresp.recording.folder import load
from cometresp.recording.recorder import RecordingServer, Reports, upstream
from cometresp.recording.replayer import Answers, ReplayingServer


@dataclass
class Tape:
    """A folder of recordings; `said` are the warnings of those who use it."""

    folder: Path
    said: list[str] = field(default_factory=list)

    @contextmanager
    def recording(self, url: str) -> Iterator[str]:
        """The base URL of a recorder of the server at this one."""
        reports = Reports(note=lambda _: None, warn=self.said.append)
        with RecordingServer(self.folder, upstream(url, loopback=True), reports) as recorder:
            yield recorder.base_url

    @contextmanager
    def replaying(self, *, loose: bool = False, fast: bool = True) -> Iterator[str]:
        with ReplayingServer(Answers(load(self.folder), loose=loose), self.said.append, fast=fast) as replayer:
            yield replayer.base_url

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def texts(self) -> list[str]:
        return [(self.folder / name).read_text() for name in self.names()]


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape(tmp_path / "recordings")
