"""Completion: the scripts, the files for packagers, and what only the state knows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Command

FOLDER = Path(__file__).parents[2] / "completions"
FILES = {"bash": "cometresp.bash", "zsh": "_cometresp", "fish": "cometresp.fish", "powershell": "cometresp.ps1"}


def complete(run: Command, line: str) -> list[str]:
    """The values that a shell would be offered for a command line."""
    asked = {"_COMETRESP_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked["_TYPER_COMPLETE_ARGS"] = line
    return [offer.partition("\t")[0] for offer in run(env=asked).text.splitlines()]


@pytest.mark.parametrize("shell", FILES)
def test_completions_equal_what_the_program_prints(run: Command, shell: str) -> None:
    assert run("completion", shell).text == (FOLDER / FILES[shell]).read_text()


def test_commands_and_flags_complete(run: Command) -> None:
    assert complete(run, "cometresp co") == ["continue", "completion"]
    assert complete(run, "cometresp ask --temp") == ["--temperature"]
    assert complete(run, "cometresp ask --error-format ") == ["text", "json"]


def test_chain_names_and_recent_ids_complete(run: Command) -> None:
    state = {"COMETRESP_STATE_DIR": str(run.home / "s")}
    run.environ |= state
    for name in ("work", "woods"):
        assert run("ask", "--offline", "--chain", name, "--id-file", name, "hi").code == 0
    (run.home / "s" / "offline" / "state.db").rename(run.home / "s" / "state.db")
    assert complete(run, "cometresp ask --chain wo") == ["woods", "work"]
    assert complete(run, "cometresp chains head wor") == ["work"]
    newest = [(run.home / name).read_text().strip() for name in ("woods", "work")]
    assert complete(run, "cometresp get re") == newest
    assert complete(run, "cometresp ask --from resp_") == newest


def test_bash_completes(run: Command, tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    command = tmp_path / "cometresp"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cometresp "$@"\n')
    command.chmod(0o755)
    script = (
        f'source "{FOLDER / "cometresp.bash"}"; COMP_LINE="cometresp str"; COMP_POINT=13;'
        f' _cometresp_complete "{command}"; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=run.environ, check=True, timeout=60)
    assert done.stdout == b"stream\n"
