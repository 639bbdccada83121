"""`cometresp emulator --record` and `--replay` on the command line, and what docs/record-replay.md shows of them."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cometresp.emulator.server import Emulator
from cometresp.recording.document import read
from tests.conftest import Command, Forker

DOCS = (Path(__file__).parents[2] / "docs" / "record-replay.md").read_text()
UPSTREAM = "https://api.cometapi.com/v1"
NEEDS_URL = "hint: as in --upstream https://api.cometapi.com/v1\n"
OWN = "can't be combined with --replay: it is for the emulator's own answers\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("--record r --replay r", 2, "--record: can't be combined with --replay\n"),
        ("--record r", 2, f"--record: needs --upstream\n{NEEDS_URL}"),
        ("--upstream https://x.example", 2, "--upstream: needs --record\n"),
        ("--insecure-http", 2, "--insecure-http: needs --record\n"),
        ("--loose", 2, "--loose: needs --replay\n"),
        ("--fast --record r --upstream https://x.example", 2, "--fast: needs --replay\n"),
        ("--replay r --fault html", 2, f"--fault: {OWN}"),
        ("--replay r --delay 1", 2, f"--delay: {OWN}"),
        ("--replay r --memory m", 2, f"--memory: {OWN}"),
        ("--replay r --fault-seed 1", 2, f"--fault-seed: {OWN}"),
        ("--replay nowhere", 2, "--replay: can't read the folder nowhere: No such file or directory\n"),
        ("--replay file", 2, "--replay: can't read the folder file: Not a directory\n"),
        (
            "--replay empty",
            2,
            "--replay: empty has no recordings\nhint: cometresp emulator --record DIR --upstream URL makes them\n",
        ),
        ("--replay damaged", 2, "--replay: damaged/0001-x.json:2: not valid JSON: Expecting ':' delimiter\n"),
        (
            "--record file --upstream https://x.example",
            73,
            "--record: can't write to the folder file: File exists\n",
        ),
        (
            "--record /dev/null/x --upstream https://x.example",
            73,
            "--record: can't write to the folder /dev/null/x: Not a directory\n",
        ),
        (
            "--record r --upstream ftp://x.example",
            2,
            "--upstream: 'ftp://x.example' is not a web address; it must start with https:// or http://\n"
            "hint: as in https://api.cometapi.com/v1\n",
        ),
        (
            "--record r --upstream https://me:word@x.example",
            2,
            "--upstream: a base URL has no user and password: 'https://x.example'\n"
            "hint: the clients of the recorder send them: by -H 'Authorization: …', or as a key\n",
        ),
        (
            "--record r --upstream http://x.example",
            2,
            "--upstream: keys would go over plain http to http://x.example/v1\n"
            "hint: use https, or --insecure-http where the network is trusted\n",
        ),
    ],
)
def test_what_cant_work_is_one_clear_line(run: Command, forker: Forker, words: str, code: int, message: str) -> None:
    (run.home / "file").touch()
    (run.home / "empty").mkdir()
    (run.home / "damaged").mkdir()
    (run.home / "damaged" / "0001-x.json").write_text('{"recording": 1,\n "request"}')
    assert list(forker.run(run, ["emulator", *words.split()])) == [code, "", f"cometresp: error: {message}"]
    assert sorted(path.name for path in run.home.iterdir()) == ["damaged", "empty", "file"]


def test_a_recorder_of_itself_is_refused(run: Command, forker: Forker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = ["--record", "r", "--port", port, "--upstream", f"http://localhost:{port}"]
    told = forker.run(run, ["emulator", *words])
    assert list(told) == [2, "", "cometresp: error: --upstream: is the address of the recorder itself\n"]


def test_a_recorder_that_is_ended_writes_what_it_has_first(run: Command) -> None:
    with Emulator() as emulator:
        words = ["emulator", "--record", "r", "--upstream", emulator.base_url]
        with run.popen(*words) as recorder:
            assert recorder.stdout is not None
            url = recorder.stdout.readline().decode().split()[-1]
            assert run("ask", "-m", "m", "Hello", env={"COMETAPI_BASE_URL": url}).code == 0
            recorder.send_signal(signal.SIGTERM)
            _, err = recorder.communicate(timeout=60)
    assert (recorder.returncode, err) == (143, b"cometresp: error: terminated\n")
    assert len([path for path in (run.home / "r").iterdir() if re.fullmatch(r"0001-[\w-]+\.json", path.name)]) == 1


# the documentation ----------------------------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)


@pytest.fixture
def shell(run: Command) -> Command:
    """The command's folder with the script of the page, and its environment with `cometresp` in the path."""
    [script] = blocks("bash")
    (run.home / "bin").mkdir()
    for name, text in (
        ("bin/cometresp", f'#!/bin/sh\nexec {sys.executable} -m cometresp "$@"\n'),
        ("summarize.sh", script),
    ):
        (run.home / name).write_text(text)
        (run.home / name).chmod(0o755)
    run.environ["PATH"] = f"{run.home / 'bin'}{os.pathsep}{run.environ['PATH']}"
    return run


def executed(shell: Command, *words: str) -> str:
    done = subprocess.run(words, cwd=shell.home, env=shell.environ, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr.decode().replace("cometresp: error: terminated\n", "")) == (0, "")
    return done.stdout.decode()


def test_the_examples_of_the_page_work(shell: Command) -> None:
    record, replay = blocks("sh")
    with Emulator() as emulator:
        shell.environ["COMETAPI_KEY"] = "sk-secret-1"
        recorded = executed(shell, "bash", "-ec", f"{record.replace(UPSTREAM, emulator.base_url)}wait || true\n")
    del shell.environ["COMETAPI_KEY"]
    assert "> Translate that to French." in recorded
    assert executed(shell, "bash", "-ec", f"{replay}wait || true\n") == recorded
    [test] = blocks("python")
    (shell.home / "test_summary.py").write_text(test)
    shown = executed(shell, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_summary.py")
    assert "1 passed" in shown


def test_the_file_of_the_page_is_a_recording() -> None:
    [text] = blocks("json")
    recorded = read(text.encode())
    assert recorded.request.body == {"model": "gpt-5.4", "input": "Hi", "stream": True}
    assert recorded.reply.body.startswith(b'event: response.created\ndata: {"type":"response.created","response":{"id"')
