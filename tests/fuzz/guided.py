"""The same with atheris, which looks for inputs that reach new code: python -m tests.fuzz.guided TARGET SECONDS FOLDER.

It runs in a process of its own, since libFuzzer ends the process at the end, and since only modules that are imported
after atheris can be watched. What it found is left in FOLDER.
"""

import json
import os
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_WATCHED = ["cometresp", "httpx_sse"]
_LONGEST = "8192"  # bytes of an input
_HANGS_AFTER = "60"  # seconds for one input


def is_installed() -> bool:
    return find_spec("atheris") is not None


def main(name: str, seconds: float, folder: Path) -> None:
    atheris: Any = import_module("atheris")  # it has no types, and is installed on few machines
    with atheris.instrument_imports(include=_WATCHED):
        from tests.fuzz.target import load

        target = load(name)
    from tests.fuzz.engine import Report, finding

    report = Report()
    started = time.monotonic()

    def check(data: bytes) -> None:
        report.executions += 1
        report.seconds = time.monotonic() - started
        if found := finding(target.check, data):
            report.add(found)
        if report.seconds > seconds:
            write(folder / "report", report.executions, report.seconds, [f.data for f in report.findings.values()])
            os._exit(0)

    seeds = folder / "seeds"
    seeds.mkdir()
    for n, seed in enumerate(target.seeds):
        (seeds / str(n)).write_bytes(seed)
    words = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in target.words if word]
    (folder / "words").write_text("\n".join(words) + "\n")
    flags = [f"-artifact_prefix={folder}/", f"-dict={folder}/words", f"-max_len={_LONGEST}", f"-timeout={_HANGS_AFTER}"]
    atheris.Setup([sys.argv[0], *flags, "-verbosity=0", "-rss_limit_mb=0", str(seeds)], check)
    atheris.Fuzz()


def write(path: Path, executions: int, seconds: float, found: list[bytes]) -> None:
    path.write_text(json.dumps([executions, seconds, [data.decode("latin-1") for data in found]]))


def read(path: Path) -> tuple[int, float, list[bytes]]:
    """What `write` wrote: executions, seconds, and an input for each finding."""
    executions, seconds, found = json.loads(path.read_text())
    return executions, seconds, [data.encode("latin-1") for data in found]


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
