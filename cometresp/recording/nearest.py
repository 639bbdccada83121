"""Which recording is most like a request that was never recorded, and what is different. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

from cometresp.recording.requests import RecordedRequest

_LONGEST_VALUE = 40  # characters
_BEFORE = 13  # characters of an excerpt before the first difference
_MOST = 3  # differences that are named
_COMPARED = 300  # characters of two texts that are compared
_BODY = "the body"  # where it is different as a whole
_OTHER_KIND = 1000.0  # the weight of what makes it another kind of request
_ABSENT = object()
_MARK = re.compile(r"\\u[0-9a-f]{4}|\\.|.", re.DOTALL)  # of JSON


def nearest(request: RecordedRequest, recorded: Iterable[tuple[str, RecordedRequest]]) -> tuple[str, list[str]] | None:
    """The name of the recording that is most like the request, and its differences in words; None if there is none."""
    best: tuple[float, str, list[tuple[str, Any, Any]]] | None = None
    for name, other in recorded:
        different = list(_differences(request, other))
        distance = sum(_weight(where, there, here) for where, there, here in different)
        if other.method != request.method or other.path != request.path:
            distance += _OTHER_KIND
        if best is None or distance < best[0]:
            best = distance, name, different
    if best is None:
        return None
    words = ["{} ({} there, {} here)".format(where, *_shown(there, here)) for where, there, here in best[2][:_MOST]]
    left = len(best[2]) - _MOST
    return best[1], words + ([f"{left} more"] if left > 0 else [])


def _differences(request: RecordedRequest, other: RecordedRequest) -> Iterator[tuple[str, Any, Any]]:
    """Where the two are different, and what stands there: in the recording, in the request."""
    for name in ("method", "path", "query"):
        there, here = getattr(other, name), getattr(request, name)
        if name == "query":
            there, here = ("&".join(sorted(value.split("&"))) for value in (there, here))
        if there != here:
            yield name, there, here
    if "json" in request.form and "json" in other.form:
        yield from _within("", other.form["json"], request.form["json"])
    elif request.form != other.form:
        yield _BODY, other.form or _ABSENT, request.form or _ABSENT


def _within(where: str, there: Any, here: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(there, dict) and isinstance(here, dict):
        for name in dict.fromkeys([*there, *here]):
            path = f"{where}.{name}" if where else name
            yield from _within(path, there.get(name, _ABSENT), here.get(name, _ABSENT))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for index, (one, other) in enumerate(zip(there, here, strict=True)):
            yield from _within(f"{where}[{index}]", one, other)
    elif json_text(there) != json_text(here):
        yield where or _BODY, there, here


def _weight(where: str, there: Any, here: Any) -> float:
    """How much a difference counts: one of a field 0 to 1, where texts that are alike count less."""
    if where == _BODY:
        return _OTHER_KIND
    if isinstance(there, str) and isinstance(here, str):
        return 1.0 - SequenceMatcher(None, there[:_COMPARED], here[:_COMPARED]).ratio() * 0.9
    return 1.0


def _shown(there: Any, here: Any) -> tuple[str, str]:
    """The two values, of long ones an excerpt that begins shortly before the first difference."""
    one, other = _marks(there), _marks(here)
    same = 0
    if there is not _ABSENT and here is not _ABSENT:
        same = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    start = max(same - _BEFORE, 0) if max(len(one), len(other)) > _LONGEST_VALUE else 0
    return _excerpt(one, start), _excerpt(other, start)


def _excerpt(marks: list[str], start: int) -> str:
    begun = ["…", *marks[start + 1 :]] if start else marks
    return "".join(begun if len(begun) <= _LONGEST_VALUE else [*begun[: _LONGEST_VALUE - 1], "…"])


def _marks(value: Any) -> list[str]:
    """The characters of a value's JSON, each as it is shown; "none" if it is absent.

    A client may show any run of blanks as one: a space behind a space is `·`, and all other blanks are escapes.
    """
    if value is _ABSENT:
        return ["none"]
    text = re.sub("(?<= ) ", "·", json_text(value))
    return [mark if mark.isprintable() else json.dumps(mark)[1:-1] for mark in _MARK.findall(text)]


def json_text(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)
