"""The input of a batch as the provider takes it (API 13.2), in a file of its own.

It is read and checked as for a run from here: the flags are defaults under what each line says.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from cometresp.batch.asked import Asked
from cometresp.batch.bodies import Bodies, Entry
from cometresp.batch.checks import check, entries, tell_bad
from cometresp.batch.source import open_source
from cometresp.errors import OutputError, UsageError
from cometresp.request.secrets import with_changed_tools
from cometresp.runtime import Runtime
from cometresp.tuples import NamedTuple
from cometresp.wire.batches import MOST_BYTES, MOST_LINES
from cometresp.wire.endpoints import BATCH_URL
from cometresp.wire.json import Json
from cometresp.wire.payload import Content, Payload
from cometresp.wire.tool_secrets import Change

_CHUNK = 1 << 18
_STREAMED = ("stream", "stream_options")  # which requests of a batch can't have


class InputFile(Content):
    """A file that is uploaded: its lines, read again each time it is sent."""

    __slots__ = ("file", "length", "size")

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.length = self.size = os.fstat(file.fileno()).st_size

    def check(self) -> None:
        return

    def pieces(self) -> Iterator[bytes]:
        self.file.seek(0)
        while lines := self.file.readlines(_CHUNK):
            yield b"".join(lines)


class LaneInput(NamedTuple):
    """What is sent: a file of requests, and how many they are."""

    file: InputFile
    requests: int

    def lines(self) -> Iterator[bytes]:
        self.file.file.seek(0)
        yield from self.file.file

    def warnings(self) -> list[str]:
        """What the provider may not take (API 13.2)."""
        found = []
        if self.requests > MOST_LINES:
            found.append(f"{self.requests} requests: most servers take at most {MOST_LINES} in a batch")
        if self.file.size > MOST_BYTES:
            most = f"{MOST_BYTES / 1e6:.0f} MB"
            found.append(f"{self.file.size / 1e6:.0f} MB: most servers take at most {most} in a batch")
        return found


@contextmanager
def lane_input(asked: Asked, runtime: Runtime, change: Change | None = None) -> Iterator[LaneInput]:
    """The requests of the input, for as long as the block lasts.

    `change` is what stands for secrets of tools. Raises UsageError, which lists the lines that can't be sent, unless
    --skip-bad leaves those out.
    """
    with tempfile.TemporaryFile() as file:  # which has no name, so that no end of the program leaves it behind
        count = _prepare(asked, runtime, file, change)
        yield LaneInput(InputFile(file), count)


def _prepare(asked: Asked, runtime: Runtime, file: IO[bytes], change: Change | None) -> int:
    """Check the input, and write its requests; returns how many."""
    source = open_source(asked.file, asked.batch, runtime.terminal)
    with source.file:
        bodies = Bodies(asked, runtime, source.form, resolve=not runtime.connection.only_shows)
        with runtime.terminal.waiting(f"checking {source.shown}"):
            checked = check(source, bodies, None)
        if checked.bad_count:
            tell_bad(checked, source, runtime.terminal.warn if asked.batch.skip_bad else None)
        if not checked.lines:
            raise UsageError(f"{source.shown} holds no requests{' that can be sent' if checked.bad_count else ''}")
        return _write(file, entries(source, bodies, None, checked), runtime, change)


def _write(file: IO[bytes], requests: Iterator[Entry], runtime: Runtime, change: Change | None) -> int:
    """Write a line for each request; returns how many. Attachments are in them whole."""
    count = 0
    try:
        with runtime.terminal.waiting("preparing the requests"):
            for entry in requests:
                file.writelines(Payload(_line(entry, change)))
                file.write(b"\n")
                count += 1
            file.flush()
    except OSError as error:
        raise OutputError(f"the requests can't be kept in {tempfile.gettempdir()}: {error.strerror}") from error
    return count


def _line(entry: Entry, change: Change | None) -> Json:
    body = with_changed_tools(entry.body, change) if change is not None else entry.body
    body = {name: value for name, value in body.items() if name not in _STREAMED}
    return {"custom_id": entry.custom_id, "method": "POST", "url": BATCH_URL, "body": body}


def requests_of(made: LaneInput) -> list[Json]:
    """All requests as JSON, for the inline dialect."""
    return [json.loads(line) for line in made.lines()]
