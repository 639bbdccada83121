"""A server on loopback, over http or https. It speaks the Responses API and chat completions, and keeps times."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_USAGE = {"input_tokens": 5, "output_tokens": 12, "total_tokens": 17}
_BLOCK = 500  # frames that are sent with one call
_FIRST = 4  # sequence number of the first delta
_SMALL = 1 << 20  # bodies up to this size are read as JSON


class Answer(NamedTuple):
    """A text in so many deltas of `size` characters, from `text` again and again; `pause` before the first of them."""

    deltas: int = 12
    text: str = "word "
    size: int = 5
    pause: float = 0.0

    @property
    def whole(self) -> str:
        length = self.deltas * self.size
        return (self.text * (length // len(self.text) + 1))[:length]

    def pieces(self) -> Iterator[str]:
        """The text of each delta."""
        again = self.text + self.text[: self.size]
        for n in range(self.deltas):
            at = n * self.size % len(self.text)
            yield again[at : at + self.size]


class Request(NamedTuple):
    path: str
    body: dict[str, Any]


class Seen(NamedTuple):
    """When the first byte of a request came, and when the first delta of its answer was sent (`time.monotonic`)."""

    asked: float
    answered: float


Script = Callable[[Request, socket.socket], None]


class Server:
    """Gives every request the `answer`, or runs the `script` if there is one. A connection serves one request."""

    def __init__(self, port: int, certificate: Path | None = None) -> None:
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{port}/v1"
        self.answer = Answer()
        self.script: Script | None = None
        self.seen: list[Seen] = []
        self._numbers = count(1)
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
        with connection, suppress(OSError):
            asked, request = _read(connection)
            if self.script:
                self.script(request, connection)
                return
            self._answer(asked, request, connection)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

    def _answer(self, asked: float, request: Request, connection: socket.socket) -> None:
        chat = request.path.endswith("/chat/completions")
        number = f"{next(self._numbers):032x}"
        before, after = (_around_chat if chat else around)(self.answer, number, request.body)
        first, *blocks = _blocks(self.answer, chat=chat)
        connection.sendall(STREAM_HEAD + before)
        time.sleep(self.answer.pause)
        self.seen.append(Seen(asked, time.monotonic()))
        connection.sendall(first)
        for block in blocks:
            connection.sendall(block)
        connection.sendall(after)


def _read(connection: socket.socket) -> tuple[float, Request]:
    """When the first byte of a request came, and the request. Large bodies are read, but not kept."""
    data = connection.recv(1 << 16)
    asked = time.monotonic()
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = int(lines.get(b"content-length", b"0"))
    if length > _SMALL:
        left = length - len(body)
        while left:
            left -= len(_some(connection))
        body = b"{}"
    while length <= _SMALL and len(body) < length:
        body += _some(connection)
    return asked, Request(head.split(b" ", 2)[1].decode(), json.loads(body or b"{}"))


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 20)
    if not data:
        raise ConnectionError
    return data


# answers --------------------------------------------------------------------------------------------------------------

Around = tuple[bytes, bytes]  # the frames before the deltas of an answer, and those after them


def _frame(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


@lru_cache(maxsize=2)
def _blocks(answer: Answer, *, chat: bool) -> list[bytes]:
    """The first delta of an answer, and the others in blocks: made once, so that no client waits for them."""
    frames = chat_deltas(answer) if chat else deltas(answer)
    return [next(frames), *iter(lambda: b"".join(islice(frames, _BLOCK)), b"")]


def delta_data(number: int, piece: str) -> str:
    """The JSON of one delta of the Responses API."""
    return _delta(json.dumps(piece)) % number


def _delta(piece: str) -> str:
    place = '"item_id": "msg_1", "output_index": 0, "content_index": 0'
    data = f'{{"type": "response.output_text.delta", "sequence_number": @, {place}, "delta": {piece}}}'
    return data.replace("%", "%%").replace("@", "%d", 1)


def deltas(answer: Answer) -> Iterator[bytes]:
    """The frames of the deltas, as the Responses API sends them."""
    frames: dict[str, bytes] = {}
    for number, piece in enumerate(answer.pieces(), _FIRST):
        if piece not in frames:
            frames[piece] = f"event: response.output_text.delta\ndata: {_delta(json.dumps(piece))}\n\n".encode()
        yield frames[piece] % number


def around(answer: Answer, number: str, body: dict[str, Any]) -> Around:
    """The other frames of a streamed response."""
    facts = {"id": f"resp_{number}", "object": "response", "created_at": 1, "model": "m"}
    begun = {**facts, "previous_response_id": body.get("previous_response_id"), "status": "in_progress", "output": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    whole = {**part, "text": answer.whole}
    done = {**item, "status": "completed", "content": [whole]}
    start: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **_PLACE, "part": part},
    ]
    end: list[dict[str, Any]] = [
        {"type": "response.output_text.done", **_PLACE, "text": answer.whole},
        {"type": "response.content_part.done", **_PLACE, "part": whole},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": {**begun, "status": "completed", "output": [done], "usage": _USAGE}},
    ]
    before, after = (
        b"".join(_frame({**event, "sequence_number": n}) for n, event in enumerate(some, first))
        for first, some in ((0, start), (_FIRST + answer.deltas, end))
    )
    return before, after


def chat_deltas(answer: Answer) -> Iterator[bytes]:
    """The chunks with text of a streamed chat completion."""
    return (_chunk({"content": piece}) for piece in answer.pieces())


def _around_chat(_: Answer, __: str, ___: dict[str, Any]) -> Around:
    """The other chunks of a streamed chat completion."""
    return _chunk({"role": "assistant", "content": ""}), _chunk({}, "stop") + b"data: [DONE]\n\n"


def _chunk(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    facts = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(facts)}\n\n".encode()


# starting -------------------------------------------------------------------------------------------------------------


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """A server in threads of this process; over https if there is a certificate with its key."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(listener.getsockname()[1], certificate)
        thread = threading.Thread(target=server.accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def make_certificate(folder: Path) -> Path | None:
    """A certificate of 127.0.0.1 with its key, in one file; None where there is no `openssl`."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    name = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    words = (openssl, "req", "-x509", *kind, *name, "-keyout", str(key), "-out", str(certificate))
    subprocess.run(words, check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both
