"""A status line whose words change: `⠋ batch_ab12 is in progress · 3/10 done · 12 s`."""

import time

from cometresp.render.console import status_line
from cometresp.render.region import Redrawn, spinner
from cometresp.terminal import Terminal


class StatusLine(Redrawn):
    """A context: the line stands while its block runs; `text` may be set at any time."""

    def __init__(self, terminal: Terminal, text: str = "") -> None:
        super().__init__(terminal)
        self.text = text
        self._started = time.monotonic()

    def _lines(self, size: tuple[int, int]) -> list[str]:
        elapsed = time.monotonic() - self._started
        words = f"{spinner(self._terminal, elapsed)} {self.text} · {_shown(elapsed)}"
        return [status_line(words, self._terminal, size[0] - 1)] if self.text else []


def _shown(seconds: float) -> str:
    """`12 s`, `3:05`, `2:03:05`."""
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
