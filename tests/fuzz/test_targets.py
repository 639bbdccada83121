"""Each target with some inputs, the same in every run: `python -m tests.fuzz` checks others, for longer."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import TARGETS
from tests.fuzz.edits import inputs
from tests.fuzz.target import load

EXAMPLES = {"streams": 100, "error_replies": 300}


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in TARGETS if name in EXAMPLES])
def test_what_must_hold_for_any_bytes_holds(name: str) -> None:
    target = load(name)

    @settings(
        max_examples=EXAMPLES[name],
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(inputs(target))
    def holds(data: bytes) -> None:
        target.check(data)

    holds()
