"""Transcripts on a terminal go through the user's pager, and nothing else does."""

from pathlib import Path

import pytest

from tests.conftest import Command, Forker

SHOWN = "▌ hi"  # a line of the transcript
MARK = "sed 's/^/| /'"


@pytest.fixture
def recorded(run: Command, forker: Forker) -> Command:
    run.environ["COMETRESP_STATE_DIR"] = str(run.home / "state")
    assert forker.run(run, ["ask", "--offline", "hi"]).code == 0
    return run


def show(forker: Forker, run: Command, *words: str, **env: str) -> list[str]:
    """The plain lines that `chains show` writes to a terminal."""
    command = ["chains", "show", "--offline", *words]
    result = forker.run(run, command, env={"TERM": "dumb", **env}, terminal=True)
    assert result.code == 0
    return result.text.splitlines()


@pytest.mark.parametrize(
    ("words", "pager", "paged"),
    [
        ([], MARK, True),
        ([], "sh -c \"sed 's/^/| /'\"", True),
        (["--no-pager"], MARK, False),
        ([], "cat", False),
        ([], "", False),
        ([], "a-pager-that-is-not-here", False),
        ([], "'an unfinished quote", False),
        ([], "false", False),
        ([], "env a-pager-that-is-not-here", False),
        ([], "sh -c 'exec a-pager-that-is-not-here'", False),
        ([], "sh -c 'kill -KILL $$'", None),
    ],
)
def test_the_pager_is_that_of_the_environment(
    recorded: Command, forker: Forker, words: list[str], pager: str, paged: bool | None
) -> None:
    lines = show(forker, recorded, *words, PAGER=pager)
    shown = [] if paged is None else [f"| {SHOWN}" if paged else SHOWN]
    assert [line for line in lines if SHOWN in line][:1] == shown


def test_without_one_it_is_less_with_gits_settings(recorded: Command, forker: Forker) -> None:
    less = recorded.home / "bin" / "less"
    less.parent.mkdir()
    less.write_text('#!/bin/sh\necho "settings: $LESS"\n')
    less.chmod(0o755)
    del recorded.environ["PAGER"]
    path = f"{less.parent}:{recorded.environ['PATH']}"
    assert show(forker, recorded, PATH=path, TERM="xterm") == ["settings: FRX"]
    assert show(forker, recorded, PATH=path, TERM="xterm", LESS="-S") == ["settings: -S"]
    for no_redrawing in ({"TERM": "dumb"}, {"TERM": ""}, {"CI": "1"}, {"COMETRESP_PLAIN": "1"}):
        assert SHOWN in show(forker, recorded, PATH=path, **no_redrawing)


def test_a_pager_that_ends_early_or_is_interrupted_is_no_error(recorded: Command, forker: Forker) -> None:
    long = "word " * 50_000
    assert forker.run(recorded, ["ask", "--offline"], stdin=long.encode()).code == 0
    assert len(show(forker, recorded, PAGER="head -n 1")) == 1
    assert show(forker, recorded, PAGER="sh -c 'kill -INT $PPID; sleep 0.1; echo ended'") == ["ended"]
    assert show(forker, recorded, PAGER="sh -c 'kill -INT $PPID; sleep 0.1; echo ended; exit 2'") == ["ended"]


def test_a_pipe_is_never_paged(recorded: Command, forker: Forker, tmp_path: Path) -> None:
    result = forker.run(recorded, ["chains", "show", "--offline"], env={"PAGER": f"touch {tmp_path / 'paged'}"})
    assert (result.code, "hi" in result.text, (tmp_path / "paged").exists()) == (0, True, False)
