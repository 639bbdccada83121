"""The command, run as a user runs it, in a home of its own: nothing here can reach a real key, state or server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import hypothesis
import pytest

from tests.scripted import Wire, serving

# The same inputs in every run, so that a change fails where it is made or nowhere; `explore` looks for new ones.
_BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}  # is no failure
hypothesis.settings.register_profile("explore", derandomize=False, max_examples=1000, **_BUSY)
hypothesis.settings.register_profile("cometresp", derandomize=True, database=None, **_BUSY)
hypothesis.settings.load_profile("cometresp")  # --hypothesis-profile is read later

_FOREIGN = ("COMETAPI_", "COMETRESP_", "OPENAI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_")


@pytest.fixture(autouse=True, scope="session")
def nothing_of_the_machines_own_settings() -> None:
    """Keys, proxies and certificates of whoever runs the tests: clients in this process must not see them."""
    for name in list(os.environ):
        if name.upper().startswith(_FOREIGN):
            del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def signals_as_on_a_terminal() -> None:
    """A suite that runs behind `nohup` ignores signals, and so would every program that a test starts."""
    for name in ("SIGHUP", "SIGQUIT", "SIGTSTP"):
        if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            signal.signal(getattr(signal, name), signal.SIG_DFL)


@dataclass(frozen=True)
class Result:
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def ran_out(self) -> bool:
        """Whether the time of --max-time was over before anything was known of the response."""
        return self.code == 69 and "not finished within" in self.err

    def __iter__(self) -> Iterator[Any]:
        """(code, stdout as text, stderr), so that a test can compare all of it at once."""
        return iter((self.code, self.text, self.err))


@dataclass
class Command:
    """Runs `cometresp` in a folder and an environment that belong to the test."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *words: str, stdin: bytes | int | IO[bytes] | None = None, env: dict[str, str] | None = None
    ) -> Result:
        closed = subprocess.DEVNULL if stdin is None else stdin
        given: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": closed}
        process: subprocess.CompletedProcess[bytes] = subprocess.run(
            [sys.executable, "-m", "cometresp", *words],
            **given,
            capture_output=True,
            env={**self.environ, **(env or {})},
            cwd=self.home,
            timeout=60,
            check=False,
        )
        return Result(process.returncode, process.stdout, process.stderr.decode())

    def each(
        self, lines: Iterable[Sequence[str]], *, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> list[Result]:
        """The results of many command lines, for which the program is loaded once (see `forked`)."""
        with Forker() as forker:
            return [forker.run(self, words, stdin=stdin, env=env) for words in lines]

    def popen(self, *words: str, program: Sequence[str] = ("-m", "cometresp"), **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *program, *words],
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
            env=self.environ,
            cwd=self.home,
        )


class Forker:
    """A process that has the program loaded, and runs command lines in forks of itself."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", "LANG": "C.UTF-8"},
        )

    def run(
        self,
        command: Command,
        words: Sequence[str],
        *,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        terminal: bool = False,
    ) -> Result:
        """The result of one command line, in the folder and the environment of `command`.

        On a `terminal`, all that was written there is the result's stdout.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        given = {
            "words": list(words),
            "stdin": stdin.decode("latin-1"),
            "env": {**command.environ, **(env or {})},
            "cwd": str(command.home),
            "terminal": terminal,
        }
        self._process.stdin.write(json.dumps(given).encode() + b"\n")
        self._process.stdin.flush()
        code, out, err = json.loads(self._process.stdout.readline())
        return Result(code, out.encode("latin-1"), err.encode("latin-1").decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    with Forker() as process:
        yield process


@pytest.fixture
def run(tmp_path: Path) -> Command:
    """The command without a key: what it needs, a test gives."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START") if name in os.environ}
    home = tmp_path / "home"
    home.mkdir()
    root = Path(__file__).parent.parent
    given = {"HOME": str(home), "LANG": "C.UTF-8", "PAGER": "cat"}
    return Command(home, {**kept, **given, "PYTHONPATH": str(root), "PYTHONWARNINGS": "error"})


@pytest.fixture
def wire() -> Iterator[Wire]:
    with serving() as server:
        yield server


@pytest.fixture
def ask(run: Command, wire: Wire) -> Command:
    """The command with a key, a model and the scripted server."""
    run.environ |= {"COMETAPI_KEY": "sk-test", "COMETAPI_BASE_URL": wire.url, "COMETAPI_DEFAULT_MODEL": "m"}
    return run
