"""JSON as bytes, and an event as a frame of server-sent events (API 7.1)."""

import json

from cometresp.emulator.rules import Json


def dump(value: Json) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can escape but UTF-8 can't encode
        return json.dumps(value, separators=(",", ":")).encode()


def frame(event: Json) -> bytes:
    return framed(event["type"], dump(event))


def framed(kind: str, data: bytes) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
