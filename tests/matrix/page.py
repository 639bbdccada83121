"""The page of the matrix: `docs/reliability.md`, made from the outcomes."""

import re
from pathlib import Path

from tests.matrix import table
from tests.matrix.fault import COMMANDS, Outcome

PATH = Path(__file__).parent.parent.parent / "docs/reliability.md"

_HEAD = """\
# Reliability

What happens if something goes wrong, in {commands} and in a run of
functions. Every cell is a test: exit code and output of the command are compared whole, and so is what the state file
has afterwards. There are {cases} cases. The page is made from their results.

Each cell has the exit code ([what they mean](exit-codes.md)) and what is recorded of the response:

- **T**: all of it; it is the head of its chain, if it completed or waits for a call
- **t**: the text that came until then
- **i**: its id and status, without text; with `get`, what was recorded before
- **-**: nothing: no response came about, or the state file couldn't be used

`ask`, `stream`, `continue` and the run of functions (`ask --functions …`, whose second request meets the fault) run
with `--retries 0`; otherwise connections that fail and the statuses 408, 409, 429 and 5xx are retried twice. Rows that
end in "once" have these retries. `get --wait` and `get --stream` wait for a response that runs in the background, and
meet the fault once; after that the server has the whole response. The message is that of `ask`, where it has one. The
function of the run is never run twice, and text of a new response that was printed is never lost from the record.
"""


def made() -> str:
    """The text of the page."""
    kinds = {kind: table.read(kind) for kind in table.KINDS}
    count = sum(map(len, kinds.values()))
    names = ", ".join(f"`{name}`" for name in COMMANDS if name != "tool loop")
    parts = [_HEAD.format(commands=names, cases=count)]
    parts += [_section(table.KINDS[kind], outcomes) for kind, outcomes in kinds.items()]
    return "\n".join(parts)


def _section(title: str, outcomes: dict[table.Case, Outcome]) -> str:
    rows: dict[str, dict[str, Outcome]] = {}
    for (_, fault, command), outcome in outcomes.items():
        rows.setdefault(fault, {})[command] = outcome
    heads = [f"`{name}`" if name != "tool loop" else "functions" for name in COMMANDS]
    lines = [f"## {title}", "", f"| | {' | '.join(heads)} | message |", "|---|" + "---|" * len(COMMANDS) + "---|"]
    for fault, ended in rows.items():
        cells = [f"{_code(ended[name])} {_kept(ended[name])}" for name in COMMANDS]
        lines.append(f"| {_cell(fault)} | {' | '.join(cells)} | {_message(ended)} |")
    return "\n".join(lines) + "\n"


def _code(outcome: Outcome) -> int:
    """As a shell shows it: 128 and the number of a signal that ended the process."""
    return outcome.code if outcome.code >= 0 else 128 - outcome.code


def _kept(outcome: Outcome) -> str:
    status = outcome.kept.split(", ")[0]
    if status.split(" ")[0] in ("completed", "incomplete"):
        return "T"
    if " '" in status and ":" not in status:
        return "t"
    return (
        "-" if status in ("nothing", "no head") or status.startswith(("state", "the state")) or ":" in status else "i"
    )


def _message(ended: dict[str, Outcome]) -> str:
    """The first error or warning that a command prints."""
    for outcome in ended.values():
        for line in (outcome.err or outcome.out).split("\n"):
            if line.startswith("cometresp: "):
                message = line.removeprefix("cometresp: ").removeprefix("error: ")
                return _cell(re.sub(r"https?://127\.0\.0\.1:PORT/v1", "URL", message)[:160])
    return ""


def _cell(text: str) -> str:
    """Text as plain text of a Markdown table."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|&~" else char for char in text)
