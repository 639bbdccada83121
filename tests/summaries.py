"""The objects of `--summary-file` that tests expect, and those that were written."""

import json
from typing import Any

import jsonschema

from cometresp import __version__
from cometresp.report.summary import SCHEMA
from tests.scripted import USAGE

VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
NO_ERROR = {"hint": None, "status": None, "code": None, "param": None, "request_id": None, "body": None}
UNSENT: dict[str, Any] = {
    "cometresp": __version__,
    "command": "ask",
    "exit_code": 0,
    "status": None,
    "error": None,
    "response_ids": [],
    "request_ids": [],
    "model": None,
    "model_used": None,
    "turns": 0,
    "calls": [],
    "retries": 0,
    "usage": None,
    "cost": None,
    "seconds": "…",
    "first_text_seconds": None,
    "chain": None,
    "turn": None,
}
# What is the same in most runs of the scripted server.
ANSWERED = UNSENT | {
    "model": "m",
    "turns": 1,
    "usage": USAGE,
    "response_ids": ["resp_1"],
    "chain": "default",
    "turn": 1,
}
GOOD = ANSWERED | {"status": "completed", "first_text_seconds": "…"}


def error(code: int, message: str, /, **more: Any) -> dict[str, Any]:
    return {"exit_code": code, "error": {**NO_ERROR, "message": message, "exit_code": code, **more}}


def summary_in(text: str) -> dict[str, Any]:
    """A summary that the schema allows, its times replaced."""
    summary: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(summary)
    for name in ("seconds", "first_text_seconds"):
        summary[name] = summary[name] if summary[name] is None else "…"
    for made in summary["calls"]:
        made["seconds"] = "…"
    return summary
