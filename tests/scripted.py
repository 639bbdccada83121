"""A scripted HTTP server on loopback: it records what was asked and answers with the bytes that a test gives it."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Script = bytes | Iterable[bytes] | Callable[[Request, socket.socket], None]


@dataclass
class Wire:
    """Answers the n-th request with the n-th script, the last one again and again. A connection serves one request."""

    port: int
    scripts: list[Script] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def bodies(self) -> list[Any]:
        return [request.json() for request in self.requests if request.body]

    def answer(self, *scripts: Script) -> None:
        self.scripts[:] = scripts

    def restart(self, *scripts: Script) -> None:
        """Answer with these from the first on, as if nothing had been asked so far."""
        self.requests.clear()
        self.answer(*scripts)


@contextmanager
def serving() -> Iterator[Wire]:
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1])
    threads = [threading.Thread(target=_accept, args=(listener, wire), daemon=True)]
    threads[0].start()
    try:
        yield wire
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        threads[0].join(10)


def _accept(listener: socket.socket, wire: Wire) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, wire), daemon=True).start()


def _serve(connection: socket.socket, wire: Wire) -> None:
    with connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = _read(connection)
        if request is None:
            return
        number = len(wire.requests)
        wire.requests.append(request)
        script = wire.scripts[min(number, len(wire.scripts) - 1)]
        if callable(script):
            script(request, connection)
            return
        for chunk in [script] if isinstance(script, bytes) else script:
            connection.sendall(chunk)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers.get("content-length", 0))
    whole = bytearray(body)
    while len(whole) < length:
        chunk = connection.recv(1 << 20)
        if not chunk:
            return None
        whole += chunk
    method, path, _ = first.split(" ")
    return Request(method, path, headers, bytes(whole))


# replies ----------------------------------------------------------------------------------------------------------


def reply(status: int, body: bytes | str = b"", kind: str = "application/json", **headers: str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def json_reply(value: Any, status: int = 200, **headers: str) -> bytes:
    return reply(status, json.dumps(value), **headers)


def error_reply(status: int, message: str = "no", code: str | None = None, **headers: str) -> bytes:
    return json_reply(
        {"error": {"message": message, "type": "comet_api_error", "param": "", "code": code}}, status, **headers
    )


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def frames(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def sse(*events: dict[str, Any], tail: bytes = b"") -> bytes:
    return STREAM_HEAD + frames(events) + tail


def created(response_id: str = "resp_1", **more: Any) -> dict[str, Any]:
    return {
        "type": "response.created",
        "response": {"id": response_id, "object": "response", "status": "in_progress", **more},
    }


def delta(text: str, output_index: int = 0) -> dict[str, Any]:
    return {
        "type": "response.output_text.delta",
        "item_id": f"msg_{output_index}",
        "output_index": output_index,
        "content_index": 0,
        "delta": text,
    }


def message(text: str, **more: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [part], **more}


def call(name: str = "weather", call_id: str = "call_1", arguments: str = "{}") -> dict[str, Any]:
    return {
        "id": "fc_1",
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


USAGE = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


def response(
    *output: dict[str, Any], response_id: str = "resp_1", status: str = "completed", **more: Any
) -> dict[str, Any]:
    whole = {"id": response_id, "object": "response", "status": status, "output": list(output), "usage": USAGE}
    return {**whole, **more}


def ended(whole: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"response.{whole['status']}", "response": whole}


def text_stream(*deltas: str, response_id: str = "resp_1", **more: Any) -> bytes:
    """A stream as the shortest servers send it: created, deltas, the terminal response."""
    whole = response(message("".join(deltas)), response_id=response_id, **more)
    return sse(created(response_id), *map(delta, deltas), ended(whole))


def numbered(*events: dict[str, Any], first: int = 0) -> list[dict[str, Any]]:
    return [{**event, "sequence_number": n} for n, event in enumerate(events, first)]


def pieces(text: str, count: int) -> list[str]:
    """The text in about so many pieces."""
    size = max(len(text) // count, 1)
    return [text[place : place + size] for place in range(0, len(text), size)]


def repeating(sent: bytes, again: bytes = b" ") -> Script:
    """Sends the one, then the other every 20 ms, without an end."""

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(sent)
        while True:
            connection.sendall(again)
            time.sleep(0.02)

    return script


def paced(text: str, count: int, pause: float) -> Script:
    """A stream that brings the text piece by piece, as a model would."""

    def script(_: Request, connection: socket.socket) -> None:
        connection.sendall(sse(created()))
        for piece in pieces(text, count):
            connection.sendall(frames([delta(piece)]))
            time.sleep(pause)
        connection.sendall(frames([ended(response(message(text)))]))

    return script
