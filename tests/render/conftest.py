import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminals import Tmux


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    server = Tmux(f"cometresp-{tmp_path.name}-{os.getpid()}")
    yield server
    subprocess.run(["tmux", "-L", server.name, "kill-server"], capture_output=True, check=False)
