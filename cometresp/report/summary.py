"""The facts of a run as one JSON object: `--summary-file`. Its JSON Schema is the file beside this one."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from cometresp import __version__
from cometresp.calls.conversation import add_usage
from cometresp.report.facts import End, Report

if TYPE_CHECKING:
    from cometresp.errors import ErrorFacts
    from cometresp.wire.json import Json

SCHEMA = Path(__file__).with_name("summary.schema.json")


class CallFacts(TypedDict):
    name: str
    ok: bool
    seconds: float


class Summary(TypedDict):
    """Unknown facts are null, so that scripts can rely on the keys."""

    cometresp: str
    command: str
    exit_code: int
    status: str | None
    error: "ErrorFacts | None"
    response_ids: list[str]
    request_ids: list[str]
    model: str | None
    model_used: str | None
    turns: int
    calls: list[CallFacts]
    retries: int
    usage: "Json | None"
    cost: float | None
    seconds: float
    first_text_seconds: float | None
    chain: str | None
    turn: int | None


def summary_of(report: Report, command: str, end: End) -> Summary:
    error = end.error.as_dict()["error"] if end.error is not None else None
    if error is not None:
        error["exit_code"] = end.code
    usage: Json = {}
    for more in report.usages:
        usage = add_usage(usage, more)
    costs = [cost for cost in report.costs if cost is not None]
    first = report.first_text_seconds
    chain, turn = report.place or (None, None)
    return {
        "cometresp": __version__,
        "command": command,
        "exit_code": end.code,
        "status": report.status,
        "error": error,
        "response_ids": report.response_ids,
        "request_ids": [each for client in report.clients for each in client.request_ids],
        "model": report.model,
        "model_used": report.model_used,
        "turns": report.turns,
        "calls": [{"name": call.name, "ok": call.ok, "seconds": round(call.seconds, 3)} for call in report.calls],
        "retries": sum(client.retried for client in report.clients),
        "usage": usage or None,
        "cost": round(sum(costs), 12) if costs and len(costs) == len(report.costs) else None,
        "seconds": round(time.monotonic() - report.started, 3),
        "first_text_seconds": None if first is None else round(first, 3),
        "chain": chain,
        "turn": turn,
    }
