"""The benchmarks run, and judge by the numbers that they are given. How fast anything is, no test asks."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks.measure import in_turn
from benchmarks.table import Row, alone, compared, skipped

ROOT = Path(__file__).parent.parent
TABLES = """\
cometresp N, Python N, SYSTEM, N processors, load average N N N

### start

| what | measured | beside | ratio | at most | met |
|---|---|---|---|---|---|
| `--version`, wall | N ms | pass: N ms | N | N |  |
| `--version`, CPU | N ms | pass: N ms | N | N |  |
| `ask -h`, wall | N ms | pass: N ms | N |  |  |
| `ask -h`, CPU | N ms | pass: N ms | N |  |  |
| `ask --dry-run hi`, wall | N ms | pass: N ms | N | N |  |
| `ask --dry-run hi`, CPU | N ms | pass: N ms | N | N |  |
| TAB after `ask --fo`, wall | N ms | pass: N ms | N |  |  |
| TAB after `ask --fo`, CPU | N ms | pass: N ms | N |  |  |
| TAB at the name of a chain, N turns, wall | N ms | pass: N ms | N |  |  |
| TAB at the name of a chain, N turns, wall | N ms | N turns: N ms | N |  |  |
| TAB at the name of a chain, N turns, CPU | N ms | N turns: N ms | N |  |  |

### live

| what | measured | beside | ratio | at most | met |
|---|---|---|---|---|---|
| live view, N deltas, CPU | N ms | N deltas: N ms | N | N |  |
| live view, N deltas, CPU | N ms | N deltas: N ms | N | N |  |
| live view, N deltas, CPU | N ms | plain text: N ms | N |  |  |

budgets are not judged; load average N N N
"""


def benchmarks(*words: str) -> tuple[int, str, str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", "LANG": "C.UTF-8", "COLUMNS": "200"}
    command = [sys.executable, "-m", "benchmarks", *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_group_prints_a_table_of_what_is_measured_beside_what_and_its_budget() -> None:
    code, out, err = benchmarks("--quick", "start", "live")
    shown = re.sub(r"\d[\d,.]*\d|\d", "N", out).replace(sys.platform.title(), "SYSTEM")
    assert (code, shown, err) == (0, TABLES, "")


def test_an_unknown_group_is_refused_with_the_names_of_all() -> None:
    names = "start, ask, deltas, live, files, state, batch, hostile, together"
    code, out, err = benchmarks("nope")
    assert (code, out, err.splitlines()[-1]) == (
        2,
        "",
        f"python -m benchmarks: error: no benchmark 'nope': there are {names}",
    )


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            compared("ask", [90.0, 80.0, 300.0], [100.0, 100.0, 100.0], "floor", bound=0.9),
            "| ask | 90.0 (85.0-195) ms | floor: 100 ms | 0.90 (0.85-1.95) | 0.9 | yes |",
        ),
        (
            compared("ask", [95.0, 80.0, 300.0], [100.0, 100.0, 100.0], "floor", bound=0.9),
            "| ask | 95.0 (87.5-198) ms | floor: 100 ms | 0.95 (0.88-1.98) | 0.9 | **no** |",
        ),
        (compared("ask", [2000.0], [1000.0], "llm"), "| ask | 2,000 ms | llm: 1,000 ms | 2.00 |  |  |"),
        (alone("memory", [41.0], "MiB", bound=40), "| memory | 41.0 MiB |  |  | 40 MiB | **no** |"),
        (alone("lag", [1.0, 1.0, 9.0, 9.0], "ms", bound=2), "| lag | 5.00 (1.00-9.00) ms |  |  | 2 ms | **no** |"),
        (alone("lost", [0], "turns", bound=0), "| lost | 0 turns |  |  | 0 turns | yes |"),
        (skipped("https", "there is no `openssl`"), "| https | skipped: there is no `openssl` |  |  |  |  |"),
    ],
)
def test_a_budget_is_met_by_the_median(row: Row, line: str) -> None:
    assert row.line() == line


def test_works_take_turns_and_a_first_round_is_not_counted() -> None:
    done: list[str] = []

    def work(name: str) -> int:
        done.append(name)
        return len(done)

    assert in_turn([partial(work, "A"), partial(work, "B")], 2) == [[3, 5], [4, 6]]
    assert done == ["A", "B"] * 3
