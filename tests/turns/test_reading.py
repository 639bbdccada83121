"""Files that flags and settings name: nothing is read without end, and nothing is waited for in silence."""

import os
import re
import signal
from pathlib import Path

import pytest

from cometresp.config import load
from cometresp.errors import ConfigError
from tests.conftest import Command
from tests.scripted import Wire, text_stream
from tests.terminals import on_terminal, plain
from tests.turns.test_files import in_shell

TOOLS = '[[tool]]\nname = "t"\ndescription = "d"\ncommand = ["true"]\n'
MOST = 256_000_000
TERABYTE = 1_000_000_000_000


def fifo(ask: Command, name: str) -> Path:
    os.mkfifo(ask.home / name)
    return ask.home / name


@pytest.mark.parametrize(
    ("words", "name", "content"),
    [
        (["--functions", "pipe.toml"], "pipe.toml", TOOLS),
        (["--chain", "c"], "pipe", "chain = 'x'\n"),
    ],
    ids=["--functions", "the config file"],
)
def test_a_named_pipe_is_waited_for_with_a_notice(
    ask: Command, wire: Wire, words: list[str], name: str, content: str
) -> None:
    wire.answer(text_stream("x"))
    pipe = fifo(ask, name)
    ask.environ["COMETRESP_CONFIG"] = str(pipe) if name == "pipe" else ""
    process = ask.popen("ask", "hi", "--verbose", *words)
    assert process.stderr is not None
    assert process.stderr.readline().decode() == f"waiting for {pipe if name == 'pipe' else name}\n"
    pipe.write_text(content)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, b"waiting" in err) == (0, b"x\n", False)


def test_a_wait_for_a_named_pipe_can_be_interrupted(ask: Command) -> None:
    fifo(ask, "pipe.json")
    process = ask.popen("ask", "hi", "--verbose", "--functions", "pipe.json")
    assert process.stderr is not None
    assert process.stderr.readline() == b"waiting for pipe.json\n"
    process.send_signal(signal.SIGINT)
    assert (process.communicate(timeout=60)[1], process.returncode) == (
        b"cometresp: error: interrupted while waiting for pipe.json\n",
        130,
    )


@pytest.mark.parametrize("words", [["--functions", "pipe.toml"], ["-f", "sparse"]])
def test_max_time_bounds_the_reading_of_files(ask: Command, wire: Wire, words: list[str]) -> None:
    fifo(ask, "pipe.toml")
    with (ask.home / "sparse").open("wb") as file:
        file.truncate(TERABYTE)
    name = words[1]
    what = f"{'waiting for' if name == 'pipe.toml' else 'reading'} {name}"
    error = f"cometresp: error: not finished within the 0.1 s of --max-time: {what}\n"
    assert list(ask("ask", "hi", "--max-time", "0.1", *words)) == [69, "", error]
    assert wire.requests == []


def test_the_reading_of_a_large_file_is_told(ask: Command) -> None:
    with (ask.home / "sparse").open("wb") as file:
        file.truncate(TERABYTE)
    process = ask.popen("ask", "hi", "--verbose", "-f", "sparse")
    assert process.stderr is not None
    assert process.stderr.readline().decode() == "reading sparse · 1000000.0 MB\n"
    process.terminate()
    assert (process.communicate(timeout=60)[1], process.returncode) == (
        "cometresp: error: terminated while reading sparse · 1000000.0 MB\n".encode(),
        143,
    )


def test_a_status_line_stands_while_a_large_file_is_read(ask: Command) -> None:
    with (ask.home / "sparse").open("wb") as file:
        file.truncate(TERABYTE)
    end = lambda pid: os.kill(pid, signal.SIGTERM)  # noqa: E731
    code, screen = on_terminal(ask, "ask", "hi", "-f", "sparse", when="MB · ".encode(), meanwhile=end)
    drawn, erased, after = screen.partition("\r\x1b[K\x1b[?25h")
    assert re.match(r". reading sparse · 1000000\.0 MB · \d+ s", plain(drawn).lstrip("\r"))
    assert (code, bool(erased), after) == (
        143,
        True,
        "cometresp: error: terminated while reading sparse · 1000000.0 MB\n",
    )


@pytest.mark.parametrize(
    ("words", "env", "code", "message"),
    [
        (["--functions", "zero.toml"], {}, 2, "--functions: zero.toml: it can't be read: it is a device"),
        (["--functions", "zero.py"], {}, 2, "--functions: zero.py: it is not a regular file"),
        (["--functions", "pipe.py"], {}, 2, "--functions: pipe.py: it is not a regular file"),
        (["-s", "@/dev/zero"], {}, 2, "--instructions: /dev/zero is a device"),
        (["--tool-output-file", "c=/dev/zero"], {}, 2, "--tool-output-file: /dev/zero is a device"),
        ([], {"COMETRESP_CONFIG": "/dev/zero"}, 78, "/dev/zero: the config file can't be read: it is a device"),
        ([], {"COMETRESP_CONFIG": "big"}, 78, "big: the config file can't be read: it has more than 1 MB"),
        (["--functions", "big.toml"], {}, 2, "--functions: big.toml: it can't be read: it has more than 10 MB"),
        (["-s", "@big.txt"], {}, 2, "--instructions: big.txt has more than 256 MB"),
        (["--ca-file", "/dev/zero", "--base-url", "https://127.0.0.1:1"], {}, 78, "--ca-file: the certificate file"
         " /dev/zero can't be used: it is a device"),
    ],
)  # fmt: skip
def test_what_has_no_end_is_refused(
    ask: Command, wire: Wire, words: list[str], env: dict[str, str], code: int, message: str
) -> None:
    for name in ("zero.toml", "zero.py"):
        (ask.home / name).symlink_to("/dev/zero")
    fifo(ask, "pipe.py")
    for name, size in (("big", 1_000_001), ("big.toml", 10_000_001), ("big.txt", MOST + 1)):
        with (ask.home / name).open("wb") as file:
            file.truncate(size)
    assert list(ask("ask", "hi", *words, env=env)) == [code, "", f"cometresp: error: {message}\n"]
    assert wire.requests == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("yes | $C ask", "standard input has more than 256 MB\nhint: -f FILE attaches a file of any size"),
        ("yes | $C ask hi -f /dev/fd/3 3<&0", "--file: can't read /dev/fd/3: it has more than 256 MB"),
        ("yes | $C get -", "ID: standard input must hold one id, not 50000 words"),
    ],
)
def test_a_pipe_without_end_is_refused(ask: Command, wire: Wire, command: str, message: str) -> None:
    done = in_shell(ask, command)
    told = done.stderr.decode().removeprefix("cometresp: waiting for /dev/fd/3\n")  # after 10 s
    assert (done.returncode, done.stdout, told) == (2, b"", f"cometresp: error: {message}\n")
    assert wire.requests == []


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="there is no /proc")
def test_a_file_of_proc_has_its_content_though_its_size_is_0(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    assert ask("ask", "-s", "@/proc/version", "-f", "/proc/version").code == 0
    [body] = wire.bodies()
    content = Path("/proc/version").read_text()
    text = f"version:\n```\n{content}```"
    assert (body["instructions"], body["input"][0]["content"]) == (content, [{"type": "input_text", "text": text}])


def test_the_config_may_be_a_pipe_or_nothing(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    ask.environ["COMETAPI_DEFAULT_MODEL"] = ""
    done = in_shell(ask, "echo 'model = \"piped\"' | COMETRESP_CONFIG=/dev/fd/0 $C ask --no-stdin hi")
    assert (done.returncode, wire.bodies()[0]["model"]) == (0, "piped")
    assert ask("ask", "-m", "m", "hi", env={"COMETRESP_CONFIG": "/dev/null"}).code == 0


def test_completion_does_not_wait_for_a_config_file(ask: Command) -> None:
    with pytest.raises(ConfigError, match="it is a named pipe"):
        load({"COMETRESP_CONFIG": str(fifo(ask, "pipe"))})
