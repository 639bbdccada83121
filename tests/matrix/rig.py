"""Runs a case, and says how it ended."""

import os
import re
import shlex
import shutil
import signal
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cometresp.errors import CometrespError
from cometresp.state.state import State
from cometresp.wire.items import text_of
from tests.called import popen
from tests.conftest import Command, Forker, Result
from tests.matrix.fault import COMMANDS, FETCHING, HALF, Fault, Outcome
from tests.replies.case import TOOLS
from tests.scripted import (
    STREAM_HEAD,
    Request,
    Script,
    Wire,
    call,
    created,
    ended,
    frames,
    json_reply,
    message,
    response,
    sse,
    text_stream,
)
from tests.terminals import on_terminal
from tests.waiting import LONGEST, until

ROOT = Path(__file__).parent.parent.parent
_RUNNING = "in_progress"
WHOLE = json_reply(response(message("half and whole")))
CALL = sse(created("resp_t"), ended(response(call("note", arguments='{"line": "once"}'), response_id="resp_t")))
RUNNING = json_reply(response(status=_RUNNING))
_SHOWN_CURSOR, _HIDDEN_CURSOR = "\x1b[?25h", "\x1b[?25l"


@dataclass
class Rig:
    """One server, and homes that are copied for each case."""

    command: Command
    wire: Wire
    forker: Forker
    folder: Path
    _released: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, wire: Wire, forker: Forker, folder: Path) -> "Rig":
        kept = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        model = {"COMETAPI_KEY": "sk-test", "COMETAPI_BASE_URL": wire.url, "COMETAPI_DEFAULT_MODEL": "m"}
        return cls(Command(folder, {**kept, **model}), wire, forker, folder)

    def prepare(self) -> None:
        """Two homes: in both resp_0 is the head of a chain, in one resp_1 is known, which runs in the background."""
        queued = json_reply(response(response_id="resp_1", status="queued", background=True))
        self.wire.answer(text_stream("first", response_id="resp_0"), queued)
        first, fetching = self.folder / "home", self.folder / "fetching"
        first.mkdir()
        (first / "tools.toml").write_text(TOOLS)
        assert self._piped(self._in(first), ["ask", "first"], "").code == 0
        shutil.copytree(first, fetching)
        assert self._piped(self._in(fetching), ["ask", "--background", "--chain", "other", "second"], "").code == 0

    def run(self, fault: Fault, name: str, home: Path, seconds: int = 1) -> Outcome:
        """The outcome of a fault in a command, in a home that isn't there yet. `seconds` are those of the limit."""
        fetching = name in FETCHING
        shutil.copytree(self.folder / ("fetching" if fetching else "home"), home)
        self._released.clear()
        self.wire.requests.clear()
        self.wire.answer(self._server(fault, name))
        retries = "" if fetching or fault.retried else "--retries 0"
        limit = f"{fault.limit} {seconds}" if fault.limit else ""
        words = shlex.split(f"{COMMANDS[name]} {retries} {fault.flags} {limit}")
        server = f"http://127.0.0.1:{self.wire.port}"
        command = self._in(home)
        command.environ |= {key: value.format(server=server) for key, value in fault.env.items()}
        with fault.around(home, self.wire) as more:
            command.environ |= more or {}
            if fault.signal:
                result = self._signalled(
                    command, words, fault.signal, _RUNNING.replace("_", " ") if name == "get --wait" else "half"
                )
            elif fault.terminal:
                result = self.forker.run(command, [*words, "--plain"], terminal=True)
            else:
                result = self._piped(command, words, fault.stdout)
        assert _notes(home) == ("once\n" if name == "tool loop" and self.wire.requests else "")
        out = _uncoloured(result.text) if fault.terminal else result.text
        err = result.err.replace(f" {seconds} s ", " N s ") if limit else result.err
        return Outcome(result.code, self._stable(out, home), self._stable(err, home), _kept(home, name))

    def _in(self, home: Path) -> Command:
        return Command(home, {**self.command.environ, "HOME": str(home)})

    def _piped(self, command: Command, words: list[str], stdout: str) -> Result:
        if not stdout:
            return self.forker.run(command, words)
        if stdout == "closed":
            ours, theirs = os.pipe()
            os.close(ours)
        else:
            theirs = os.open(stdout, os.O_WRONLY)
        process = popen(command, *words, stdout=theirs)
        os.close(theirs)
        _, err = process.communicate(timeout=LONGEST)
        return Result(process.returncode, b"", err.decode())

    def _signalled(self, command: Command, words: list[str], name: str, when: str) -> Result:
        """Sends the signal when `when` is on the terminal. `out` says what is there at the end."""

        def send(pid: int) -> None:
            os.kill(pid, signal.Signals[name])
            if name == "SIGTSTP":
                until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
                os.kill(pid, signal.SIGCONT)
            self._released.set()

        code, screen = on_terminal(command, *words, meanwhile=send, when=when.encode())
        cursor = "" if screen.rfind(_SHOWN_CURSOR) >= screen.rfind(_HIDDEN_CURSOR) else ", no cursor"
        return Result(code, f"{'half' if 'half' in screen else 'nothing'} is shown{cursor}".encode(), "")

    def _server(self, fault: Fault, name: str) -> Script:
        """Plays the reply of the fault where the command meets it."""
        met = 0

        def script(request: Request, connection: socket.socket) -> None:
            nonlocal met
            fetching = name in FETCHING
            reply: Script = fault.rest
            if name == "tool loop" and request.method == "POST" and b"function_call_output" not in request.body:
                reply = CALL
            elif request.method == ("GET" if fetching else "POST"):
                met += 1
                reply = fault.reply or WHOLE
                if fault.signal:
                    reply = RUNNING if name == "get --wait" else self._half
                if met > 1 and (fetching or fault.passes):
                    reply = WHOLE
            if callable(reply):
                reply(request, connection)
            else:
                connection.sendall(reply if isinstance(reply, bytes) else b"".join(reply))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        return script

    def _half(self, _: Request, connection: socket.socket) -> None:
        """Half of a stream; the rest when the signal has been sent."""
        connection.sendall(STREAM_HEAD + HALF)
        self._released.wait(LONGEST)
        connection.sendall(frames([ended(response(message("half and whole")))]))

    def _stable(self, text: str, home: Path) -> str:
        """The text without what is another in each run."""
        text = text.replace(str(home), "HOME")
        text = re.sub(r"(127\.0\.0\.1):\d{4,5}", r"\1:PORT", text.replace(str(ROOT), "ROOT"))
        return re.sub(r"\d{8}T?-?\d{6}\S*", "TIME", text)


def _uncoloured(screen: str) -> str:
    """A screen without colours and times; any other sequence stays, and shows in the outcome."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen).split("\n")
    return re.sub(r"\d+\.\d s\b", "N s", "\n".join(line.rstrip() for line in lines))


def _notes(home: Path) -> str:
    """What the function of the tool loop has written."""
    path = home / "notes"
    return path.read_text() if path.exists() else ""


def _kept(home: Path, name: str) -> str:
    """What is recorded of resp_1, whether it is the head of its chain, and the files that lie about."""
    found = []
    folder = home / ".local/state/cometresp"
    try:
        state = State.open(folder, create=False, mend=False)
        if state is not None:
            with state:
                found += _recorded(state, "other" if name in FETCHING else "default")
    except CometrespError:
        found.append("the state file as it was")
    files = [path for path in sorted(home.iterdir()) if path.name not in ("tools.toml", "notes", ".local", ".config")]
    found += [f"{path.name}: {_content(path)}" for path in files]
    if folder.is_dir():
        found += sorted({re.sub(r"[-.]?\d{6,}\S*", "-TIME", path.name) for path in folder.iterdir()} - {"state.db"})
    return ", ".join(found) or "nothing"


def _recorded(state: State, chain: str) -> list[str]:
    turn, heads = state.turns.get("resp_1"), state.chains.get(chain)
    head = heads.head.id if heads is not None and heads.head is not None else None
    if turn is None:
        return [] if head in ("resp_0", "resp_t") else ["no head"]
    text = text_of(turn.output or [])
    return [f"{turn.status} {text!r}" if text else turn.status, *(["head"] if head == "resp_1" else [])]


def _content(path: Path) -> str:
    if path.is_symlink():
        return "a link"
    return ",".join(sorted(entry.name for entry in path.iterdir())) if path.is_dir() else repr(path.read_text())
