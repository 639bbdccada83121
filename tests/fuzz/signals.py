"""Signals at random moments of a run on a terminal: `python -m tests.fuzz.signals --runs 200 [--seed N]`.

Each run is a stream, or a call of a tool. It gets one of five signals: half of the runs at a random time after their
start, the others after the answer or the call has begun. Then the exit code, the cursor, what is left of the processes
and the state file must be as they should. It prints a table, and what was wrong.
"""

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.jobs import cursor_is_hidden, job
from tests.scripted import STREAM_HEAD, Request, Wire, created, delta, ended, frames, message, response, serving
from tests.turns.tooling import answering, calling

SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGQUIT": 131, "SIGTSTP": 0, "SIGKILL": 137}
KINDS = ("stream", "tool")
_PIECES, _PAUSE = 40, 0.02  # of the stream
_LATEST = 1.5  # seconds after the start at which the signal comes at the latest
_LENGTH = 0.8  # seconds, less than an answer and a call take
_END = 10.0  # seconds in which all processes must have ended

# A tool that ends by itself, with a child that ignores SIGTERM.
_TOOLS = """
[[tool]]
name = "work"
description = "Works for a while"
read_only = true
command = ["sh", "-c", "(trap '' TERM; sleep 1; sleep 60) & sleep 1; kill -9 $!"]
"""
_CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "work", "arguments": "{}"}


class Case(NamedTuple):
    kind: str
    name: str  # of the signal
    begun: bool  # whether the answer, or the call, is on the terminal when the time starts to run
    after: float  # seconds


def _script(kind: str) -> list[Any]:
    if kind == "tool":
        return [calling(_CALL), answering("done")]
    words = [f"word{n} " for n in range(_PIECES)]

    def stream(_: Request, connection: Any) -> None:
        connection.sendall(STREAM_HEAD + frames([created()]))
        for word in words:
            connection.sendall(frames([delta(word)]))
            time.sleep(_PAUSE)
        connection.sendall(frames([ended(response(message("".join(words))))]))

    return [stream]


def check(case: Case, wire: Wire, environ: Mapping[str, str], folder: Path) -> list[str]:
    """What was wrong with one run."""
    (folder / "tools.toml").write_text(_TOOLS)
    wire.requests.clear()
    wire.answer(*_script(case.kind))
    words = ["stream", "hi"] if case.kind == "stream" else ["ask", "--functions", "tools.toml", "hi"]
    with job(words, environ, folder) as one:
        if case.begun:
            one.shows("word1 " if case.kind == "stream" else "work(")
        time.sleep(case.after)
        one.send(getattr(signal, case.name))
        news = one.stopped_or_ended()
        wrong = []
        if "stopped" in news:
            time.sleep(0.05)  # for the last bytes
            if cursor_is_hidden(one.screen):
                wrong.append("stopped with the cursor hidden")
            one.proceed()
            news = {"code": one.ended()}
    early = _early(one.screen)
    if news["code"] not in (SIGNALS[case.name], 0, *([1] if early else [])):  # 0: it was over before
        wrong.append(f"exit code {news['code']}")
    if case.name != "SIGKILL" and cursor_is_hidden(one.screen):
        wrong.append("ended with the cursor hidden")
    if (found := re.search(r"Traceback|a bug in|Exception ignored|core dumped", one.screen)) and not early:
        wrong.append(f"{found[0]} on the terminal: {one.screen[-600:]!r}")
    if left := _left(folder):
        wrong.append(f"processes are left: {left}")
    return wrong + _damage(folder)


def _early(screen: str) -> bool:
    """Whether Python was interrupted before it ran the first line of the program, which no program can help."""
    return "KeyboardInterrupt" in screen and "cometresp/" not in screen


def _left(folder: Path) -> list[str]:
    """The command lines of processes that still are in the folder of the runs after some seconds."""
    deadline = time.monotonic() + _END
    while left := [words for process in Path("/proc").glob("[0-9]*") if (words := _words(process, folder))]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def _words(process: Path, folder: Path) -> str:
    """The command line of a process in that folder, else ""."""
    with suppress(OSError):
        if (process / "cwd").readlink() == folder:
            return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _damage(folder: Path) -> list[str]:
    """What is wrong with the state file."""
    files = list(folder.rglob("state.db*"))
    wrong = [f"the state file was set aside: {file.name}" for file in files if "damaged" in file.name]
    for file in files:
        if file.name == "state.db":
            with closing(sqlite3.connect(file)) as database:
                result = database.execute("PRAGMA integrity_check").fetchone()[0]
            wrong += [] if result == "ok" else [f"state.db: {result}"]
    return wrong


def run(cases: list[Case], environ: Mapping[str, str], report: Callable[[Case, list[str]], None]) -> None:
    with serving() as wire, tempfile.TemporaryDirectory() as folder:
        given = {"HOME": folder, "COMETAPI_BASE_URL": wire.url, "COMETAPI_KEY": "k", "COMETAPI_DEFAULT_MODEL": "m"}
        for case in cases:
            report(case, check(case, wire, {**environ, **given}, Path(folder).resolve()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=200, help="of each signal")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    cases = [
        Case(KINDS[number % 2], name, number % 4 > 1, round(chance.random() * (_LATEST, _LENGTH)[number % 4 > 1], 4))
        for number in range(given.runs)
        for name in SIGNALS
    ]
    root = str(Path(__file__).parent.parent.parent)
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": root}
    counts: Counter[tuple[str, bool]] = Counter()

    def report(case: Case, wrong: list[str]) -> None:
        counts[case.name, not wrong] += 1
        for line in wrong:
            print(json.dumps([*case]), line, flush=True)

    run(cases, environ, report)
    for name in SIGNALS:
        print(f"{name:8} {counts[name, True]:5} good {counts[name, False]:5} wrong")
    return 1 if any(not good for _, good in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
