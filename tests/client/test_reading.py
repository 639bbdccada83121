"""The events of a stream, whatever the places at which the network cuts it."""

from collections.abc import Iterator
from contextlib import nullcontext

import httpx
import pytest

from cometresp.client.body import Opened
from cometresp.client.reading import events_of
from cometresp.wire.events import Event
from cometresp.wire.masking import Secrets
from tests.scripted import delta, ended, frames, response

NAMED = frames([delta("a")])
DELTA = "response.output_text.delta"


class Sent(httpx.SyncByteStream):
    """Bytes that come in these pieces; `count` of them have been read."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.count += 1
            yield piece


def read(sent: Sent) -> Iterator[Event]:
    headers, request = {"Content-Type": "text/event-stream"}, httpx.Request("GET", "http://127.0.0.1/")
    reply = httpx.Response(200, headers=headers, stream=sent, request=request)
    return events_of(Opened(reply, nullcontext, RuntimeError, Secrets(), 1 << 20))  # type: ignore[arg-type] # unused


@pytest.mark.parametrize(
    ("pieces", "types"),
    [
        ([NAMED + NAMED], [DELTA, DELTA]),
        ([b":" + NAMED], [DELTA]),
        ([b"retry: 1\n\n:", NAMED], [DELTA]),
        ([b"retry: 1\n\n:", NAMED + NAMED], [DELTA, DELTA]),
        ([b"id: " + NAMED], [DELTA]),
        ([b"data: [DONE]\n\n", NAMED], [DELTA]),
        ([NAMED[:10], NAMED[10:]], [DELTA]),
        ([NAMED.replace(b"\n", b"\r\n"), NAMED], [DELTA, DELTA]),
    ],
)
def test_no_event_is_lost_whatever_stands_before_the_line_of_its_name(pieces: list[bytes], types: list[str]) -> None:
    assert [event.type for event in read(Sent(pieces))] == types


@pytest.mark.parametrize(
    ("pieces", "more"),
    [
        ([NAMED * 3], [True, True, False]),
        ([NAMED * 2 + NAMED[:-1], b"\n"], [True, False, False]),
        ([NAMED, NAMED], [False, False]),
        ([NAMED * 2 + b"data: [DONE]\n\n"], [True, False]),
        ([NAMED * 2 + b": comment\n\n"], [True, False]),
        ([NAMED * 2 + b"id: 7\n\n"], [True, False]),
        ([NAMED * 2 + b": data: {\n\n"], [True, False]),
        ([NAMED * 2 + b"id: 7\ndata: {}\n\n"], [True, False, False]),
        ([NAMED.replace(b"\n", b"\r\n") * 2], [False, False]),
        ([frames([ended(response()), delta("late")])], [True, False]),
        (
            [frames([delta("a"), delta("b"), ended(response())])],
            [True, False, False],
        ),  # written before the end is known
    ],
)
def test_an_event_says_that_another_one_came_with_it_only_where_one_did(pieces: list[bytes], more: list[bool]) -> None:
    sent = Sent(pieces)
    found = [(event.more, sent.count) for event in read(sent)]
    assert [flag for flag, _ in found] == more
    assert all(found[n + 1][1] == count for n, (flag, count) in enumerate(found) if flag)
