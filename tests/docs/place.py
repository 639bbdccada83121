"""A folder with the files that examples name, and a shell in it that runs them."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.called import called
from tests.docs.examples import Example, files_of
from tests.docs.table import BEFORE, FILES, PROGRAMS, REPLACED, STANDARD_INPUT

_ID = re.compile(r"\b(?:resp|batch|call)_[0-9a-f]{8,32}\b|\b\d{14}[0-9a-f]{18}\b")
_LISTENS = "while kill -0 $! && ! grep -qs listening {out}; do sleep 0.02; done\n"


class Ended(NamedTuple):
    """What a statement came to."""

    example: Example
    code: int
    out: str
    err: str


@contextmanager
def callable_command() -> Iterator[Path]:
    """A folder of programs: `cometresp`, which runs in a fork of one process, and those that examples name."""
    with TemporaryDirectory() as folder:
        for name, text in PROGRAMS.items():
            Path(folder, name).write_text(f"#!/bin/sh\n{text}\n")
            Path(folder, name).chmod(0o755)
        with called(Path(folder)):
            yield Path(folder)


def furnish(home: Path, pages: list[str]) -> None:
    """Make the files that the examples of these pages name, a repository, and a template in the config folder."""
    for page in pages:
        for name, text in files_of(page).items():
            (home / name).write_text(text)
            (home / name).chmod(0o755)
    for name, content in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    who = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for words in (["init", "-q"], ["add", "src"], ["commit", "-qm", "Begin"]):
        subprocess.run(["git", *words], cwd=home, env=os.environ | who | {"HOME": str(home)}, check=True, timeout=60)
    (home / "src/a.py").write_text("print('changed')\n")


def run_page(home: Path, environ: dict[str, str], listed: list[Example], replaced: dict[str, str]) -> list[Ended]:
    """What the statements came to, in one shell, one after the other."""
    records = home.parent / "records"
    records.mkdir()
    before = next((text for page, text in BEFORE.items() if listed[0].page.startswith(page)), "true")
    script = ["set -o pipefail", f"{{ {before}; }} >/dev/null"]
    for number, example in enumerate(listed):
        text = example.text
        for old, new in (REPLACED | replaced).items():
            text = text.replace(old, new)
        script.append(_step(records / str(number), text, STANDARD_INPUT.get(example.text.split("  #")[0].strip(), "")))
    script.append("kill $(jobs -p) 2>/dev/null; wait")
    (records / "script").write_text("\n".join(script))
    words = ["bash", str(records / "script")]
    shell = subprocess.run(words, cwd=home, env=environ, capture_output=True, timeout=280, check=False)
    assert (shell.stdout, shell.stderr) == (b"", b"")
    return [
        Ended(
            example,
            int((records / f"{number}.code").read_text()),
            (records / f"{number}.out").read_text(),
            _ID.sub("…", (records / f"{number}.err").read_text()),
        )
        for number, example in enumerate(listed)
    ]


def _step(record: Path, text: str, stdin: str) -> str:
    """The lines of a script that run a statement and keep its exit code and what it prints."""
    out, err, code = (record.with_suffix(ending) for ending in (".out", ".err", ".code"))
    source = record.with_suffix(".in")
    source.write_text(stdin)
    ended = "echo $?"
    if re.match(r"cometresp emulator\b[^>]*$", text, re.DOTALL):  # it listens until it is ended
        text = text.split("  #", maxsplit=1)[0].rstrip(" &") + " &"
        ended = f"{_LISTENS.format(out=out)}echo 0"
    return f"{{\n{text}\n}} >{out} 2>{err} <{source}; {{ {ended}; }} >{code} 2>/dev/null"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
