"""The command `batch`."""

from collections.abc import Callable

import pytest

from tests.conftest import Command, Forker, Result


@pytest.fixture
def batch(ask: Command, forker: Forker) -> Callable[..., Result]:
    """Runs `batch`; the result's text is its lines."""
    return lambda *words, **more: forker.run(ask, ["batch", *words], **more)
