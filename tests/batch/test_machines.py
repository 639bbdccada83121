"""GNU parallel, as docs/batch.md shows it: on one machine, and on two of which one dies."""

import base64
import json
import os
import re
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.batch.machines import command_lines, machines, shell_environ
from tests.conftest import Command
from tests.scripted import Request, Wire, error_reply, text_stream
from tests.waiting import until

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parent.parent.parent / "docs/batch.md").read_text()
KEY = "sk-key-of-machines-7d1f"
COUNT = 24
IDS = {f"id-{n}": 1 for n in range(COUNT)}
LONG = " and so on" * 1200  # three blocks of 100k


def shown(word: str) -> str:
    """The block of shell commands of the page that has this word."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return next(block for block in blocks if word in block)


def prompts_in(home: Path) -> None:
    lines = [json.dumps({"custom_id": name, "prompt": name + LONG}) + "\n" for name in IDS]
    (home / "prompts.jsonl").write_text("".join(lines))


def id_of(request: Request) -> str:
    return str(request.json()["input"]).partition(" ")[0]


def asked(wire: Wire) -> Counter[str]:
    return Counter(map(id_of, wire.requests))


def texts(path: Path) -> list[tuple[str, Any]]:
    """The ids and texts of an output."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["custom_id"], line["response"]["body"]["output"][0]["content"][0]["text"]) for line in lines]


class Server:
    """Answers with the name of the machine that asks, but for requests that it holds until `go_on` is set."""

    def __init__(self, wire: Wire, name: str, holds: Callable[[str], bool] = lambda _: False) -> None:
        self.name, self.holds = name, holds
        self.answered: list[str] = []
        self.held: list[str] = []
        self.go_on = threading.Event()
        self._lock = threading.Lock()
        wire.answer(self)

    def __call__(self, request: Request, connection: socket.socket) -> None:
        name = id_of(request)
        with self._lock:
            is_held = self.holds(name)
            (self.held if is_held else self.answered).append(name)
        if is_held:
            self.go_on.wait(120)
        connection.sendall(text_stream(self.name))


@contextmanager
def running(script: str, command: Command, environ: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    pipes: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = ["bash", "-c", script]
    with subprocess.Popen(words, cwd=command.home, env=environ, text=True, start_new_session=True, **pipes) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # after a failed test; what has ended isn't there any more
                os.killpg(process.pid, 9)


def key_is_on_a_command_line() -> bool:
    """Whether it is on one of any process of this machine, also in pieces. Parallel must be among them."""
    lines = [re.sub(rb"[\0\s]", b"", line) for line in command_lines()]
    assert any(b"GNU_Parallel" in line for line in lines)
    forms = (KEY.encode(), KEY.encode().hex().encode(), base64.b64encode(KEY.encode())[:-4])
    return any(form in line for form in forms for line in lines)


def test_two_machines_answer_every_id_once_with_a_key_on_the_first_line(ask: Command) -> None:
    prompts_in(ask.home)
    script = r"""
        { printenv COMETAPI_KEY; cat prompts.jsonl; } |
          parallel --pipe --header '.*\n' --block 100k --line-buffer --jobs 2 --retries 3 --sshlogin host-a,host-b \
            'IFS= read -r COMETAPI_KEY; export COMETAPI_KEY; sed -n "/^{/p" | cometresp batch - -m m' > answers.jsonl
        cometresp batch merge answers.jsonl --requests prompts.jsonl -o all.jsonl
    """
    with machines(ask, key_by_ssh=False) as two:
        servers = [Server(one.wire, one.name, lambda _: True) for one in (two.a, two.b)]
        with running(script, ask, two.environ | {"COMETAPI_KEY": KEY}) as process:
            until(lambda: all(server.held for server in servers))
            assert not key_is_on_a_command_line()
            for server in servers:
                server.go_on.set()
            assert (process.communicate(), process.returncode) == (("", ""), 0)
        wires = (two.a.wire, two.b.wire)
    assert asked(wires[0]) + asked(wires[1]) == IDS
    assert {request.headers["authorization"] for wire in wires for request in wire.requests} == {f"Bearer {KEY}"}
    assert Counter(texts(ask.home / "all.jsonl")) == Counter(
        [(name, one) for wire, one in zip(wires, ("host-a", "host-b"), strict=True) for name in asked(wire)]
    )


def test_what_a_dead_machine_had_is_done_by_another_and_the_rest_by_a_resumed_run(ask: Command, wire: Wire) -> None:
    prompts_in(ask.home)
    home = Server(wire, "home")
    answers = ask.home / "answers.jsonl"
    with machines(ask) as two:
        a = Server(two.a.wire, "host-a", lambda _: len(a.answered) == 2)
        b = Server(two.b.wire, "host-b", lambda name: name in asked(two.a.wire))
        with running(shown("--sshlogin"), ask, two.environ | {"COMETAPI_KEY": KEY}) as process:
            until(lambda: len(a.answered) == 2 and a.held and b.answered)
            until(lambda: all(f'"{name}"' in answers.read_text() for name in a.answered))
            assert not key_is_on_a_command_line()
            two.a.kill()
            until(lambda: b.held)  # the other machine has its lines now
            two.b.kill()
            for server in (a, b):
                server.go_on.set()
            out, err = process.communicate()
        assert {request.headers["authorization"] for request in two.b.wire.requests} == {f"Bearer {KEY}"}
    merged = texts(ask.home / "all.jsonl")
    assert Counter(name for name, _ in merged) == IDS
    assert asked(wire) == Counter(home.answered) == {name: 1 for name, text in merged if text == "home"}
    assert {name for name, text in merged if text == "host-a"} == set(a.answered)
    assert f"cometresp: error: {len(wire.requests)} of {COUNT} are missing: " in err
    assert (out, process.returncode) == ("", 0)


def test_a_block_with_a_failed_request_is_not_sent_again(ask: Command, wire: Wire) -> None:
    prompts_in(ask.home)
    refused = error_reply(400, "too long", "context_length_exceeded")

    def script(request: Request, connection: socket.socket) -> None:
        connection.sendall(refused if id_of(request) == "id-3" else text_stream("ok"))

    wire.answer(script)
    with running(shown("--jobs 4 --retries"), ask, shell_environ(ask)) as process:
        out, err = process.communicate()
    assert asked(wire) == IDS
    lines = (ask.home / "all.jsonl").read_text().splitlines()
    assert Counter(json.loads(line)["custom_id"] for line in lines) == IDS
    assert (out, process.returncode) == ("", 1)
    assert "cometresp: error: 1 of 24 failed\n" in err
