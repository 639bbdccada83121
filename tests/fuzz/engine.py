"""Many inputs, one after the other, and what was found; each finding as a short input."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.fuzz import ROOT
from tests.fuzz.edits import Mutator
from tests.fuzz.target import Target

_SHORTENED_FOR = 20.0  # seconds for each finding
_KEPT_SHARE = 0.002  # of the inputs that nothing was found with are changed further
Key = tuple[str, str]


class Finding(NamedTuple):
    """`key` is the same for inputs that fail for the same reason; `told` is the exception with its traceback."""

    key: Key
    data: bytes
    told: str


def finding(check: Callable[[bytes], None], data: bytes) -> Finding | None:
    """What this input shows; None if all holds."""
    try:
        check(data)
    except Exception as error:  # noqa: BLE001 - whatever comes out is the finding
        frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(ROOT)]
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        words = getattr(error, "kind", "")  # of findings that are all raised at one place
        return Finding((f"{type(error).__name__} {words}", where), data, "".join(traceback.format_exception(error)))
    return None


@dataclass
class Report:
    """How many inputs were checked in how many seconds, and the shortest input for each finding."""

    executions: int = 0
    seconds: float = 0.0
    findings: dict[Key, Finding] = field(default_factory=dict)

    def add(self, found: Finding) -> None:
        known = self.findings.get(found.key)
        if known is None or len(found.data) < len(known.data):
            self.findings[found.key] = found


def fuzz(target: Target, seconds: float, seed: int) -> Report:
    """Check the seeds, then inputs made from them, until the time is over."""
    report, mutator = Report(), Mutator(target, seed)
    started = time.monotonic()
    seeds = iter(target.seeds)
    keep_each = round(1 / _KEPT_SHARE)
    while (elapsed := time.monotonic() - started) < seconds:
        data = next(seeds, None)
        if data is None:
            data = mutator.make()
        report.executions += 1
        found = finding(target.check, data)
        if found is not None:
            report.add(found)
        elif report.executions % keep_each == 0:
            mutator.keep(data)
    report.seconds = elapsed
    return report


def shortened(check: Callable[[bytes], None], found: Finding, seconds: float = _SHORTENED_FOR) -> Finding:
    """The same finding with as few bytes as can be found in that time."""
    until = time.monotonic() + seconds
    size = max(len(found.data) // 2, 1)
    while size:
        place = 0
        while place < len(found.data):
            if time.monotonic() > until:
                return found
            less = finding(check, found.data[:place] + found.data[place + size :])
            if less is not None and less.key == found.key:
                found = less
            else:
                place += size
        size //= 2
    return found
