"""A folder with the files that examples name, and a shell in it that runs them."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.docs.examples import ROOT, Example, files_of
from tests.docs.table import BEFORE, FILES, PROGRAMS, REPLACED, STANDARD_INPUT

# The command as the examples call it: it hands its words, environment, folder and files to `tests.forked`, which has
# the program loaded.
_CALL = """#!{python} -IS
import _signal, _socket, marshal, os, sys  # what starts in a hundredth of a second

def is_open(number):
    try:
        return bool(os.fstat(number))
    except OSError:
        return False

numbers = [number for number in range(64) if is_open(number)]
files = b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)
call = marshal.dumps((sys.argv[1:], dict(os.environ), os.getcwd(), numbers))
server = _socket.socket(_socket.AF_UNIX)
server.connect({path!r})
sent = server.sendmsg([call], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
while sent < len(call):
    sent += server.send(call[sent:])
server.shutdown(_socket.SHUT_WR)
child = int(server.recv(10, _socket.MSG_WAITALL))
_signal.signal(_signal.SIGTERM, lambda *_: os.kill(child, _signal.SIGTERM))
code = int(server.recv(10, _socket.MSG_WAITALL))
sys.exit(code if code >= 0 else 128 - code)
"""
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
        path = f"{folder}/socket"
        programs = {name: f"#!/bin/sh\n{text}\n" for name, text in PROGRAMS.items()}
        for name, text in (*programs.items(), ("cometresp", _CALL.format(python=sys.executable, path=path))):
            Path(folder, name).write_text(text)
            Path(folder, name).chmod(0o755)
        environ = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", "LANG": "C.UTF-8"}
        words = [sys.executable, "-m", "tests.forked", path]
        with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, env=environ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield Path(folder)
            server.terminate()


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
