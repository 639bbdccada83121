"""Many requests with `batch`: how many a second, CPU and memory; beside `ask` with xargs and the openai package.

`python benchmarks/batch.py` has more of it: slow servers, and what is sent twice when it is killed.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import batch
from benchmarks.ground import Ground
from benchmarks.measure import in_turn
from benchmarks.peers import FOLDER
from benchmarks.table import Row, alone, compared

JOBS = 64

Found = tuple[float, float, float]  # seconds, seconds of CPU, MiB


def rows(ground: Ground) -> Iterator[Row]:
    home = ground.home / "batch"
    home.mkdir()
    few, many, asks = ground.size(1_000, 4), ground.size(20_000, 8), ground.size(100, 2)
    with batch.Server() as url:
        trial = _Trial(ground, home, url)
        works: list[Callable[[], Found]] = [
            partial(trial.batch, few),
            partial(trial.batch, many),
            partial(trial.asks, asks),
        ]
        if ground.plan.peers:
            works.append(partial(trial.with_openai, few))
        short, long, single, *others = in_turn(works, ground.rounds(3))
    for count, found in ((few, short), (many, long)):
        rates = [count / wall for wall, _, _ in found]
        yield alone(f"`batch` of {count:,} lines, {JOBS} at once", rates, "requests/s")
    yield compared(f"`batch` of {many:,} lines, memory", _memory(long), _memory(short), f"{few:,} lines", unit="MiB")
    each = _each(long, many)
    yield compared("`batch`, CPU of each request", each, _each(single, asks), "`xargs -P 8 cometresp ask`")
    for found in others:
        yield compared("`batch`, CPU of each request", each, _each(found, few), "asyncio and the openai package")
        walls, theirs = ([1000 * wall for wall, _, _ in some] for some in (short, found))
        yield compared(f"`batch` of {few:,} lines, wall", walls, theirs, "asyncio and the openai package")


def _each(found: list[Found], count: int) -> list[float]:
    """The CPU of each request in milliseconds."""
    return [1000 * cpu / count for _, cpu, _ in found]


def _memory(found: list[Found]) -> list[float]:
    return [memory for _, _, memory in found]


class _Trial:
    """Ways to send many requests to a server."""

    def __init__(self, ground: Ground, home: Path, url: str) -> None:
        self._ground, self._home, self._url = ground, home, url
        self._environ = dict(ground.ours(state=home).environ) | {"COMETAPI_BASE_URL": url, "COMETRESP_NO_STDIN": "1"}

    def batch(self, count: int) -> Found:
        source, out = self._lines(count), self._home / f"{count}.out"
        out.unlink(missing_ok=True)
        words = self._ground.ours("batch", str(source), "-j", str(JOBS), "-o", str(out)).words
        found = self._measured(*words)
        assert len(out.read_text().splitlines()) == count
        return found

    def asks(self, count: int) -> Found:
        ask = " ".join(self._ground.ours("ask", "'prompt number N'").words)
        return self._measured("sh", "-c", f"seq {count} | xargs -P 8 -I N {ask}")

    def with_openai(self, count: int) -> Found:
        script = self._home / "with_openai.py"
        script.write_text(batch._ASYNC)  # noqa: SLF001 - the other half of this benchmark
        python, out = FOLDER / "openai" / "bin" / "python", self._home / "openai.out"
        return self._measured(str(python), str(script), self._url, str(self._lines(count)), str(JOBS), str(out))

    def _lines(self, count: int) -> Path:
        path = self._home / f"{count}.jsonl"
        return path if path.exists() else batch.written_lines(path, count)

    def _measured(self, *words: str) -> Found:
        return batch.measured([*words], self._environ)
