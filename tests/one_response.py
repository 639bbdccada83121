"""One response as servers send it: its events with their numbers, whole, and cut after some of them."""

from tests.conftest import Command
from tests.scripted import Wire, created, delta, ended, error_reply, json_reply, message, numbered, response, sse

AT_ONCE = {"retry_after_ms": "1"}


def queued() -> bytes:
    return json_reply(response(response_id="r1", status="queued", background=True), retry_after_ms="1")


STREAM = numbered(created("r1"), delta("Grüße, "), delta("one "), delta("two "), delta("three"))
WHOLE = response(message("Grüße, one two three"), response_id="r1")
END = {**ended(WHOLE), "sequence_number": 5}


def cut_after(ask: Command, wire: Wire, events: int) -> None:
    """A stream that ended after so many events, and could not be taken up again."""
    wire.answer(sse(*STREAM[:events]), error_reply(400, "no"))
    assert ask("stream", "--retries", "0", "a").code == 69
    wire.requests.clear()
