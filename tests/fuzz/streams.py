"""The bytes of a stream, or of a whole reply: the same events and the same answer however they are cut, or our errors.

The bytes are read with three content types, then an answer is made of the events as a run makes it.
"""

import json
import random
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32

import httpx

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import emptiness, is_good, verdict
from cometresp.client.body import Opened
from cometresp.client.reading import events_of, whole_event
from cometresp.errors import ProtocolError, UnreachableError
from cometresp.text import json_bytes, to_bytes, valid_json
from cometresp.turns.replay import recorded_items
from cometresp.wire.events import Event
from cometresp.wire.masking import Secrets
from tests import replies
from tests.answer.transcripts.anything import KINDS
from tests.answer.transcripts.streams import STREAMS, stream
from tests.fuzz.target import Target
from tests.scripted import created, delta, ended, frames, json_reply, message, response

_KINDS = ("text/event-stream", "application/json", "text/plain; charset=latin-1")
_SECRET = "sk-fuzz-0123456789"
_SECRETS = Secrets()
_SECRETS.add_key(_SECRET)
_REQUEST = httpx.Request("POST", "http://127.0.0.1/v1/responses")
_CUTS = 2  # other ways to cut the same bytes
_SINGLY = 600  # bytes that are also read one by one


class Read(NamedTuple):
    """What came of a reply: its events, and the error that ended them."""

    events: list[Event]
    error: tuple[type[Exception], str, str, int] | None


def check(data: bytes) -> None:
    first = _read([data], _KINDS[0])
    told = _answered(first)
    for chunks in _cuts(data):
        again = _read(chunks, _KINDS[0])
        assert again == first, f"cut into {len(chunks)}"
    assert _answered(again) == told, "the answer depends on more than its events"
    for kind in _KINDS[1:]:
        other = _read([data], kind)
        assert _read(chunks, kind) == other, f"cut into {len(chunks)}, {kind}"
        if other != first:
            _answered(other)
    with suppress(ProtocolError):
        whole_event(_opened([data], _KINDS[1]))


def _cuts(data: bytes) -> Iterator[list[bytes]]:
    """The bytes in pieces: some or all of them alone, and at places that depend on nothing but the bytes."""
    rnd = random.Random(crc32(data))
    start = rnd.randrange(max(len(data) - _SINGLY, 0) + 1)
    end = min(start + _SINGLY, len(data))
    singly = [data[n : n + 1] for n in range(start, end)]
    yield [chunk for chunk in (data[:start], *singly, data[end:]) if chunk]
    for _ in range(_CUTS):
        places = sorted(rnd.randrange(len(data) + 1) for _ in range(rnd.choice((1, 2, 8))))
        yield [data[a:b] for a, b in pairwise([0, *places, len(data)])]


def _opened(chunks: list[bytes], kind: str) -> Opened:
    reply = httpx.Response(200, headers={"content-type": kind}, content=iter(chunks), request=_REQUEST)
    return Opened(reply, nullcontext, lambda fault: UnreachableError(str(fault)), _SECRETS, limit=1 << 28)


def _read(chunks: list[bytes], kind: str) -> Read:
    """All events, with the error that ended them. Any other exception than those of a broken reply is a finding."""
    events = []
    try:
        for event in events_of(_opened(chunks, kind)):
            assert type(event.type) is str
            assert type(event.data) is dict
            assert event.raw.isascii() or json_bytes(event.raw).decode()
            events.append(event._replace(more=False))  # which depends on how the bytes are cut
    except (ProtocolError, UnreachableError) as error:
        told = (type(error), error.message, error.hint, error.exit_code)
    else:
        return Read(events, None)
    assert len(told[1]) < 1000, f"a message of {len(told[1])} characters"
    return Read(events, told)


def _answered(read: Read) -> Any:
    """All that a run shows and records of these events."""
    answer, shown, commentary = Answer(), "", ""
    for event in json.loads(json.dumps(read.events)):
        answer.apply(Event(*event))
        shown += answer.read_new_text()
        commentary += answer.read_new_commentary()
        assert answer.open_items is not None
        assert all(item.as_dict() is not None for item in answer.take_changed_items())
        if answer.ended:
            break
    if not answer.ended:
        answer.close(cut=True)
    shown += answer.read_new_text()
    if not answer.contradicted:
        assert to_bytes(shown) == to_bytes(answer.printed_text), "the text that was shown isn't that of the answer"
    assert answer.read_new_text() == "", "text comes after the end"
    written = valid_json(json.dumps(answer.as_response(), ensure_ascii=False))
    json.loads(json_bytes(written))
    error = verdict(answer)
    told = (type(error), error.message, error.hint, error.exit_code) if error is not None else None
    if error is not None:
        _check_message(error.message, answer)
    else:
        assert is_good(answer, allow_incomplete=False), "exit 0, but not a turn to continue"
    recorded = json.dumps(recorded_items(answer.output))
    seen = (answer.id, answer.status, answer.reasoning, commentary, answer.usage, emptiness(answer))
    return (*seen, shown, written, told, recorded)


def _check_message(message: str, answer: Answer) -> None:
    """What a server says is on one line, and each of its open calls; no message is endless."""
    message = message.replace(answer.id, "")  # ids that aren't plain are refused elsewhere
    assert len(message.splitlines()) <= 1 + len(answer.open_calls), "a message has several lines"
    assert len(message) < 3000 + 400 * len(answer.open_calls), "a message is too long"


# what to start from -------------------------------------------------------------------------------------------------


def _seeds() -> Iterator[bytes]:
    for items, how in STREAMS.values():
        yield frames(stream(*items, **how))
    yield frames([created(), delta("Hel"), delta("lo"), ended(response(message("Hello")))]) + b"data: [DONE]\n\n"
    yield json_reply(response(message("Hello"))).partition(b"\r\n\r\n")[2]
    yield from _recorded()
    yield b"\xef\xbb\xbfid: 1\r\nevent: error\rretry: 5\ndata: {\ndata: }\n\n: comment\n\n"
    yield b"<html><body>502 Bad Gateway</body></html>"


def _recorded() -> Iterator[bytes]:
    """The bodies of the replies in tests/replies that are bytes."""
    from importlib import import_module
    from pathlib import Path

    for path in sorted(Path(replies.__path__[0]).glob("[a-z]*.py")):
        runs = getattr(import_module(f"tests.replies.{path.stem}"), "RUNS", {})
        for script in [script for run in runs.values() for script in run.scripts]:
            if isinstance(script, bytes) and len(body := script.partition(b"\r\n\r\n")[2]) < 6000:
                yield body


_KEYS = (
    *("type", "id", "object", "status", "output", "output_index", "content_index", "item_id", "item", "part", "delta"),
    *("text", "response", "error", "message", "code", "sequence_number", "content", "summary", "call_id", "arguments"),
    *("phase", "role", "refusal", "usage", "incomplete_details", "reason", "output_text", "annotations", "tools"),
)
_VALUES = (
    *("null", "true", "0", "-1", "1e999", "NaN", "[]", "{}", '""', "[[]]", '"\\ud83d"', '"\\u202e"', "9" * 5000),
    *('"message"', '"reasoning"', '"function_call"', '"commentary"', '"completed"', '"failed"', '"response"'),
    *('"queued"', '"requires_action"', '"output_text"', '"mcp"', f'"{_SECRET}"', "[" * 200, '{"a":' * 200),
)
_MARKS = ("data: ", "data:", "event: ", "id: 1\n", "retry: 1\n", ": ping\n\n", "\n\n", "\r\n\r\n", "\r", "\0", "\ufeff")
_OTHERS = ("[DONE]", "data: [DONE]\n\n", "\u2028", "\x85", "data: x\n\n", "event: error\ndata: x\n\n", ",", ":", '"')

TARGET = Target(
    check=check,
    seeds=tuple(dict.fromkeys(_seeds())),
    words=(
        *(word.encode() for word in (*_VALUES, *_MARKS, *_OTHERS)),
        *(f'"{key}":{value},'.encode() for key in _KEYS for value in ("null", "0", '"a"', "[]", "{}")),
        *(f'"{kind}"'.encode() for kind in KINDS),
        b"\xff",
        b"\xf0\x9f",
        b":" + b"x" * 4080 + b"\n",  # what is kept of a stream ends about here
        b"x" * 4090,
        b"oops\n",
    ),
    separator=b"\n",
)
