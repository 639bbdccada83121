"""Events that are errors in a shape of their own: they end the answer, with exit code 1."""

import json
from typing import Any

from tests.replies.case import Run, Shows, data
from tests.scripted import STREAM_HEAD, created, delta, frames

SEEN = "vLLM, FastAPI servers, Google's gateway, new-api, Spring"
ENGINE = "engine died"
SHAPES: dict[str, tuple[Any, str]] = {
    "vllm": ({"object": "error", "message": ENGINE, "type": "BadRequestError", "param": None, "code": 400}, " (400)"),
    "detail": ({"detail": ENGINE}, ""),
    "details": ({"detail": [{"msg": ENGINE}]}, ""),
    "problem": ({"type": "https://h/e", "title": "Error", "status": 500, "detail": ENGINE}, ""),
    "text": ({"error": ENGINE}, ""),
    "flat": ({"type": "server_error", "code": None, "message": ENGINE, "param": None}, " (server_error)"),
    "nested": ({"error": {"error": {"message": ENGINE, "code": "dead"}}}, " (dead)"),
    "json": ({"error": {"message": json.dumps({"error": {"message": ENGINE, "code": "dead"}})}}, " (dead)"),
    "list": ([{"error": {"code": 503, "message": ENGINE, "status": "UNAVAILABLE"}}], " (503)"),
    "errors": ({"errors": [{"message": ENGINE, "code": "dead"}]}, " (dead)"),
    "number": ({"code": 50001, "msg": ENGINE}, " (50001)"),
    "success": ({"success": False, "message": ENGINE}, ""),
    "spring": ({"timestamp": 1, "status": 500, "error": ENGINE, "path": "/v1/responses"}, ""),
    "within": ({"response": {"error": {"message": ENGINE, "code": "dead"}}}, " (dead)"),
    "typed": ({"type": "response.error", "message": ENGINE}, ""),
}


def _run(frame: bytes, code: str) -> Run:
    alone = Shows("", 1, f"cometresp: error: the response failed{code}: {ENGINE}\n")
    later = Shows("Hel\n", 1, f"cometresp: error: resp_b1 failed{code}: {ENGINE}\n")
    begun = STREAM_HEAD + frames([created("resp_b1"), delta("Hel")])
    return Run([("ask hi", alone), ("stream hi", later)], replies=[STREAM_HEAD + frame, begun + frame])


RUNS = {name: _run(data(shape), code) for name, (shape, code) in SHAPES.items()} | {
    "named": _run(f"event: error\ndata: {json.dumps({'message': ENGINE})}\n\n".encode(), ""),
    "named text": _run(f"event: error\ndata: {ENGINE}\n\n".encode(), ""),
    "named string": _run(f'event: error\ndata: "{ENGINE}"\n\n'.encode(), ""),
    "bare": _run(f'{{"error": "{ENGINE}"}}\n'.encode(), ""),
}
