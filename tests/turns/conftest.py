import pytest

from tests.conftest import Command
from tests.turns.tooling import TOOLS


@pytest.fixture
def tools(ask: Command) -> Command:
    (ask.home / "tools.py").write_text(TOOLS)
    return ask
