import subprocess
import sys
import threading

import httpx
import pytest

from cometresp.client import early
from cometresp.client.connection import ServerConfig, trust_of
from tests.conftest import Command
from tests.scripted import Wire, text_stream


def test_certificates_that_were_loaded_early_are_those_of_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [httpx.create_ssl_context() for _ in range(2)]
    given = iter(made)
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: next(given))
    monkeypatch.setattr(early, "_begun", [])
    begun = threading.Event()
    early.begin(begun.set, secure=True)
    assert begun.wait(60)
    config = ServerConfig("https://a.example/v1")
    assert [trust_of(config), trust_of(config)] == made  # the second client has its own, which it may change


def test_what_a_request_takes_is_loaded_while_a_pipe_is_waited_for(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("Hello"))
    words = [sys.executable, "-X", "importtime", "-m", "cometresp", "ask", "-q"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=ask.environ, cwd=ask.home, **pipes) as process:  # type: ignore[call-overload]
        loaded = iter(process.stderr.readline, b"")
        assert any(b" cometresp.client.client" in line for line in loaded)  # it waits for the pipe meanwhile
        assert process.communicate(b"Hi")[0] == b"Hello\n"
    assert wire.bodies() == [{"model": "m", "input": "Hi", "stream": True}]
