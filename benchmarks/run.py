"""Prints the cost of the command as ratios in one run: `python benchmarks/run.py`, with cometresp installed.

`pass` is `python -c pass` of the same interpreter. Times are the lower quartile of many runs, so that other load on the
machine counts little; CPU is user and system time of the child.
"""

import json
import os
import pty
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scripted import created, delta, ended, message, response, serving, sse, text_stream

COMMAND = [sys.executable, "-m", "cometresp"]
RUNS = 25
DELTAS = 200_000


def cost(words: list[str], environ: dict[str, str], runs: int = RUNS) -> tuple[float, float]:
    """(wall, CPU) in seconds of one run."""
    walls, cpus = [], []
    for _ in range(runs):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environ, check=True)
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return sorted(walls)[runs // 4], sorted(cpus)[runs // 4]


def on_terminal(words: list[str], environ: dict[str, str]) -> float:
    """CPU in seconds of one run whose stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    with suppress(OSError):  # the way a terminal says that its last writer has gone
        while os.read(ours, 65536):
            pass
    os.close(ours)
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak(words: list[str], environ: dict[str, str]) -> float:
    """The most memory, in MiB, that one run had: measured by a small parent, since a child begins with its parent's."""
    measure = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    words = [sys.executable, "-c", measure, *words]
    return (
        int(subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=environ, check=True).stdout) / 1024
    )


def prose(deltas: int) -> bytes:
    """Markdown of paragraphs, lists and code, eight characters to a delta."""
    text = ("A paragraph of *some* words.\n\n- one\n- two\n\n```py\nx = 1\n```\n\n" * deltas)[: deltas * 8]
    pieces = [delta(text[n : n + 8]) for n in range(0, len(text), 8)]
    return sse(created(), *pieces, ended(response(message(text))))


def row(name: str, ratio: float, bound: float, of: str) -> None:
    sys.stdout.write(f"{name:52} {ratio:6.2f} x {of:24} (at most {bound:g})\n")


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    script = Path(sys.executable).with_name("cometresp")
    command = [str(script)] if script.exists() else COMMAND
    with tempfile.TemporaryDirectory() as home, serving() as wire:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "COMETAPI_KEY": "x",
            "COMETAPI_BASE_URL": wire.url,
            "COMETAPI_DEFAULT_MODEL": "m",
        }
        wall, cpu = cost([sys.executable, "-c", "pass"], environ)
        row("--version, wall", cost([*command, "--version"], environ)[0] / wall, 2, "pass")
        row("ask --dry-run hi, wall", cost([*command, "ask", "--dry-run", "hi"], environ)[0] / wall, 8, "pass")
        wire.answer(text_stream("hello"))
        asked = cost([*command, "ask", "hi"], environ)
        row("ask hi, piped, local server, wall", asked[0] / wall, 13, "pass")
        row("ask hi, piped, local server, CPU", asked[1] / cpu, 13, "pass")
        events = [delta("word ")] * DELTAS
        whole = response(message("word " * DELTAS))
        wire.answer(sse(created(), *events, ended(whole)))
        frames = [json.dumps(event) for event in events]
        parsing = timed(lambda: [json.loads(frame) for frame in frames])
        streamed = cost([*command, "stream", "--no-save", "hi"], environ, 1)[1]
        row(f"stream, {DELTAS:,} deltas into a pipe, CPU", streamed / parsing, 4, "json.loads of each")
        wire.answer(text_stream("hello"))
        paper = Path(home, "paper.pdf")
        paper.write_bytes(b"%PDF-" + os.urandom(50_000_000))
        idle = peak([*command, "ask", "--no-save", "hi"], environ)
        above = peak([*command, "ask", "--no-save", "-q", "-f", str(paper), "hi"], environ) - idle
        row("attaching 50 MB, memory above that of ask hi, MiB", above, 40, "1 MiB")
        screen = environ | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "COLUMNS": "80", "LINES": "24"}
        wire.answer(prose(10_000))
        half = on_terminal([*command, "ask", "--no-save", "hi"], screen)
        wire.answer(prose(20_000))
        full = on_terminal([*command, "ask", "--no-save", "hi"], screen)
        plain = on_terminal([*command, "ask", "--no-save", "--plain", "-F", "text", "hi"], screen)
        row("live view, 20,000 deltas, CPU", full / half, 2.2, "10,000 deltas")
        row("live view, 20,000 deltas, CPU", full / plain, float("inf"), "plain text")


if __name__ == "__main__":
    main()
