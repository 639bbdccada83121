"""What a fault is made of, and the commands that meet it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tests.scripted import Script, Wire, created, delta, error_reply, frames

COMMANDS = {
    "ask": "ask hi",
    "stream": "stream hi",
    "continue": "continue hi",
    "get --wait": "get resp_1 --wait",
    "get --stream": "get resp_1 --stream",
    "tool loop": "ask --functions tools.toml --approve always hi",
}
FETCHING = ("get --wait", "get --stream")
HALF = frames([created(), delta("half")])

Around = Callable[[Path, Wire], AbstractContextManager[dict[str, str] | None]]


def _nothing(_: Path, __: Wire) -> AbstractContextManager[dict[str, str] | None]:
    return nullcontext()


@dataclass(frozen=True)
class Fault:
    """A fault: what the server replies, or what is wrong on this side.

    The server gives `reply` to every request that creates `resp_1`, but with `passes` only to the first; `rest` is its
    reply to a later request for that response. `get` always meets the fault once, then the response is whole, since
    waiting for that is what it is for. The other commands run with `--retries 0`, unless the fault is `retried`.

    `limit` is a flag that ends the run after some seconds, which the outcome calls `N s`: the rig chooses them.
    `flags` are more words of the command line, `env` more of the environment, where `{server}` stands for the server's
    address; `around(home, wire)` sets up what else is wrong, and may give more of the environment. `stdout` is a path,
    or "closed": a pipe that nobody reads. On a `terminal` stdout and stderr are one; when "half" is on it, `signal` is
    sent.
    """

    name: str
    reply: Script | None = None
    rest: bytes = error_reply(404, "no such response", "not_found")
    flags: str = ""
    limit: str = ""
    env: dict[str, str] = field(default_factory=dict)
    around: Around = _nothing
    passes: bool = False
    retried: bool = False
    stdout: str = ""
    terminal: bool = False
    signal: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a case ended. `kept` is what the state file and the folder have of it afterwards."""

    code: int
    out: str
    err: str
    kept: str
