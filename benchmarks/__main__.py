"""What the command costs, beside others, as a Markdown table: `python -m benchmarks [NAME...] [--peers] [--quick]`.

    start        --version, help, --dry-run, completion

A ratio compares runs that took turns with what it is compared with (A B A B); numbers are medians, in brackets the
quartiles. `pass` is `python -c pass`, `floor` the program in floor.py. What needs a tool that isn't there is skipped.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator

from benchmarks import starting
from benchmarks.ground import Ground, grounds
from benchmarks.table import HEAD, Row
from cometresp import __version__

GROUPS: dict[str, Callable[[Ground], Iterator[Row]]] = {
    "start": starting.rows,
}


def main() -> None:
    """Prints the tables of some groups of benchmarks, or of all."""
    summary, _, rest = (__doc__ or "").partition("\n\n")
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=summary, epilog=rest, formatter_class=formatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(GROUPS)}; all if there is none")
    parser.add_argument("--runs", type=int, default=21, help="rounds of what is short [default: 21]")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one round: whether it works, not how fast")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in GROUPS]:
        parser.error(f"no benchmark {unknown[0]!r}: there are {', '.join(GROUPS)}")
    print(_machine())
    missed = 0
    with grounds(runs=1 if asked.quick else asked.runs, quick=asked.quick) as ground:
        for name in asked.names or GROUPS:
            print(f"\n### {name}\n\n{HEAD}", flush=True)
            for row in GROUPS[name](ground):
                print(row.line(), flush=True)
                missed += row.met is False
    print(f"\n{missed} not met; {_load()}")


def _machine() -> str:
    python = f"Python {platform.python_version()}"
    return f"cometresp {__version__}, {python}, {platform.system()}, {os.cpu_count()} processors, {_load()}"


def _load() -> str:
    return "load average " + " ".join(f"{value:.1f}" for value in os.getloadavg())


if __name__ == "__main__":
    main()
