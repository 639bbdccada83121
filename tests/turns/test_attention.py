"""What a user who looks elsewhere is told of a run: the progress at the terminal's tab, and a bell."""

import io
import os
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from itertools import groupby

import pytest

from cometresp.errors import CometrespError, ExitCode, StoppedError, UnreachableError
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.render.known import takes_progress
from cometresp.runtime import Runtime
from cometresp.terminal import Terminal
from cometresp.turns.attention import ask, attended
from tests.conftest import Command, Forker
from tests.jobs import job
from tests.scripted import Request, Wire, created, delta, error_reply, sse, text_stream

WORKING, CLEARED = ("\x1b]9;4;3;0\x1b\\", "\x1b]9;4;0;0\x1b\\")


def runtime(*, seconds: float = 0, bell: bool = True, tty: bool = True) -> tuple[Runtime, io.BytesIO]:
    """A run that has taken so many seconds, and its stderr."""
    err = io.BytesIO()
    given = Runtime(ConnectionOptions(), OutputOptions(bell=bell, plain=True))
    given.terminal = Terminal(None, None, err, stderr_tty=tty, environ={})
    given.started -= seconds
    return given, err


@pytest.mark.parametrize(
    ("facts", "seconds", "error", "rung"),
    [
        ({}, 21, None, b"\a"),
        ({}, 21, UnreachableError("no"), b"\a"),
        ({}, 21, StoppedError(ExitCode.TERMINATED, "terminated"), b"\a"),
        ({}, 21, StoppedError(ExitCode.INTERRUPTED, "interrupted"), b""),
        ({}, 1, None, b""),
        ({"bell": False}, 21, None, b""),
        ({"tty": False}, 21, None, b""),
    ],
)
def test_a_long_run_rings_at_its_end_where_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch, facts: dict[str, bool], seconds: float, error: CometrespError | None, rung: bytes
) -> None:
    monkeypatch.setenv("COMETRESP_CONFIG", os.devnull)
    run, err = runtime(**facts)
    run.started = 0  # as where the prompt was edited for long
    with suppress(CometrespError), attended(run):
        run.started -= seconds
        if error is not None:
            raise error
    assert err.getvalue() == rung


@pytest.mark.parametrize(("seconds", "rung"), [(21, b"\a"), (1, b"")])
def test_a_question_rings_before_it_is_put(monkeypatch: pytest.MonkeyPatch, seconds: float, rung: bytes) -> None:
    run, err = runtime(seconds=seconds)
    monkeypatch.setattr(Terminal, "ask", lambda _, question: question + err.getvalue().decode())
    assert ask(run, "may it run? ") == "may it run? " + rung.decode()


def test_the_config_file_can_ask_for_the_bell(ask: Command, wire: Wire) -> None:
    (ask.home / "c.toml").write_text("bell = true\n")
    wire.answer(text_stream("x"))
    assert list(ask("ask", "hi", env={"COMETRESP_CONFIG": "c.toml"})) == [0, "x\n", ""]


@pytest.mark.parametrize(
    ("environ", "taken"),
    [
        ({"WT_SESSION": "1"}, True),
        ({"WT_SESSION": "1", "TERM_PROGRAM": "vscode"}, False),
        ({"WT_SESSION": "1", "TMUX": "/tmp/x"}, False),
        ({"WT_SESSION": "1", "TERM": "screen-256color"}, False),
        ({"ConEmuANSI": "ON"}, True),
        ({"ConEmuANSI": "OFF"}, False),
        ({"TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.2.0"}, True),
        ({"TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.1.3"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.6"}, True),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.14"}, False),
        ({"LC_TERMINAL": "iTerm2", "LC_TERMINAL_VERSION": "3.7.1"}, True),
        ({"TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20240203-110809-5046fcc2"}, False),
        ({"TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20250814-1"}, True),
        ({"VTE_VERSION": "8001"}, True),
        ({"VTE_VERSION": "7603"}, False),
        ({"VTE_VERSION": "x"}, False),
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, False),
        ({}, False),
    ],
)
def test_progress_is_told_only_to_terminals_known_to_take_it(environ: Mapping[str, str], *, taken: bool) -> None:
    assert takes_progress(environ) is taken


@pytest.mark.parametrize(
    ("words", "env", "told"),
    [
        (["hi"], {}, [WORKING, CLEARED]),
        (["fails"], {}, [WORKING, CLEARED]),
        (["hi", "--plain"], {}, []),
        (["hi", "-q"], {}, []),
        (["hi", "--dry-run"], {}, []),
        (["hi"], {"CI": "1"}, []),
        (["hi"], {"TERM": "dumb"}, []),
    ],
    ids=str,
)
def test_the_terminal_is_told_of_the_progress_and_it_is_cleared(
    ask: Command, wire: Wire, forker: Forker, words: list[str], env: dict[str, str], told: list[str]
) -> None:
    wire.answer(error_reply(400) if "fails" in words else text_stream("x"))
    shown = forker.run(ask, ["ask", *words], env={"WT_SESSION": "1", **env}, terminal=True).text
    assert [state for state, _ in groupby(re.findall(r"\x1b\]9;4;\d;\d+\x1b\\", shown))] == told


def test_no_progress_is_told_while_the_prompt_is_edited(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(text_stream("x"))
    env = {"WT_SESSION": "1", "EDITOR": "sh -c 'echo edited > $0; echo the end of the editor'"}
    shown = forker.run(ask, ["ask", "--edit"], env=env, terminal=True).text
    assert shown.index("the end of the editor") < shown.index(WORKING)


def test_progress_is_cleared_while_the_run_is_stopped_and_when_a_signal_ends_it(ask: Command, wire: Wire) -> None:
    def stall(_: Request, connection: object) -> None:
        connection.sendall(sse(created("r1"), delta("half")))  # type: ignore[attr-defined]
        connection.recv(1)  # type: ignore[attr-defined]

    wire.answer(stall)
    with job(["ask", "hi"], {**ask.environ, "WT_SESSION": "1"}, ask.home) as run:
        run.shows("half")
        run.send(signal.SIGTSTP)
        assert run.stopped_or_ended() == {"stopped": signal.SIGTSTP}
        stopped = run.shows(CLEARED)
        run.proceed()
        run.shows(WORKING, after=stopped)
        run.send(signal.SIGTERM)
        assert run.ended() == 143
        assert run.screen.rindex(CLEARED) > run.screen.rindex(WORKING)
