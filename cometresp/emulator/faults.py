"""Faults: the meaning of `--fault KIND[=ARG][@N|%P]`, and what each kind does to a reply.

Requests to `/v1/responses` and paths below it are counted from 1, with any method. A fault applies to all of them, to
the N-th only, or to P percent of them. Several faults can apply to one request; of those that replace the reply, only
the first given counts.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cometresp.emulator.errors import ApiError
from cometresp.emulator.framing import dump, frame, framed
from cometresp.emulator.lifecycle import Stream
from cometresp.emulator.rules import Json

_PATH = re.compile(r"/v1/responses(/|$)")
_SPEC = re.compile(r"(?P<kind>[^=@%]*)(=(?P<argument>[^@%]*))?(@(?P<nth>[^@%]*)|%(?P<percent>[^@%]*))?")
_STATUS = re.compile(r"[45][0-9][0-9]")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_BYTES = re.compile(r"[0-9]{1,12}")
_NTH = re.compile(r"[1-9][0-9]{0,11}")
_PERCENT = re.compile(r"(100|[0-9]{1,2})(\.[0-9]{1,6})?")
_ALL = 100.0

# Kinds that change the answer, like the `emulate:` words of the same names.
_ANSWERS = ("refusal", "incomplete", "content_filter", "failed", "error")
_REPLIES = ("quota", "html", "empty", "redirect", "drop")
_BODIES = ("stall", "cut", "unfinished", "broken_json", "duplicate", "unknown")
KINDS = _ANSWERS + _REPLIES + _BODIES
_ARGUMENTS = {"stall": (_SECONDS, "a number of seconds"), "cut": (_BYTES, "a whole number of bytes")}
_RETRY_AFTER = (_SECONDS, "a number of seconds, for Retry-After")
_STALL = "60"
_CODES = {"401": "invalid_api_key", "429": "rate_limit_exceeded"}
_REASON = "The emulator misbehaves because --fault asked it to."
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Emulated</title></head><body><h1>Not the API</h1></body></html>\n"
_ELSEWHERE = "https://redirected.invalid/"
_ITEM: Json = {"id": "unknown_emulated", "type": "emulated_unknown", "status": "completed", "note": "of no known type"}
# Without sequence numbers, so that those of the other events remain right for following.
_UNKNOWN_EVENTS: list[Json] = [{"type": "response.emulated_unknown", "note": "of no known type"}, {"type": "keepalive"}]
_TEXT = b"event: response.output_text.delta"
_WIDE = re.compile(rb"[\xc0-\xff]")  # the first byte of a character of several bytes

Wait = Callable[[float], bool]


class Fault(NamedTuple):
    """One `--fault`. With neither `nth` nor `percent` it applies to every request."""

    kind: str
    argument: str | None = None
    nth: int | None = None
    percent: float | None = None


class Replacement(NamedTuple):
    """A reply that is sent in place of the API's reply."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]


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

    def next_request(self, path: str) -> "RequestFaults":
        """Count a request; the faults that apply to it."""
        if not self._faults or not _PATH.match(path):
            return RequestFaults(())
        with self._lock:
            self._count += 1
            return RequestFaults(tuple(fault for fault in self._faults if self._applies(fault)))

    def _applies(self, fault: Fault) -> bool:
        if fault.percent is not None:
            return self._draw() * _ALL < fault.percent
        return fault.nth in (None, self._count)


class RequestFaults:
    """The faults that apply to one request, and what they do to its reply."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults: dict[str, Fault] = {}
        for fault in faults:
            self._faults.setdefault(fault.kind, fault)
        self.words = frozenset(kind for kind in self._faults if kind in _ANSWERS)
        self._replacing = next((fault for fault in faults if fault.kind in _REPLIES or fault.kind.isdigit()), None)
        self.drops = self._replacing is not None and self._replacing.kind == "drop"
        self.cuts = "cut" in self._faults

    def replacement(self, request_id: str) -> Replacement | None:
        """The reply to send in place of the API's, if any. Check `drops` first: a dropped connection has no reply."""
        fault = self._replacing
        if fault is None:
            return None
        match fault.kind:
            case "html":
                return Replacement(200, "text/html; charset=utf-8", _PAGE, {})
            case "empty":
                return Replacement(200, "application/json", b"", {})
            case "redirect":
                return Replacement(301, "text/html; charset=utf-8", b"", {"Location": _ELSEWHERE})
            case "quota":
                return _error(429, "insufficient_quota", request_id)
            case status:
                after = {} if fault.argument is None else {"Retry-After": fault.argument}
                return _error(int(status), _CODES.get(status, "emulated_fault"), request_id, after)

    def body(self, reply: Json, wait: Wait) -> bytes:
        """The bytes of a whole reply. Its Content-Length counts all of them, `cut` returns those to send."""
        self._stall(wait)
        if "unknown" in self._faults and reply.get("object") == "response":
            reply = {**reply, "output": [*reply["output"], _ITEM], "emulated_unknown": True}
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
            elif "unknown" in self._faults:
                sent = [frame(each) for each in _with_unknown(event, first=index == 0, last=last)]
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


def _error(status: int, code: str, request_id: str, headers: dict[str, str] | None = None) -> Replacement:
    error = ApiError(status, _REASON, code=code)
    return Replacement(status, "application/json", dump(error.body(request_id)), headers or {})


def _with_unknown(event: Json, *, first: bool, last: bool) -> list[Json]:
    """An event with what is unknown: event types after the first event, an item before the last one and in it."""
    if last and "response" in event:
        output = event["response"]["output"]
        place = {"output_index": len(output), "item": _ITEM}
        ended = {**event, "response": {**event["response"], "output": [*output, _ITEM]}}
        return [*({"type": f"response.output_item.{state}", **place} for state in ("added", "done")), ended]
    return [event, *_UNKNOWN_EVENTS] if first else [event]


def _until(frames: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for data in frames:
        if limit <= 0:
            return
        yield data[:limit]
        limit -= len(data)
