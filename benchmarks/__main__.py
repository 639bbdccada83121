"""What the command costs, beside others, as a Markdown table: `python -m benchmarks [NAME...] [--peers] [--quick]`.

    start        --version, help, --dry-run, completion
    ask          one request over http and https: the wall time, CPU, the first byte sent, the first delta printed
    deltas       200,000 and 1,000,000 deltas into a pipe: CPU, memory
    live         5,000, 10,000 and 20,000 deltas on a terminal
    files        1 MB and 50 MB sent with a prompt
    state        100,000 recorded turns
    batch        many requests from a file
    hostile      memory against servers that send without end
    together     64 processes with one state file, and `kill -9` of one again and again; exit code 1 if a turn is lost

A ratio compares runs that took turns with what it is compared with (A B A B); numbers are medians, in brackets the
quartiles. `pass` is `python -c pass`, `floor` the program in floor.py. What needs a tool that isn't there is skipped.
"""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator

from benchmarks import asking, attaching, batches, hostile, peers, recorded, starting, streaming, together
from benchmarks.ground import Ground, Plan, grounds
from benchmarks.table import HEAD, Row
from cometresp import __version__

GROUPS: dict[str, Callable[[Ground], Iterator[Row]]] = {
    "start": starting.rows,
    "ask": asking.rows,
    "deltas": streaming.deltas,
    "live": streaming.live,
    "files": attaching.rows,
    "state": recorded.rows,
    "batch": batches.rows,
    "hostile": hostile.rows,
    "together": together.rows,
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
    parser.add_argument(
        "--peers",
        action="store_true",
        help=f"also {', '.join(peers.PACKAGES)}, which pip installs into {peers.FOLDER.name}/",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes and one round: whether it works, not how fast")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which `together` kills [default: 1]")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in GROUPS]:
        parser.error(f"no benchmark {unknown[0]!r}: there are {', '.join(GROUPS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the home is removed, which may be large
    print(_machine())
    if asked.peers:
        print(", ".join(f"{name} {version}" for name, version in peers.install().items()))
    missed = 0
    plan = Plan(asked.runs, asked.quick, asked.peers, asked.seed)
    with grounds(plan) as ground:
        for name in asked.names or GROUPS:
            print(f"\n### {name}\n\n{HEAD}", flush=True)
            for row in GROUPS[name](ground):
                print(row.line(judged=not plan.quick), flush=True)
                missed += row.met is False
    print(f"\n{'budgets are not judged' if plan.quick else f'{missed} not met'}; {_load()}")


def _machine() -> str:
    python = f"Python {platform.python_version()}"
    return f"cometresp {__version__}, {python}, {platform.system()}, {os.cpu_count()} processors, {_load()}"


def _load() -> str:
    return "load average " + " ".join(f"{value:.1f}" for value in os.getloadavg())


if __name__ == "__main__":
    main()
