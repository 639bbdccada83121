"""How many inputs the tests of properties try: see the profiles in `conftest`."""

from typing import Any

from hypothesis import settings


def examples(count: int, **more: Any) -> settings:
    """Settings of a test that tries so many inputs, not 100, because each is dear or cheap; `explore` tries more."""
    return settings(max_examples=count * settings().max_examples // 100, **more)
