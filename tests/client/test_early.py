import subprocess
import sys

from cometresp.client import early
from cometresp.client.connection import ServerConfig, trust_of
from tests.conftest import Command
from tests.scripted import Wire, text_stream

CONFIG = {"base_url": "https://a.example/v1", "headers": {}, "timeout": 1.0, "loopback": False, "source": "-"}


def test_certificates_that_were_loaded_early_are_those_of_the_requests() -> None:
    early.begin(list, secure=True)
    [loading] = early._begun  # noqa: SLF001
    loading.join()
    trust = loading.trust
    assert trust is not None
    assert trust_of(ServerConfig(**CONFIG)) is trust  # type: ignore[arg-type]
    assert trust_of(ServerConfig(**CONFIG)) is not trust  # type: ignore[arg-type] # one client may change its own


def test_what_a_request_takes_is_loaded_while_a_pipe_is_waited_for(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("Hello"))
    words = [sys.executable, "-X", "importtime", "-m", "cometresp", "ask", "-q"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=ask.environ, cwd=ask.home, **pipes) as process:  # type: ignore[call-overload]
        loaded = iter(process.stderr.readline, b"")
        assert any(b" cometresp.client.client" in line for line in loaded)  # it waits for the pipe meanwhile
        assert process.communicate(b"Hi")[0] == b"Hello\n"
    assert wire.bodies() == [{"model": "m", "input": "Hi", "stream": True}]
