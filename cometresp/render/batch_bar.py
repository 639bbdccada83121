"""How far a batch is, at the bottom of a terminal: a bar, the counts, and what is waited for.

━━━━━━━━━━━━━━━━━━━━━╸━━━━━━━━━━━━━━  1,204 of 2,000 · 60 % · 20.1/s · 0:40 left
8 in flight · 2 rate limited · 1 failed · 12,000 → 30,100 tokens · ~$0.12
429: all paused 12 s
"""

from collections.abc import Callable

from rich.progress_bar import ProgressBar
from rich.text import Text

from cometresp.render.console import rendered
from cometresp.render.region import Redrawn
from cometresp.terminal import Terminal
from cometresp.tuples import NamedTuple

_LEAST_BAR = 10  # columns
_SPARE = 3  # columns; a `^C` that the terminal echoes must not wrap


class Progress(NamedTuple):
    """`rate` is per second; `left` in seconds, None where it isn't known. `waits` is what is waited for, or ""."""

    done: int
    total: int
    rate: float
    left: float | None
    in_flight: int
    failed: tuple[tuple[int, str], ...] = ()
    more: tuple[str, ...] = ()
    waits: str = ""


class BatchBar(Redrawn):
    def __init__(self, terminal: Terminal, look: Callable[[], Progress]) -> None:
        super().__init__(terminal)
        self._look = look

    def _lines(self, size: tuple[int, int]) -> list[str]:
        now, width = self._look(), size[0] - _SPARE
        lines = [self._bar(now, width), self._counts(now, width)]
        if now.waits:
            lines.append(self._line(Text(now.waits, style="yellow"), width))
        return lines[: max(size[1] - 1, 1)]

    def _bar(self, now: Progress, width: int) -> str:
        facts = Text(f"  {progress_words(now)}")
        columns = width - facts.cell_len
        if columns < _LEAST_BAR or self._terminal.encoding != "utf-8":
            return self._line(Text(progress_words(now)), width)
        bar = ProgressBar(total=max(now.total, 1), completed=now.done, width=columns)
        return rendered(bar, self._terminal, columns).rstrip("\n") + self._line(facts, width - columns)

    def _counts(self, now: Progress, width: int) -> str:
        line = Text(f"{now.in_flight} in flight", style="dim")
        for count, name in now.failed:
            line.append(" · ")
            line.append(f"{count:,} {name}", style="red")
        for words in now.more:
            line.append(f" · {words}")
        return self._line(line, width)

    def _line(self, text: Text, width: int) -> str:
        text.no_wrap, text.end = True, ""
        text.truncate(width, overflow="ellipsis")
        return rendered(text, self._terminal, width)


def progress_words(now: Progress) -> str:
    """`1,204 of 2,000 · 60 % · 20.1/s · 0:40 left`."""
    share = 100 * now.done // max(now.total, 1)
    words = [f"{now.done:,} of {now.total:,}", f"{share} %"]
    if now.rate:
        words.append(f"{now.rate:.1f}/s")
    if now.left is not None:
        words.append(f"{duration(now.left)} left")
    return " · ".join(words)


def duration(seconds: float) -> str:
    """`0:40`, `12:05`, `1:02:03`."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
