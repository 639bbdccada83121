"""What a file of this folder is made of."""

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.scripted import Request, Script, response, text_stream

TOOLS = """
[[tool]]
name = "note"
description = "Append a line to the file notes."
command = ["sh", "-c", 'echo "$1" >> notes; echo noted', "sh", "{line}"]
parameters = { type = "object", required = ["line"], properties.line.type = "string" }
"""
FUNCTIONS = "--functions tools.toml --approve always"


@dataclass(frozen=True)
class Shows:
    """What one command line prints. `out` and `err` are stdout and stderr, whole; `err` may be a test of it.

    Of a line with `--json`, `out` is the text of the answer with a newline, or with `whole` all of stdout.
    """

    out: str = ""
    code: int = 0
    err: str | Callable[[str], bool] = ""
    whole: bool = False


@dataclass(frozen=True)
class Run:
    """Command lines, one after the other in one home, and the replies that they get.

    `replies` are sent in their order, the last one again and again; or `by(request)` chooses. `sent` are the bodies
    that the server must have got, if they matter; `notes` the lines that the function `note` of `tools.toml` wrote.
    """

    steps: Sequence[tuple[str, Shows]]
    replies: Sequence[Script] = ()
    by: Callable[[Request], bytes] | None = None
    sent: Sequence[Any] | None = None
    requests: int | None = None
    notes: str | None = None
    env: dict[str, str] = field(default_factory=dict)

    @property
    def scripts(self) -> list[Script]:
        if self.by is None:
            return list(self.replies)
        choose = self.by

        def script(request: Request, connection: socket.socket) -> None:
            connection.sendall(choose(request))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

        return [script]


COMMANDS = {
    "continue": "continue hi",
    "ask": "ask hi",
    "stream": "stream hi",
    "no-stream": "ask --no-stream hi",
    "get": "get resp_b1",
    "json": "ask --json hi",
    "extract": "ask -x hi",
    "schema": "ask --schema 'name, age int' hi",
    "functions": f"ask {FUNCTIONS} hi",
}


def everywhere(
    reply: bytes,
    out: str = "",
    code: int = 0,
    err: str = "",
    *,
    notes: str = "",
    without: Sequence[str] = (),
    **but: Shows,
) -> dict[str, Run]:
    """The same reply for each of COMMANDS, whatever the request.

    They print the same, but for those that are given by name (`no_stream` for `no-stream`). `extract` and `schema` end
    with 8 where nothing else is said, since the text has no code and is no JSON.
    """
    given = {name.replace("no_", "no-"): shows for name, shows in but.items()}
    steps = [("ask first", Shows("1\n"))]
    for name, line in COMMANDS.items():
        if name not in without:
            steps.append((line, given.get(name) or _usual(name, Shows(out, code, err))))
    return {"everywhere": Run(steps, by=lambda request: _FIRST if b'"first"' in request.body else reply, notes=notes)}


def once(reply: bytes, out: str = "", code: int = 0, err: str = "", *, line: str = "ask hi", notes: str = "") -> Run:
    """One command line that gets this reply."""
    return Run([(line, Shows(out, code, err))], [reply], notes=notes)


def added(item: dict[str, Any], index: int) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def finished(item: dict[str, Any], index: int | None = None) -> dict[str, Any]:
    place = {} if index is None else {"output_index": index}
    return {"type": "response.output_item.done", **place, "item": item}


def b1(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    """A whole response with the id `resp_b1`."""
    return response(*output, response_id="resp_b1", status=status, **more)


_FIRST = text_stream("1", response_id="resp_b0")


def _usual(name: str, shows: Shows) -> Shows:
    """What a command shows of an answer in plain words."""
    if shows.code:
        return shows
    if name == "extract":
        hint = "hint: its text is above\n" if shows.out else ""
        block = "resp_b1 has no fenced code block to extract\n"
        return Shows("", 8, f"{shows.err}{shows.out}cometresp: error: {block}{hint}")
    if name == "schema":
        return Shows(shows.out, 8, lambda err: "doesn't match" in err or "not JSON" in err)
    return shows


def data(*events: object) -> bytes:
    """Frames without names: `data: JSON`."""
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)
