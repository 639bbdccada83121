"""The input of a batch as the provider takes it (API 13.2): checked, and written to a file of its own.

A line that is a request already, and to which no flag adds anything, stays as it is, byte for byte.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

from cometresp.errors import UsageError
from cometresp.text import escape_line, valid_json
from cometresp.wire.batches import MOST_BYTES, MOST_LINES
from cometresp.wire.endpoints import BATCH_URL
from cometresp.wire.json import Json, is_deeper_than, no_constant, obj
from cometresp.wire.payload import Content

_MOST_PROBLEMS = 20  # lines that are listed
_CHUNK = 1 << 18
_DEEPEST = 100  # levels of JSON
_BOM = b"\xef\xbb\xbf"
_REQUEST = {"custom_id", "method", "url", "body"}


class InputFile(Content):
    """A file that is uploaded: its bytes, read again each time it is sent."""

    __slots__ = ("length", "path", "size")

    def __init__(self, path: str) -> None:
        self.path = path
        self.length = self.size = os.stat(path).st_size  # noqa: PTH116

    def check(self) -> None:
        return

    def pieces(self) -> Iterator[bytes]:
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
            while chunk := file.read(_CHUNK):
                yield chunk


class LaneInput(NamedTuple):
    """What is sent: a file of requests, how many they are, and the problems of the lines that were left out."""

    file: InputFile
    requests: int
    skipped: list[str]

    def lines(self) -> Iterator[bytes]:
        with open(self.file.path, "rb") as file:  # noqa: PTH123
            yield from file

    def warnings(self) -> list[str]:
        """What the provider may not take (API 13.2)."""
        found = []
        if self.requests > MOST_LINES:
            found.append(f"{self.requests} requests: most servers take at most {MOST_LINES} in a batch")
        if self.file.size > MOST_BYTES:
            found.append(
                f"{self.file.size / 1e6:.0f} MB: most servers take at most {MOST_BYTES / 1e6:.0f} MB in a batch"
            )
        return found


@contextmanager
def lane_input(source: BinaryIO, name: str, defaults: Json, *, skip_bad: bool = False) -> Iterator[LaneInput]:
    """The requests of a source, for as long as the block lasts; `defaults` stand under the body of each.

    Raises UsageError, which lists the lines that can't be sent, unless those are skipped.
    """
    descriptor, path = tempfile.mkstemp(prefix="cometresp-batch-", suffix=".jsonl")
    try:
        with os.fdopen(descriptor, "wb") as target:
            count, problems = _converted(source, target, defaults)
        if problems and not skip_bad:
            raise _refused(name, problems)
        if not count:
            raise UsageError(f"FILE: {name} has no requests")
        yield LaneInput(InputFile(path), count, problems)
    finally:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108


def _converted(source: BinaryIO, target: BinaryIO, defaults: Json) -> tuple[int, list[str]]:
    """Write the requests; how many they are, and what is wrong with the other lines."""
    count, problems = 0, []
    seen: dict[str, int] = {}
    for number, raw in enumerate(source, 1):
        line = raw.removeprefix(_BOM).strip() if number == 1 else raw.strip()
        if not line:
            continue
        try:
            custom_id, sent = _request(line, number, defaults)
            if (first := seen.setdefault(custom_id, number)) != number:
                raise _LineError(f"custom_id {_shown(custom_id)} is that of line {first}, too")  # noqa: TRY301
        except _LineError as error:
            problems.append(f"line {number}: {error}")
            continue
        target.write(sent + b"\n")
        count += 1
    return count, problems


class _LineError(Exception):
    """Why a line can't be sent."""


def _request(line: bytes, number: int, defaults: Json) -> tuple[str, bytes]:
    """The id and the bytes of a request. Raises _LineError."""
    value = _parsed(line)
    whole = isinstance(value, dict) and bool(_REQUEST - {"custom_id"} & value.keys())
    if whole:
        custom_id, body = value.get("custom_id"), value.get("body")
        for field, allowed in (("method", "POST"), ("url", BATCH_URL)):
            if value.get(field) != allowed:
                raise _LineError(f"{field} must be {allowed!r}, not {_shown(value.get(field))}")
        if not isinstance(body, dict):
            raise _LineError("body must be an object")
    else:
        custom_id, body = _bare(value, number)
    if not isinstance(custom_id, str) or not custom_id:
        raise _LineError("custom_id must be a text" if custom_id is not None else "custom_id is missing")
    merged = _under(defaults, body)
    _check_body(merged)
    if whole and merged == body:
        return custom_id, line
    made = {"custom_id": custom_id, "method": "POST", "url": BATCH_URL, "body": merged}
    document = valid_json(json.dumps(made, ensure_ascii=False, separators=(",", ":")))
    return custom_id, document.encode(errors="backslashreplace")


def _bare(value: object, number: int) -> tuple[object, Json]:
    """The id and the body of a line that is a prompt or a body alone."""
    if isinstance(value, str):
        value = {"prompt": value}
    if not isinstance(value, dict):
        raise _LineError("must be a request, a body, or a prompt: a JSON object or text")
    body = {name: field for name, field in value.items() if name not in ("custom_id", "prompt")}
    if "prompt" in value and isinstance(value["prompt"], str):
        if "input" in body:
            raise _LineError("has both prompt and input")
        body["input"] = value["prompt"]
    elif "prompt" in value:
        body["prompt"] = value["prompt"]  # one that is stored on the server
    return value.get("custom_id", f"line-{number}"), body


def _check_body(body: Json) -> None:
    for field in ("stream", "background"):
        if body.get(field):
            raise _LineError(f"body.{field} can't be set in a batch")
    if "model" not in body and not obj(body.get("prompt")).get("id"):
        raise _LineError("body.model is missing, and -m names none")
    if not any(name in body for name in ("input", "prompt", "previous_response_id", "conversation")):
        raise _LineError("body.input is missing")


def _under(defaults: Json, body: Json) -> Json:
    """The body with the defaults for what it leaves open, also within objects such as `text`."""
    merged = {name: value for name, value in defaults.items() if name not in body}
    for name, value in body.items():
        below = defaults.get(name)
        merged[name] = _under(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _parsed(line: bytes) -> object:
    try:
        value: object = json.loads(line, parse_constant=no_constant)
    except UnicodeDecodeError as error:
        raise _LineError("is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise _LineError(f"is not JSON: column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise _LineError(f"is not JSON that can be read: {error}") from error
    if is_deeper_than(_DEEPEST, value):
        raise _LineError("is nested too deeply")
    return value


def _shown(value: object) -> str:
    return escape_line(repr(value), 60)


def _refused(name: str, problems: list[str]) -> UsageError:
    count = f"{len(problems)} line{'' if len(problems) == 1 else 's'}"
    left = len(problems) - _MOST_PROBLEMS
    rows = [f"  {problem}" for problem in problems[:_MOST_PROBLEMS]] + ([f"  … and {left} more"] if left > 0 else [])
    message = "\n".join([f"FILE: {count} of {name} can't be sent", *rows])
    return UsageError(message, hint="--skip-bad goes on without them")
