"""What a batch has come to so far: counts, tokens and cost. Written by many threads, read by the screen."""

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cometresp.calls.conversation import add_usage
from cometresp.errors import ExitCode
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.batch.result import Result

_WINDOW = 60.0  # seconds that the rate is of
_WORDS = {
    ExitCode.FAILED: "failed",
    ExitCode.INCOMPLETE: "incomplete",
    ExitCode.FILTERED: "refused by the model or a filter",
    ExitCode.CANCELLED: "cancelled",
    ExitCode.PENDING: "not ended",
    ExitCode.MISMATCH: "not as --schema says",
    ExitCode.REFUSED: "refused by the server",
    ExitCode.UNREACHABLE: "unreachable or cut",
    ExitCode.RATE_LIMITED: "rate limited",
    ExitCode.PROTOCOL: "not the Responses API",
    ExitCode.KEY: "key or quota",
}


def name_of(code: int) -> str:
    """What an exit code means, in a few words."""
    return _WORDS.get(ExitCode(code), "failed") if code in ExitCode._value2member_map_ else "failed"


class Snapshot(NamedTuple):
    """`total` is None until it is known; `done` counts what earlier runs have done, too. `rate` is per second."""

    total: int
    done: int
    earlier: int
    failed: dict[int, int]
    calls: int
    usage: Json
    cost: float | None
    rate: float
    retried: int
    seconds: float

    @property
    def failures(self) -> int:
        return sum(self.failed.values())

    @property
    def left(self) -> int:
        return max(self.total - self.done, 0)


class Tally:
    """`earlier` is how many requests earlier runs of the same output have done, `failed` those of them that failed."""

    def __init__(
        self, total: int, earlier: int = 0, failed: Mapping[int, int] | None = None, spent: float | None = None
    ) -> None:
        self.total = total
        self.retried = 0
        self.sent = 0
        self.in_a_row: tuple[int, int] = (0, 0)  # the exit code of the last failures, and how many there were
        self._earlier = earlier
        self._done = 0
        self.failed: Counter[int] = Counter(failed or {})
        self.failures = 0  # of this run
        self._calls = 0
        self._usage: Json = {}
        self._cost: float | None = spent
        self._started = time.monotonic()
        self._seconds: deque[tuple[int, int]] = deque(maxlen=int(_WINDOW))  # (second of the run, responses in it)
        self._lock = threading.Lock()

    @property
    def request_ids(self) -> list[str]:
        """None: there may be a million of them, and the output has each."""
        return []

    def add(self, result: "Result") -> None:
        with self._lock:
            self._done += 1
            second = int(time.monotonic() - self._started)
            count = self._seconds.pop()[1] if self._seconds and self._seconds[-1][0] == second else 0
            self._seconds.append((second, count + 1))
            if result.exit_code == ExitCode.CALL_OPEN:
                self._calls += 1
            if result.failed:
                self.failed[result.exit_code] += 1
                self.failures += 1
                code, count = self.in_a_row
                self.in_a_row = (result.exit_code, count + 1 if code == result.exit_code else 1)
            else:
                self.in_a_row = (0, 0)
            if result.usage:
                self._usage = add_usage(self._usage, dict(result.usage))
            if result.cost is not None:
                self._cost = (self._cost or 0.0) + result.cost

    def snapshot(self) -> Snapshot:
        with self._lock:
            elapsed = time.monotonic() - self._started
            recent = sum(count for second, count in self._seconds if second > elapsed - _WINDOW)
            return Snapshot(
                self.total,
                self._earlier + self._done,
                self._earlier,
                dict(sorted(self.failed.items())),
                self._calls,
                self._usage,
                self._cost,
                recent / max(min(elapsed, _WINDOW), 0.001),
                self.retried,
                elapsed,
            )
