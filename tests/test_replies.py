"""Odd replies of servers: what each command shows of them, and what it sends after them."""

import json
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from tests import replies
from tests.conftest import Command, Forker
from tests.replies.case import TOOLS, Run, Shows
from tests.scripted import Wire

NAMES = sorted(path.stem for path in Path(replies.__path__[0]).glob("[a-z]*.py") if path.stem != "case")


def runs_of(name: str) -> dict[str, Run]:
    runs: dict[str, Run] = import_module(f"tests.replies.{name}").RUNS
    return runs


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_is_shown_as_its_file_says(ask: Command, wire: Wire, forker: Forker, name: str) -> None:
    home = ask.home
    for label, run in runs_of(name).items():
        ask.environ |= {"HOME": str(home / label), "XDG_STATE_HOME": ""}
        (home / "tools.toml").write_text(TOOLS)
        (home / "notes").unlink(missing_ok=True)
        wire.requests.clear()
        wire.answer(*run.scripts)
        results = [forker.run(ask, shlex.split(line), env=run.env) for line, _ in run.steps]
        for (line, shows), result in zip(run.steps, results, strict=True):
            shown = _shown(line, shows, result.text)
            err = result.err if not callable(shows.err) else shows.err(result.err) or result.err
            expected = shows.err if not callable(shows.err) else True
            assert (label, line, result.code, shown, err) == (label, line, shows.code, shows.out, expected)
        if run.sent is not None:
            assert (label, wire.bodies()) == (label, list(run.sent))
        if run.requests is not None:
            assert (label, len(wire.requests)) == (label, run.requests)
        if run.notes is not None:
            notes = home / "notes"
            assert (label, notes.read_text() if notes.exists() else "") == (label, run.notes)


def _shown(line: str, shows: Shows, out: str) -> str:
    """Standard output; of `--json` without `whole` just the text, with the newline that would be printed."""
    if " --json" not in line or shows.whole or not out:
        return out
    text: str = json.loads(out)["output_text"]
    return text + "\n" if text else ""


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_a_reply_says_what_is_odd_and_where_it_was_seen(name: str) -> None:
    module = import_module(f"tests.replies.{name}")
    assert module.__doc__
    assert module.SEEN
