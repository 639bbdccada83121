"""Runs the matrix: `python -m tests.matrix [--write] [KIND…]` prints what ends otherwise than its table says."""

import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.conftest import Forker
from tests.matrix import page, table
from tests.matrix.fault import COMMANDS
from tests.matrix.rig import Rig
from tests.scripted import serving


def main(words: list[str]) -> int:
    kinds = [word for word in words if word != "--write"] or list(table.KINDS)
    changes = 0
    with serving() as wire, closing(Forker()) as forker, tempfile.TemporaryDirectory() as folder:
        rig = Rig.of(wire, forker, Path(folder))
        rig.prepare()
        for kind in kinds:
            known = table.read(kind) if table.path_of(kind).exists() else {}
            found = {}
            for n, fault in enumerate(table.faults_of(kind)):
                for command in COMMANDS:
                    case = (kind, fault.name, command)
                    found[case] = rig.run(fault, command, Path(folder, f"{kind}-{n}-{command}"))
                    if found[case] != known.get(case):
                        changes += 1
                        print(f"{case}\n  was {known.get(case)}\n  is  {found[case]}", flush=True)
            if "--write" in words:
                table.write(kind, found)
    if "--write" in words:
        page.PATH.write_text(page.made())
    return int(bool(changes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
