"""What a command has left in the state file, as other commands show it."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import Command


def state_path(run: Command) -> Path:
    return run.home / ".local/state/cometresp/state.db"


def heads(run: Command) -> dict[str, str | None]:
    """The head of each chain."""
    return {row["name"]: row["head"] for row in json.loads(run("chains", "--json").out)}


def recorded(run: Command) -> list[str]:
    """The ids that are recorded, oldest first."""
    return [turn["id"] for turn in json.loads(run("log", "--json", "-n", "1000").out)][::-1]


def record_of(run: Command, response_id: str = "r1") -> dict[str, Any]:
    row: dict[str, Any] = json.loads(run("log", response_id, "--json").out)
    return row
