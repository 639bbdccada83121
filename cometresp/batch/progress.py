"""How far a batch is: a bar on a terminal, a line a minute anywhere else."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cometresp.batch.engine import Engine
from cometresp.batch.tally import name_of
from cometresp.runtime import Runtime
from cometresp.text import escape_line

if TYPE_CHECKING:
    from cometresp.render.batch_bar import Progress

_MINUTE = 60.0


@contextmanager
def showing(runtime: Runtime, engine: Engine) -> Iterator[None]:
    """The block in which the threads are at work."""
    terminal = runtime.terminal
    if terminal.quiet or (terminal.stdout_tty and not runtime.output.file):  # the lines themselves are seen
        yield
        return
    if terminal.stderr_tty and terminal.redraws and not runtime.plain:
        from cometresp.render.batch_bar import BatchBar

        bar = BatchBar(terminal, lambda: progress_of(engine))
        bar.attach()
        try:
            yield
        finally:
            bar.detach()
        return
    over = threading.Event()
    thread = threading.Thread(target=_tell, args=(runtime, engine, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _tell(runtime: Runtime, engine: Engine, over: threading.Event) -> None:
    while not over.wait(_MINUTE):
        runtime.terminal.write_line(escape_line(f"cometresp: {line_of(progress_of(engine))}") + "\n")


def line_of(now: "Progress") -> str:
    """The line of a minute."""
    from cometresp.render.batch_bar import progress_words

    failed = [f"{count} {name}" for count, name in now.failed]
    words = [progress_words(now), f"{now.in_flight} in flight", *failed, *now.more, now.waits]
    return " · ".join(filter(None, words))


def progress_of(engine: Engine) -> "Progress":
    from cometresp.catalogue.price import written
    from cometresp.render.batch_bar import Progress

    done, pause = engine.tally.snapshot(), engine.gate.pause
    given, made = done.usage.get("input_tokens"), done.usage.get("output_tokens")
    more = []
    if isinstance(given, int) and isinstance(made, int):
        more.append(f"{given:,} → {made:,} tokens")
    if done.cost is not None:
        more.append(written(done.cost))
    waits = ""
    if pause is not None and (seconds := pause.until - time.monotonic()) > 0:
        waits = f"{pause.reason}: all paused {math.ceil(seconds)} s"
    elif engine.stopping:
        waits = "ending: those in flight are waited for"
    elif engine.gate.allowed < engine.gate.jobs:
        waits = f"rate limited: at most {engine.gate.allowed} at once"
    return Progress(
        done.done,
        done.total,
        done.rate,
        done.left / done.rate if done.rate else None,
        engine.gate.in_flight,
        tuple((count, name_of(code)) for code, count in done.failed.items()),
        tuple(more),
        waits,
    )
