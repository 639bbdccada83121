"""Files sent with a prompt: their time and memory."""

import os
from collections.abc import Iterator
from functools import partial

from benchmarks.ground import Ground
from benchmarks.measure import commands_in_turn, in_turn, peak
from benchmarks.starting import cpus, walls
from benchmarks.table import Row, alone, compared


def rows(ground: Ground) -> Iterator[Row]:
    idle = ground.ours("ask", "--no-save", "hi")
    for size, bound in ((1, None), (ground.size(50, 2), 40.0)):  # MB
        paper = ground.home / f"{size}.pdf"
        paper.write_bytes(b"%PDF-" + os.urandom(size * 1_000_000))
        command = ground.ours("ask", "--no-save", "-q", "-f", str(paper), "hi")
        bare, attached = commands_in_turn([idle, command], ground.rounds(7))
        yield compared(f"attaching {size} MB, wall", walls(attached), walls(bare), "`ask hi`")
        yield compared(f"attaching {size} MB, CPU", cpus(attached), cpus(bare), "`ask hi`")
        least, most = in_turn([partial(peak, idle), partial(peak, command)], ground.rounds(3))
        above = [more - less for more, less in zip(most, least, strict=True)]
        yield alone(f"attaching {size} MB, memory above `ask hi`", above, "MiB", bound=bound)
        paper.unlink()
