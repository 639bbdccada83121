"""The outcomes as they are kept: one file for each kind of fault, cases that end alike together."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.matrix.fault import Fault, Outcome

KINDS = {
    "network": "The network",
    "tls": "Certificates and TLS",
    "http": "HTTP",
    "stream": "The stream",
    "state": "The state file",
    "disk": "Files and standard output",
    "signals": "Signals",
    "terminal": "Hostile text on a terminal",
}
Case = tuple[str, str, str]  # kind, name of the fault, command


def faults_of(kind: str) -> list[Fault]:
    faults: list[Fault] = import_module(f"tests.matrix.{kind}").FAULTS
    return faults


def path_of(kind: str) -> Path:
    return Path(__file__).parent / "outcomes" / f"{kind}.json"


def read(kind: str) -> dict[Case, Outcome]:
    """The outcome of each case of a kind."""
    table: dict[str, list[dict[str, Any]]] = json.loads(path_of(kind).read_text())
    return {
        (kind, fault, command): Outcome(row["code"], row["out"], "\n".join(row["err"]), row["kept"])
        for fault, rows in table.items()
        for row in rows
        for command in row["commands"]
    }


def write(kind: str, outcomes: Mapping[Case, Outcome]) -> None:
    table: dict[str, dict[Outcome, list[str]]] = {}
    for (_, fault, command), outcome in outcomes.items():
        table.setdefault(fault, {}).setdefault(outcome, []).append(command)
    rows = {
        fault: [
            {
                "commands": commands,
                "code": ended.code,
                "out": ended.out,
                "err": ended.err.split("\n"),
                "kept": ended.kept,
            }
            for ended, commands in groups.items()
        ]
        for fault, groups in table.items()
    }
    path_of(kind).write_text(json.dumps(rows, indent=1, ensure_ascii=True) + "\n")
