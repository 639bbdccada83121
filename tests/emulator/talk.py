"""A client of the emulator for tests: plain HTTP over a real socket, a connection for each request."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from cometresp.emulator.server import Emulator

Json = dict[str, Any]


@contextmanager
def connected(emulator: Emulator) -> Iterator[http.client.HTTPConnection]:
    host = emulator.base_url.removeprefix("http://").removesuffix("/v1")
    connection = http.client.HTTPConnection(host, timeout=60)
    yield connection
    connection.close()


class Reply(NamedTuple):
    """A whole reply; `body` is what was received, also if the connection broke."""

    status: int
    headers: Json
    body: bytes
    broken: bool

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Json]:
        """The data of each frame, in order."""
        return [json.loads(line.removeprefix("data: ")) for line in self.lines() if line.startswith("data: ")]

    def lines(self) -> list[str]:
        return self.body.decode().splitlines()


def request(base_url: str, method: str, path: str, body: Json | None = None, version: str = "HTTP/1.1") -> Reply:
    """The reply to a request. Raises the exceptions of http.client where there is none."""
    host, _, port = base_url.split("/")[2].partition(":")
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} /v1{path} {version}\r\nHost: {host}:{port}\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + data)
        with http.client.HTTPResponse(connection, method=method) as reply:
            reply.begin()
            headers = {name.lower(): value for name, value in reply.getheaders()}
            try:
                received, broken = reply.read(), False
            except http.client.IncompleteRead as error:
                received, broken = error.partial, True
        return Reply(reply.status, headers, received, broken)


@dataclass
class Talk:
    """A conversation continued by `previous_response_id`, or, if stateless, by sending all items each time."""

    base_url: str
    settings: Json
    stateless: bool = False
    stream: bool = False
    previous: str | None = None
    items: tuple[Json, ...] = ()

    def say(self, given: str | list[Json], **more: Any) -> Json:
        """The response to a prompt or to items; `more` are fields of this request only."""
        new = [{"role": "user", "content": given}] if isinstance(given, str) else given
        body = {"model": "m", "input": new, "stream": self.stream, **self.settings, **more}
        if self.stateless:
            body |= {"input": [*self.items, *new], "store": False}
        elif self.previous:
            body["previous_response_id"] = self.previous
        reply = request(self.base_url, "POST", "/responses", body)
        if reply.status != 200:
            raise AssertionError(reply.json()["error"])
        response: Json = reply.events()[-1]["response"] if self.stream else reply.json()
        self.previous = response["id"]
        self.items += (*new, *response["output"])
        return response

    def refused(self, given: str | list[Json], **more: Any) -> str:
        """The message of the error that the request gets."""
        try:
            self.say(given, **more)
        except AssertionError as error:
            return str(error.args[0]["message"]).partition(" (request id")[0]
        raise AssertionError("the request was accepted")


def outputs(response: Json, text: str = "done") -> list[Json]:
    """An output for each call of the user's tools: the text and the call's number in its response."""
    calls = [item for item in response["output"] if item["type"] in ("function_call", "custom_tool_call")]
    return [
        {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": f"{text} {number}"}
        for number, call in enumerate(calls, 1)
    ]
