"""Misbehaviour on purpose: what `--fault KIND[=ARG][@N|%P]` means, and how it changes a reply.

Requests to `/v1/responses` and below are counted from 1, whatever their method; a fault strikes all of them, the N-th
alone, or P percent of them. Faults that strike together add up; of those that take a reply's place the first counts.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cometresp.emulator.api import Stream
from cometresp.emulator.errors import ApiError
from cometresp.emulator.framing import dump, frame, framed
from cometresp.emulator.rules import Json

_PATH = re.compile(r"/v1/responses(/|$)")
_SPEC = re.compile(r"(?P<kind>[^=@%]*)(=(?P<argument>[^@%]*))?(@(?P<nth>[^@%]*)|%(?P<percent>[^@%]*))?")
_STATUS = re.compile(r"[45][0-9][0-9]")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_BYTES = re.compile(r"[0-9]{1,12}")
_NTH = re.compile(r"[1-9][0-9]{0,11}")
_PERCENT = re.compile(r"(100|[0-9]{1,2})(\.[0-9]{1,6})?")
_ALL = 100.0

# Kinds that steer the answer, as the `emulate:` words of the same names do.
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
# Without sequence numbers: those of the real events must stay what they are, for following.
_STRANGERS: list[Json] = [{"type": "response.emulated_unknown", "note": "of no known type"}, {"type": "keepalive"}]
_TEXT = b"event: response.output_text.delta"
_WIDE = re.compile(rb"[\xc0-\xff]")  # the first byte of a character of several

Wait = Callable[[float], bool]


class Fault(NamedTuple):
    """One `--fault`. `nth` and `percent` are None where it strikes every request."""

    kind: str
    argument: str | None = None
    nth: int | None = None
    percent: float | None = None


class Instead(NamedTuple):
    """A reply that is sent in place of the API's own."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]


def parse(spec: str) -> Fault:
    """Raises ValueError, with a message for the user, for what isn't a fault."""
    found = _SPEC.fullmatch(spec)
    if not found:
        raise ValueError(f"{spec!r}: must be KIND[=ARG][@N|%P]")
    kind = found["kind"]
    if kind not in KINDS and not _STATUS.fullmatch(kind):
        raise ValueError(f"{spec!r}: no such kind; there are {', '.join(KINDS)} and the statuses 400 to 599")
    argument, nth, percent = found["argument"], found["nth"], found["percent"]
    form, wanted = _RETRY_AFTER if kind.isdigit() else _ARGUMENTS.get(kind, (None, ""))
    if argument is not None and form is None:
        raise ValueError(f"{spec!r}: {kind} takes no argument")
    if argument is not None and form is not None and not form.fullmatch(argument):
        raise ValueError(f"{spec!r}: {kind} takes {wanted}, not {argument!r}")
    if nth is not None and not _NTH.fullmatch(nth):
        raise ValueError(f"{spec!r}: @ takes the number of a request, from 1, not {nth!r}")
    if percent is not None and not (_PERCENT.fullmatch(percent) and float(percent) <= _ALL):
        raise ValueError(f"{spec!r}: % takes a number from 0 to 100, not {percent!r}")
    return Fault(kind, argument, int(nth) if nth else None, float(percent) if percent else None)


class Faults:
    """The faults of an emulator, and which of them strike a request. Safe for many threads.

    Raises ValueError as `parse` does. The same `seed` draws the same requests for `%P`, if they come in the same order.
    """

    def __init__(self, specs: Sequence[str] = (), seed: int | None = None) -> None:
        self._faults = [parse(spec) for spec in specs]
        self._lock = threading.Lock()
        self._count = 0
        self._draw: Callable[[], float] = lambda: 0.0
        if any(fault.percent is not None for fault in self._faults):
            import random

            self._draw = random.Random(seed).random  # noqa: S311 - chance, not secrecy

    def strike(self, path: str) -> "Struck":
        if not self._faults or not _PATH.match(path):
            return Struck(())
        with self._lock:
            self._count += 1
            return Struck(tuple(fault for fault in self._faults if self._strikes(fault)))

    def _strikes(self, fault: Fault) -> bool:
        if fault.percent is not None:
            return self._draw() * _ALL < fault.percent
        return fault.nth in (None, self._count)


class Struck:
    """What the faults that strike a request do to its reply."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults: dict[str, Fault] = {}
        for fault in faults:
            self._faults.setdefault(fault.kind, fault)
        self.words = frozenset(kind for kind in self._faults if kind in _ANSWERS)
        self._instead = next((fault for fault in faults if fault.kind in _REPLIES or fault.kind.isdigit()), None)
        self.drops = self._instead is not None and self._instead.kind == "drop"
        self.cuts = "cut" in self._faults

    def instead(self, request_id: str) -> Instead | None:
        """The reply that is sent without asking the API, if any; where the connection is dropped there is none."""
        fault = self._instead
        if fault is None:
            return None
        match fault.kind:
            case "html":
                return Instead(200, "text/html; charset=utf-8", _PAGE, {})
            case "empty":
                return Instead(200, "application/json", b"", {})
            case "redirect":
                return Instead(301, "text/html; charset=utf-8", b"", {"Location": _ELSEWHERE})
            case "quota":
                return _error(429, "insufficient_quota", request_id)
            case status:
                after = {} if fault.argument is None else {"Retry-After": fault.argument}
                return _error(int(status), _CODES.get(status, "emulated_fault"), request_id, after)

    def body(self, reply: Json, wait: Wait) -> bytes:
        """A whole reply as it is announced; `cut` says how much of it is sent."""
        self._stall(wait)
        if "unknown" in self._faults and reply.get("object") == "response":
            reply = {**reply, "output": [*reply["output"], _ITEM], "emulated_unknown": True}
        data = dump(reply)
        return data[:-1] if "broken_json" in self._faults else data

    def cut(self, data: bytes) -> bytes:
        return data[: self._limit([data])] if self.cuts else data

    def frames(self, stream: Stream, wait: Wait) -> Iterator[bytes]:
        """The bytes of a stream, frame by frame, each when it is due."""
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
                sent = [frame(each) for each in _mixed(event, first=index == 0, last=last)]
            for data in sent:
                yield from [data] * copies

    def _stall(self, wait: Wait) -> bool:
        """False where the emulator ends meanwhile."""
        fault = self._faults.get("stall")
        return fault is None or wait(float(fault.argument or _STALL))

    def _limit(self, frames: Iterable[bytes]) -> int:
        """After how many bytes of the body to cut: in the middle, inside of a wide character if the text has one."""
        given = self._faults["cut"].argument
        if given is not None:
            return int(given)
        sizes, wide, place = [], [], 0
        for data in frames:
            if data.startswith(_TEXT) or not data.startswith(b"event:"):
                wide += [place + found.end() for found in _WIDE.finditer(data)]
            sizes.append(len(data))
            place += len(data)
        middle = len(sizes) // 2
        half = sum(sizes[:middle]) + (sizes[middle] // 2 if sizes else 0)
        return min(wide, key=lambda spot: abs(spot - half), default=half)


def _error(status: int, code: str, request_id: str, headers: dict[str, str] | None = None) -> Instead:
    error = ApiError(status, _REASON, code=code)
    return Instead(status, "application/json", dump(error.body(request_id)), headers or {})


def _mixed(event: Json, *, first: bool, last: bool) -> list[Json]:
    """An event with strangers: event types behind the first, before the last an item, which the response keeps."""
    if last and "response" in event:
        output = event["response"]["output"]
        place = {"output_index": len(output), "item": _ITEM}
        ended = {**event, "response": {**event["response"], "output": [*output, _ITEM]}}
        return [*({"type": f"response.output_item.{state}", **place} for state in ("added", "done")), ended]
    return [event, *_STRANGERS] if first else [event]


def _until(frames: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for data in frames:
        if limit <= 0:
            return
        yield data[:limit]
        limit -= len(data)
