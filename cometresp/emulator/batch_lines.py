"""The lines of a batch's input (API 13.2): requests, and what is wrong with those that are none."""

import json
from collections.abc import Iterable

from cometresp.emulator.errors import ApiError
from cometresp.emulator.query import parse
from cometresp.emulator.rules import Json
from cometresp.tuples import NamedTuple

_URL = "/v1/responses"
_MOST = 50_000  # requests in a batch


class Line(NamedTuple):
    custom_id: str
    body: Json


class LineProblem(NamedTuple):
    """What is wrong with a line, as in the `errors` of a batch; `line` counts from 1."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


def parse_lines(lines: Iterable[bytes]) -> tuple[list[Line], list[LineProblem]]:
    """The requests, and every problem."""
    good: list[Line] = []
    bad: list[LineProblem] = []
    seen: set[str] = set()
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        found = _parsed(raw, number)
        if isinstance(found, Line) and found.custom_id in seen:
            text = f"The custom_id '{found.custom_id}' is a duplicate: it must be unique."
            found = LineProblem("duplicate_custom_id", text, number, "custom_id")
        if isinstance(found, LineProblem):
            bad.append(found)
        else:
            seen.add(found.custom_id)
            good.append(found)
    if not good and not bad:
        bad.append(LineProblem("empty_file", "The input has no requests."))
    if len(good) + len(bad) > _MOST:
        bad.insert(0, LineProblem("too_many_tasks", f"The input has more than {_MOST} requests."))
    return good, bad


def _parsed(raw: bytes, number: int) -> Line | LineProblem:
    try:
        line = parse(raw)
    except ApiError:
        return LineProblem("invalid_json_line", "This line is not parseable as valid JSON.", number)
    for name in ("custom_id", "method", "url", "body"):
        if name not in line:
            text = f"Missing required parameter: '{name}'."
            return LineProblem("missing_required_parameter", text, number, name)
    custom_id, body = line["custom_id"], line["body"]
    if not isinstance(custom_id, str) or not isinstance(body, dict):
        name, kind = ("custom_id", "a string") if not isinstance(custom_id, str) else ("body", "an object")
        return LineProblem("invalid_type", f"Invalid type for '{name}': expected {kind}.", number, name)
    if line["method"] != "POST":
        return LineProblem("invalid_method", f"Invalid method: {json.dumps(line['method'])}.", number, "method")
    if line["url"] != _URL:
        text = f"The URL {json.dumps(line['url'])} is not that of the batch, {_URL}."
        return LineProblem("mismatched_url", text, number, "url")
    return Line(custom_id, body)
