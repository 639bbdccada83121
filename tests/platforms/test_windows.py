"""The command where there are no POSIX modules, signals, locks and terminals (`windows` fakes that border)."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cometresp import __version__
from tests.conftest import Command
from tests.platforms.conftest import Quick
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Wire,
    call,
    created,
    ended,
    json_reply,
    message,
    response,
    sse,
    text_stream,
)
from tests.waiting import until


def echoing(request: Request, connection: socket.socket) -> None:
    prompt = request.json()["input"]
    connection.sendall(text_stream(f"<{prompt}>", response_id=f"resp_{prompt}"))


def test_the_border_lacks_what_windows_lacks(on_windows: Command) -> None:
    code = """
import types
ours = {"__spec__": types.SimpleNamespace(name="cometresp.x"), "__builtins__": __builtins__}
exec('''
import os, select, signal, sys
found = [os.name, sys.platform, *(name for name in ("killpg", "ttyname", "fchmod") if hasattr(os, name))]
for name in "fcntl termios pty tty pwd grp resource".split():
    try:
        __import__(name, globals())
    except ImportError:
        found.append(name)
try:
    select.select([os.pipe()[0]], [], [], 0)
except OSError:
    found.append("select")
with open("a", "w"), open("b", "w"):
    try:
        os.replace("a", "b")
    except PermissionError:
        found.append("replace")
found += [name for name in ("SIGALRM", "SIGTSTP", "pthread_kill", "setitimer") if hasattr(signal, name)]
''', ours)
print(*ours["found"])
"""
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=on_windows.environ, cwd=on_windows.home, check=True
    )
    assert process.stdout.decode() == "nt win32 fcntl termios pty tty pwd grp resource select replace\n"


def test_the_everyday_commands_work(quick: Quick, wire: Wire) -> None:
    run, home = quick, quick.home
    wire.answer(text_stream("Hello.", response_id="resp_1"), text_stream("More.", response_id="resp_2"), echoing)
    dry = json.dumps({"model": "m", "input": "hi", "stream": True}) + "\n"
    whole = response(message("Hello."), response_id="resp_1")
    assert tuple(run("--version")) == (0, f"cometresp {__version__}\n", "")
    assert tuple(run("ask", "--offline", "--dry-run", "hi")) == (0, dry, "")
    assert tuple(run("ask", "hi")) == (0, "Hello.\n", "")
    assert tuple(run("continue", "-", "-o", "answer", stdin=b"and?")) == (0, "", "")
    assert (home / "answer").read_text() == "More.\n"
    assert [body["input"] for body in wire.bodies()] == ["hi", "and?"]
    assert run("chains").text.split("\t")[0] == "default"
    assert run("log").text.split("\t")[0] == "resp_2"
    assert tuple(run("config", "path")) == (0, f"{home}/.config/cometresp/config.toml\n", "")
    assert tuple(run("config", "set", "model", "n")) == (0, "", "")
    assert (home / ".config/cometresp/config.toml").read_text() == 'model = "n"\n'
    wire.answer(json_reply(whole))
    assert tuple(run("get", "resp_1")) == (0, "Hello.\n", "")


def test_functions_of_both_kinds_are_run(quick: Quick, wire: Wire) -> None:
    run = quick
    (run.home / "tools.py").write_text('def double(n: int) -> int:\n    "Twice a number."\n    return 2 * n\n')
    (run.home / "tools.toml").write_text(
        '[[tool]]\nname = "say"\ndescription = "Says it"\ncommand = ["echo", "{word}"]\n'
        'parameters = {type = "object", properties = {word = {type = "string"}}}\n'
    )
    calls = (call("double", "c1", '{"n": 21}'), {**call("say", "c2", '{"word": "hi"}'), "id": "fc_2"})
    wire.answer(sse(created(), ended(response(*calls))), text_stream("done"))
    words = ("--functions", "tools.py", "--functions", "tools.toml", "--approve", "always")
    assert tuple(run("ask", *words, "hi")) == (0, "done\n", "")
    assert [item["output"] for item in wire.bodies()[1]["input"]] == ["42", "hi\n"]


def test_a_batch_is_resumed_and_put_in_order_though_an_open_file_cant_be_replaced(quick: Quick, wire: Wire) -> None:
    wire.answer(echoing)
    (quick.home / "in").write_bytes(b"a\nb\nc\n")
    words = ("batch", "--lines", "in", "-o", "out", "--text", "--ordered")
    assert quick(*words).code == 0
    lines = (quick.home / "out").read_bytes().splitlines(keepends=True)
    (quick.home / "out").write_bytes(b"".join(reversed(lines[1:])) + b'{"custom_id": "torn')
    assert quick(*words, "--resume").code == 0
    texts = [json.loads(line)["text"] for line in (quick.home / "out").read_bytes().splitlines()]
    assert texts == ["<a>", "<b>", "<c>"]
    assert sorted(request.json()["input"] for request in wire.requests) == ["a", "a", "b", "c"]


def test_two_runs_dont_write_to_one_output(on_windows: Command, wire: Wire) -> None:
    release = on_windows.home / "release"

    def held(request: Request, connection: socket.socket) -> None:
        until(release.exists)
        echoing(request, connection)

    wire.answer(held)
    (on_windows.home / "in").write_bytes(b"a\n")
    words = ("batch", "--lines", "in", "-o", "out", "--text")
    first = on_windows.popen(*words)
    try:
        until(lambda: wire.requests)
        refused = "cometresp: error: --output: another run is writing to out\n"
        assert tuple(on_windows(*words, "--resume")) == (73, "", refused)
    finally:
        release.touch()
        first.communicate()
    assert (first.returncode, len(wire.requests)) == (0, 1)


def test_an_interrupt_ends_a_wait_that_nothing_interrupts(on_windows: Command, wire: Wire) -> None:
    gone = on_windows.home / "gone"

    def silent(_: Request, connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD)
        connection.recv(1)
        gone.touch()

    wire.answer(silent)
    process = on_windows.popen("ask", "hi")
    until(lambda: wire.requests)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"cometresp: error: interrupted\n")
    until(gone.exists)


@pytest.mark.parametrize("env", [{"TERM": "", "CONSOLE_MODE": "old"}, {"TERM": "dumb"}])
def test_a_console_that_takes_no_sequences_gets_none(quick: Quick, wire: Wire, env: dict[str, str]) -> None:
    wire.answer(text_stream("**bold**"))
    words = ("ask", "--no-save", "hi")
    shown = quick.forker.run(quick, words, env=env, terminal=True)
    assert (shown.code, shown.text.splitlines()[0], "\x1b" in shown.text) == (0, "bold", False)


def test_a_console_is_steered_by_sequences_without_term(quick: Quick, wire: Wire) -> None:
    wire.answer(text_stream("**bold**"))
    shown = quick.forker.run(quick, ["ask", "--no-save", "hi"], env={"TERM": ""}, terminal=True)
    assert (shown.code, "\x1b[1mbold" in shown.text) == (0, True)


def test_a_key_is_typed_unseen_at_a_console(on_windows: Command) -> None:
    home = on_windows.home
    for name in ("CONIN$", "CONOUT$"):
        (home / name).write_bytes(b"")
    ours, theirs = os.openpty()
    keys = {"MSVCRT_KEYS": "sk-wrongx\b\b\b\b\b\b-1\r"}
    del on_windows.environ["COMETAPI_KEY"]
    result = on_windows("config", "set-key", stdin=theirs, env=keys)
    os.close(theirs)
    os.close(ours)
    shown = (home / "CONOUT$").read_text()
    assert (result.code, result.out, shown.endswith("(not shown): \n")) == (0, b"", True)
    assert '"sk--1"' in (home / ".config/cometresp/config.toml").read_text()
    assert "sk-" not in shown


def test_the_tabs_of_windows_terminal_have_chains_of_their_own(quick: Quick, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    for session in ("one", "two"):
        assert quick("ask", "--chain", "tty", "hi", env={"WT_SESSION": session}).code == 0
    assert sorted(line.split("\t")[0] for line in quick("chains").text.splitlines()) == ["tty:one", "tty:two"]


def test_a_path_with_a_drive_is_no_address(quick: Quick, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    for name in ("C:notes.txt", "C:\\notes.txt"):
        (quick.home / name).write_text(name)
        assert quick("ask", "--no-save", "-f", name, "hi").code == 0
    (quick.home / "C:").mkdir()
    Path(quick.home, "C:/notes.txt").write_text("slashes")
    assert quick("ask", "--no-save", "-f", "C://notes.txt", "hi").code == 0
    sent = [body["input"][0]["content"][0]["text"] for body in wire.bodies()]
    assert ["slashes" in sent[2], "C:\\notes.txt" in sent[1], "C:notes.txt" in sent[0]] == [True, True, True]
