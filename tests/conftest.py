"""The command, run as a user runs it, in a home of its own: nothing here can reach a real key, state or server."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import hypothesis
import pytest

from tests.scripted import Wire, serving

# The same inputs in every run, so that a change fails where it is made or nowhere; `explore` looks for new ones.
_BUSY: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}  # is no failure
hypothesis.settings.register_profile("explore", derandomize=False, max_examples=1000, **_BUSY)
hypothesis.settings.register_profile("cometresp", derandomize=True, database=None, **_BUSY)
hypothesis.settings.load_profile("cometresp")  # --hypothesis-profile is read later

ROOT = Path(__file__).parent.parent
AT_THE_START = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "LANG": "C.UTF-8"}  # what Python itself reads
_FOREIGN = ("COMETAPI_", "COMETRESP_", "OPENAI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_")


@pytest.fixture(autouse=True, scope="session")
def nothing_of_the_machines_own_settings() -> None:
    """Keys, proxies and certificates of whoever runs the tests: clients in this process must not see them."""
    for name in list(os.environ):
        if name.upper().startswith(_FOREIGN):
            del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def signals_as_on_a_terminal() -> None:
    """A suite that runs behind `nohup`, or `&` in a script, ignores signals: so would every program that it starts."""
    for name in ("SIGHUP", "SIGQUIT", "SIGTSTP"):
        if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def no_terminal_of_whoever_runs_the_tests() -> None:
    """A command that a test starts would ask its questions there, and wait; this process and its children leave it."""
    if os.getsid(0) == os.getpid():
        return  # a session's leader would end the session
    with suppress(OSError), Path("/dev/tty").open() as terminal:
        fcntl.ioctl(terminal, termios.TIOCNOTTY)


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
    """Runs `cometresp` in a folder and an environment that belong to the test.

    A call forks a process that has the program loaded where that makes no difference: it takes a tenth of the time of a
    start. `popen` starts Python, as a user does.
    """

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *words: str, stdin: bytes | int | IO[bytes] | None = None, env: dict[str, str] | None = None
    ) -> Result:
        environ = {**self.environ, **(env or {})}
        if (stdin is None or isinstance(stdin, bytes)) and FORKER.can_start(environ):
            return FORKER.run(self, words, stdin=stdin, env=env)
        program = [sys.executable, "-m", "cometresp"]
        if FORKER.starts_alike(environ):
            from tests import called

            program = [called.program()]
        closed = subprocess.DEVNULL if stdin is None else stdin
        given: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": closed}
        process: subprocess.CompletedProcess[bytes] = subprocess.run(
            [*program, *words],
            **given,
            capture_output=True,
            env=environ,
            cwd=self.home,
            timeout=200,
            check=False,
        )
        return Result(process.returncode, process.stdout, process.stderr.decode())

    def each(
        self, lines: Iterable[Sequence[str]], *, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> list[Result]:
        return [self(*words, stdin=stdin, env=env) for words in lines]

    def popen(self, *words: str, program: Sequence[str] = ("-m", "cometresp"), **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *program, *words],
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
            env=self.environ,
            cwd=self.home,
        )


class Forker:
    """A process that has the program loaded, and runs command lines in forks of itself (see `forked`).

    `start` is what Python reads of its environment there.
    """

    def __init__(self, start: Mapping[str, str] = AT_THE_START) -> None:
        self._start = start
        self._process: subprocess.Popen[bytes] | None = None
        self._running = threading.Lock()

    def can_start(self, environ: Mapping[str, str]) -> bool:
        """Whether it is idle, and Python would start in this environment as it did here."""
        return self.starts_alike(environ) and not self._running.locked()

    def starts_alike(self, environ: Mapping[str, str]) -> bool:
        """Whether Python would start in this environment as it did here."""
        read_at_the_start = {
            name: value for name, value in environ.items() if name.startswith(("PYTHON", "LANG", "LC_"))
        }
        return read_at_the_start == self._start

    def run(
        self,
        command: Command,
        words: Sequence[str],
        *,
        stdin: bytes | None = b"",
        env: dict[str, str] | None = None,
        terminal: bool = False,
    ) -> Result:
        """The result of one command line, in the folder and the environment of `command`.

        Without `stdin` the command has /dev/null. On a `terminal`, all that was written there is the result's stdout.
        """
        given = {
            "words": list(words),
            "stdin": None if stdin is None else stdin.decode("latin-1"),
            "env": {**command.environ, **(env or {})},
            "cwd": str(command.home),
            "terminal": terminal,
        }
        with self._running:
            code, out, err = json.loads(self._told(json.dumps(given).encode()))
        return Result(code, out.encode("latin-1"), err.encode("latin-1").decode())

    def _told(self, line: bytes) -> bytes:
        process = self._process = self._process or subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self._start},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            return process.stdout.readline()
        except BaseException:  # an interrupted test: what is still written there is no result of the next one
            process.kill()
            self.close()
            raise

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


FORKER = Forker()


@pytest.fixture(autouse=True, scope="session")
def forker() -> Iterator[Forker]:
    yield FORKER
    FORKER.close()


@pytest.fixture
def run(tmp_path: Path) -> Command:
    """The command without a key: what it needs, a test gives."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START") if name in os.environ}
    home = tmp_path / "home"
    home.mkdir()
    return Command(home, {**kept, "HOME": str(home), "PAGER": "cat", **AT_THE_START})


@pytest.fixture
def wire() -> Iterator[Wire]:
    with serving() as server:
        yield server


@pytest.fixture
def ask(run: Command, wire: Wire) -> Command:
    """The command with a key, a model and the scripted server."""
    run.environ |= {"COMETAPI_KEY": "sk-test", "COMETAPI_BASE_URL": wire.url, "COMETAPI_DEFAULT_MODEL": "m"}
    return run
