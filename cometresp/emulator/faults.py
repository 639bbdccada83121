"""Faults: the meaning of `--fault KIND[=ARG][@N|%P]`, and which of them apply to a request.

Requests to `/v1/responses`, `/v1/conversations`, `/v1/files`, `/v1/batches` and paths below them are counted from 1,
with any method. A fault
applies to all of them, to the N-th only, or to P percent of them. Several faults can apply to one request; of those
that replace the reply, only the first given counts.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from cometresp.emulator import oddities
from cometresp.emulator.batches import WORDS as BATCH_WORDS
from cometresp.emulator.framing import dump, frame, framed
from cometresp.emulator.lifecycle import Reply, Stream
from cometresp.emulator.oddities import odd_events, odd_response
from cometresp.emulator.replacements import EVENT_STREAM, Replacement, previous_of, replacement
from cometresp.emulator.rules import Json
from cometresp.tuples import NamedTuple

_PATH = re.compile(r"/v1/(responses|conversations|files|batches)(/|$)")
_RESPONSE = re.compile(r"/v1/responses/[^/]+")
_SPEC = re.compile(r"(?P<kind>[^=@%]*)(=(?P<argument>[^@%]*))?(@(?P<nth>[^@%]*)|%(?P<percent>[^@%]*))?")
_STATUS = re.compile(r"[45][0-9][0-9]")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_WHOLE = re.compile(r"[0-9]{1,12}")
_WORD = re.compile(r"[a-z_]{1,40}")
_NTH = re.compile(r"[1-9][0-9]{0,11}")
_PERCENT = re.compile(r"(100|[0-9]{1,2})(\.[0-9]{1,6})?")
_ALL = 100.0

# Kinds that change the answer, like `emulate:` words.
_ANSWERS = ("refusal", "incomplete", "length", "content_filter", "failed", "error")
_REPLIES = ("quota", "quota_type", "usage_limit", "forgotten", "html", "empty", "redirect", "drop", "sse_error")
_BODIES = ("stall", "cut", "unfinished", "broken_json", "duplicate", "text_plain", "untyped", "sse_json")
KINDS = (*_ANSWERS, *_REPLIES, *_BODIES, *oddities.KINDS, "batch")
_ARGUMENTS = {
    "stall": (_SECONDS, "a number of seconds"),
    "cut": (_WHOLE, "a whole number of bytes"),
    "usage_limit": (_WHOLE, "a whole number of seconds"),
    "forgotten": (_STATUS, "a status from 400 to 599"),
    "status": (_WORD, "a status, such as expired or requires_action"),
    "batch": (re.compile("|".join(BATCH_WORDS)), f"one of {', '.join(BATCH_WORDS)}"),
}
_RETRY_AFTER = (_SECONDS, "a number of seconds, for Retry-After")
_STALL = "60"
_BATCH_WORD = "expired"
_TEXT = b"event: response.output_text.delta"
_WIDE = re.compile(rb"[\xc0-\xff]")  # the first byte of a character of several bytes

Wait = Callable[[float], bool]


class Fault(NamedTuple):
    """One `--fault`. With neither `nth` nor `percent` it applies to every request."""

    kind: str
    argument: str | None = None
    nth: int | None = None
    percent: float | None = None


def parse(spec: str) -> Fault:
    """The fault of a `--fault` value. Raises ValueError with a message for the user."""
    found = _SPEC.fullmatch(spec)
    if not found:
        raise ValueError(f"{spec!r}: must be KIND[=ARG][@N|%P]")
    kind = found["kind"]
    if kind not in KINDS and not _STATUS.fullmatch(kind):
        raise ValueError(f"{spec!r}: no such kind; there are {', '.join(KINDS)} and the statuses 400 to 599")
    argument, nth, percent = found["argument"], found["nth"], found["percent"]
    form, described = _RETRY_AFTER if kind.isdigit() else _ARGUMENTS.get(kind, (None, ""))
    if argument is not None and form is None:
        raise ValueError(f"{spec!r}: {kind} takes no argument")
    if argument is not None and form is not None and not form.fullmatch(argument):
        raise ValueError(f"{spec!r}: {kind} takes {described}, not {argument!r}")
    if nth is not None and not _NTH.fullmatch(nth):
        raise ValueError(f"{spec!r}: @ takes the number of a request, from 1, not {nth!r}")
    if percent is not None and not (_PERCENT.fullmatch(percent) and float(percent) <= _ALL):
        raise ValueError(f"{spec!r}: % takes a number from 0 to 100, not {percent!r}")
    return Fault(kind, argument, int(nth) if nth else None, float(percent) if percent else None)


class Faults:
    """The faults of an emulator, and which of them apply to a request. Safe for many threads.

    Raises ValueError as `parse` does. The same `seed` picks the same requests for `%P`, if they come in the same order.
    """

    def __init__(self, specs: Sequence[str] = (), seed: int | None = None) -> None:
        self._faults = [parse(spec) for spec in specs]
        self._lock = threading.Lock()
        self._count = 0
        self._draw: Callable[[], float] = lambda: 0.0
        if any(fault.percent is not None for fault in self._faults):
            import random

            self._draw = random.Random(seed).random  # noqa: S311 - nothing secret depends on it

    def next_request(self, method: str, path: str) -> "RequestFaults":
        """Count a request; the faults that apply to it."""
        if not self._faults or not _PATH.match(path):
            return RequestFaults(())
        with self._lock:
            self._count += 1
            due = [fault for fault in self._faults if self._applies(fault)]
        return RequestFaults(tuple(fault for fault in due if _concerns(fault.kind, method, path)))

    def _applies(self, fault: Fault) -> bool:
        if fault.percent is not None:
            return self._draw() * _ALL < fault.percent
        return fault.nth in (None, self._count)


def _concerns(kind: str, method: str, path: str) -> bool:
    """Whether the kind has an effect on this endpoint."""
    if kind == "batch":
        return (method, path) == ("POST", "/v1/batches")
    if kind in ("forgotten", "queued"):
        return (method, path) == ("POST", "/v1/responses")
    return kind != "other_id" or (method == "GET" and _RESPONSE.fullmatch(path) is not None)


class RequestFaults:
    """The faults that apply to one request, and what they do to its reply."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults: dict[str, Fault] = {}
        for fault in faults:
            self._faults.setdefault(fault.kind, fault)
        self.words = frozenset(kind for kind in self._faults if kind in _ANSWERS)
        if "batch" in self._faults:
            self.words |= {f"batch={self._faults['batch'].argument or _BATCH_WORD}"}
        self._replacing = [fault for fault in faults if fault.kind in _REPLIES or fault.kind.isdigit()]
        self._odd = {kind: self._faults[kind].argument for kind in oddities.KINDS if kind in self._faults}
        self.cuts = "cut" in self._faults

    def replacement(self, body: bytes, request_id: str) -> Replacement | None:
        """The reply to send in place of the API's, if any. Status 0 stands for a dropped connection."""
        previous = previous_of(body) if "forgotten" in self._faults else None
        for fault in self._replacing:
            if fault.kind != "forgotten" or previous is not None:
                return replacement(fault.kind, fault.argument, request_id, previous)
        return None

    def content_type(self, usual: str) -> str | None:
        """The type that the reply is sent with, if any."""
        if "untyped" in self._faults:
            return None
        if "text_plain" in self._faults:
            return "text/plain; charset=utf-8"
        return EVENT_STREAM if "sse_json" in self._faults else usual

    def gathered(self, reply: Reply) -> Reply:
        """The whole reply in place of a stream, for `sse_json`."""
        if isinstance(reply, dict | bytes) or "sse_json" not in self._faults:
            return reply
        last = [*reply.whole()][-1]
        return last.get("response") or {"error": last}

    def body(self, reply: Json | bytes, wait: Wait) -> bytes:
        """The bytes of a whole reply. Its Content-Length counts all of them, `cut` returns those to send."""
        self._stall(wait)
        if isinstance(reply, bytes):
            return reply
        if reply.get("object") == "response" and "output" in reply:
            reply = odd_response(reply, self._odd)
        data = dump(reply)
        return data[:-1] if "broken_json" in self._faults else data

    def cut(self, data: bytes) -> bytes:
        return data[: self._limit([data])] if self.cuts else data

    def frames(self, stream: Stream, wait: Wait) -> Iterator[bytes]:
        """The frames of a stream, each when it is due."""
        if not self._faults:
            return map(frame, stream)
        length = sum(1 for _ in stream.whole())
        frames = self._frames(stream, length, wait)
        if not self.cuts:
            return frames
        return _until(frames, self._limit(self._frames(stream.whole(), length, lambda _: True)))

    def _frames(self, events: Iterable[Json], length: int, wait: Wait) -> Iterator[bytes]:
        copies = 2 if "duplicate" in self._faults else 1
        for index, event in enumerate(events):
            last = index == length - 1
            if index == length // 2 and not self._stall(wait):
                return
            if last and "unfinished" in self._faults:
                return
            sent = [frame(event)]
            if index == length // 2 and "broken_json" in self._faults:
                sent = [framed(event["type"], dump(event)[:-1])]
            elif self._odd:
                sent = [frame(each) for each in odd_events(event, self._odd, first=index == 0)]
            for data in sent:
                yield from [data] * copies

    def _stall(self, wait: Wait) -> bool:
        """Wait for the `stall` fault, if there is one. False if the emulator stops during that time."""
        fault = self._faults.get("stall")
        return fault is None or wait(float(fault.argument or _STALL))

    def _limit(self, frames: Iterable[bytes]) -> int:
        """The bytes to send before the cut: about half, inside a character of several bytes if there is one."""
        given = self._faults["cut"].argument
        if given is not None:
            return int(given)
        sizes, wide, position = [], [], 0
        for data in frames:
            # In a stream only the deltas count; a whole reply is one piece of data without an event line.
            if data.startswith(_TEXT) or not data.startswith(b"event:"):
                wide += [position + found.end() for found in _WIDE.finditer(data)]
            sizes.append(len(data))
            position += len(data)
        middle = len(sizes) // 2
        half = sum(sizes[:middle]) + (sizes[middle] // 2 if sizes else 0)
        return min(wide, key=lambda spot: abs(spot - half), default=half)


def _until(frames: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for data in frames:
        if limit <= 0:
            return
        yield data[:limit]
        limit -= len(data)
