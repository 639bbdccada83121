"""Prompts of a batch, and answers that repeat them."""

import json
import socket
from pathlib import Path
from typing import Any

from tests.scripted import Request, message, response, text_stream

USAGE = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
RESPONSE = response(message("<a>"), response_id="resp_a", usage=USAGE)


def answering(request: Request, connection: socket.socket) -> None:
    """Answers each prompt with itself, in a response whose id it is."""
    prompt = request.json()["input"]
    connection.sendall(text_stream(f"<{prompt}>", response_id=f"resp_{prompt}", usage=USAGE))


def requests_in(home: Path, *lines: Any, name: str = "in.jsonl") -> str:
    (home / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return name


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]
