"""python -m tests.fuzz TARGET --minutes 10: check a target with new inputs; without a target, list them.

Exits with 1 if anything was found.
"""

import argparse
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz import ROOT, TARGETS, guided
from tests.fuzz.engine import Finding, Report, finding, fuzz, shortened
from tests.fuzz.target import load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Check a target with new inputs.")
    parser.add_argument("target", nargs="?", choices=TARGETS, help="what is checked; all are listed without it")
    parser.add_argument("--minutes", type=float, default=1.0, help="for how long (default: 1)")
    parser.add_argument("--seed", type=int, default=None, help="the same inputs for the same number, without atheris")
    given = parser.parse_args()
    if given.target is None:
        for name in TARGETS:
            summary = (import_module(f"tests.fuzz.{name}").__doc__ or "").splitlines()[0]
            print(f"{name:15} {summary}")
        return 0
    return run(given.target, given.minutes * 60, given.seed)


def run(name: str, seconds: float, seed: int | None) -> int:
    target = load(name)
    is_guided = target.is_guided and guided.is_installed() and seed is None
    if is_guided:
        report = run_guided(name, seconds)
    else:
        import random

        seed = random.randrange(1 << 32) if seed is None else seed
        report = fuzz(target, seconds, seed)
    how = "with atheris" if is_guided else f"with seed {seed}"
    rate = report.executions / report.seconds if report.seconds else 0.0
    print(f"{name}: {report.executions} executions in {report.seconds:.0f} s ({rate:.0f}/s) {how}")
    for found in report.findings.values():
        short = shortened(target.check, found)
        print(f"\n{short.told}\n{name}.check({short.data!r})")
    print(f"{name}: {len(report.findings)} findings")
    return 1 if report.findings else 0


def run_guided(name: str, seconds: float) -> Report:
    with TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), folder]
        process = subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        check, report = load(name).check, Report()
        if (path := Path(folder, "report")).exists():
            report.executions, report.seconds, inputs = guided.read(path)
        else:  # the process ended early: an input that hangs, or kills it, is left in a file
            print(process.stderr.decode(errors="replace")[-4000:], file=sys.stderr)
            inputs = [path.read_bytes() for path in Path(folder).glob("*-*")]
            if not inputs:
                sys.exit("atheris ended without a report")
        for data in inputs:
            found = finding(check, data)
            report.add(found or unrepeated(data))
        return report


def unrepeated(data: bytes) -> Finding:
    return Finding(("once", repr(data)), data, "failed, hung or crashed once, and not when it was checked again\n")


if __name__ == "__main__":
    sys.exit(main())
