"""Long answers: their deltas into a pipe, as text, `--json` and `--events`, and on a terminal; time and memory."""

import json
import time
from collections.abc import Callable, Iterator

from benchmarks.asking import BODY
from benchmarks.ground import Ground
from benchmarks.measure import MIB, Command, in_turn, peak, run, run_for_peak
from benchmarks.peers import peers
from benchmarks.servers import Answer, delta_data
from benchmarks.table import Row, alone, compared

SHAPES: dict[str, tuple[str, ...]] = {"text": (), "`--json`": ("--json",), "`--events`": ("--events",)}
BOUNDS = {"text": 3.0, "`--json`": 3.0, "`--events`": 2.5}
PROSE = "A paragraph of *some* words.\n\n- one\n- two\n\n```py\nx = 1\n```\n\n"


def deltas(ground: Ground) -> Iterator[Row]:
    count = ground.size(200_000, 200)
    ground.server.answer = Answer(count)
    frames = [delta_data(n, piece) for n, piece in enumerate(ground.server.answer.pieces(), 4)]
    programs = {name: ground.ours("stream", "--no-save", *words, "hi") for name, words in SHAPES.items()}
    programs["floor"] = ground.floor("hi")
    if curl := ground.curl(BODY):
        programs["curl"] = curl
    if ground.plan.peers:
        others = peers(ground, ground.server, "hi")
        programs["openai"] = next(peer.command for peer in others if peer.name.startswith("openai"))
    works = [cpu_of_loads(frames), *(cpu_of(command) for command in programs.values())]
    loads, *found = in_turn(works, ground.rounds(5))
    spent = dict(zip(programs, found, strict=True))
    for name in SHAPES:
        what = f"{count:,} deltas, {name}, CPU"
        yield compared(what, spent[name], loads, "`json.loads` of each, kept", bound=BOUNDS[name])
    for other in (name for name in ("floor", "curl", "openai") if name in spent):
        bound = 0.1 if other == "openai" else None
        yield compared(f"{count:,} deltas, text, CPU", spent["text"], spent[other], other, bound=bound)
    yield from _memory(ground, ground.size(1_000_000, 400))


def _memory(ground: Ground, count: int) -> Iterator[Row]:
    """The memory and the time of very many deltas."""
    ground.server.answer = Answer(1)
    idle = peak(ground.ours("stream", "--no-save", "hi"))
    ground.server.answer = Answer(count)
    size = len(ground.server.answer.whole) / MIB
    for name, words in SHAPES.items():
        command = ground.ours("stream", "--no-save", *words, "hi")
        most, sample = run_for_peak(command)
        took = f"{sample.cpu:.1f} s of CPU, {sample.wall:.1f} s"
        what = f"{count:,} deltas, {name}, memory above idle"
        yield alone(what, [most - idle], "MiB", bound=round(60 + size, 1), beside=took)


def live(ground: Ground) -> Iterator[Row]:
    counts = [ground.size(many, few) for many, few in ((5_000, 50), (10_000, 100), (20_000, 200))]
    environ = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    command = ground.ours("ask", "--no-save", "hi")._replace(terminal=True).with_words(**environ)
    plain = ground.ours("ask", "--no-save", "--plain", "-F", "text", "hi")._replace(terminal=True).with_words(**environ)

    def cpu_with(count: int, command: Command) -> Callable[[], float]:
        def work() -> float:
            ground.server.answer = Answer(count, PROSE, 8)
            return run(command).cpu * 1000

        return work

    works = [*(cpu_with(count, command) for count in counts), cpu_with(counts[-1], plain)]
    quarter, half, full, text = in_turn(works, ground.rounds(3))
    names = [f"{count:,} deltas" for count in counts]
    yield compared(f"live view, {names[1]}, CPU", half, quarter, names[0], bound=2.2)
    yield compared(f"live view, {names[2]}, CPU", full, half, names[1], bound=2.2)
    yield compared(f"live view, {names[2]}, CPU", full, text, "plain text")


def cpu_of(command: Command) -> Callable[[], float]:
    """Work that runs a command; its CPU in milliseconds."""
    return lambda: run(command).cpu * 1000


def cpu_of_loads(frames: list[str]) -> Callable[[], float]:
    """Work that reads each frame as JSON and keeps the values; its CPU in milliseconds.

    The budgets were set beside this. Without keeping them, which takes a third less, no value is there to be used.
    """

    def values() -> list[object]:
        return [json.loads(frame) for frame in frames]

    def work() -> float:
        began = time.process_time()
        values()
        return (time.process_time() - began) * 1000

    return work
