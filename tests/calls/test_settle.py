"""Settling the calls of an answer: which run here, whether they may run, and their outcomes (API 3.3, 4.2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.calls.approval import Approval, Decision, Mode, shown_arguments
from cometresp.calls.settle import Call, Outcome, local_calls, run_calls, settle
from cometresp.errors import TurnError
from tests.calls.fakes import Fake, function_call

APPROVAL = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "dmcp", "name": "roll", "arguments": "{}"}


OFFERED = [
    {"type": "function", "name": "by_hand"},
    {"type": "namespace", "tools": [{"type": "custom", "name": "inner"}]},
]


@pytest.mark.parametrize(
    ("item", "with_functions", "without"),
    [
        (function_call("read"), ("call_1", "read", "{}", False), None),
        (function_call("nowhere"), ("call_1", "nowhere", "{}", False), None),
        (function_call("by_hand"), None, None),
        (function_call("inner"), None, None),
        (
            {"type": "custom_tool_call", "call_id": "call_1", "name": "write", "input": 'a "b"'},
            ("call_1", "write", '{"input": "a \\"b\\""}', False),
            None,
        ),
        (APPROVAL, ("mcpr_1", "dmcp/roll", "{}", True), ("mcpr_1", "dmcp/roll", "{}", True)),
        ({"type": "computer_call", "call_id": "call_1"}, None, None),
        ({"type": "shell_call", "call_id": "call_1", "name": "read"}, None, None),
    ],
)
def test_a_call_is_answered_here_or_by_the_user(item: dict[str, Any], with_functions: Any, without: Any) -> None:
    def local(runner: Fake | None) -> Any:
        calls = local_calls([item], runner, OFFERED)
        return None if calls is None else calls[0][1:]

    assert (local(Fake()), local(None)) == (with_functions, without)


def test_if_the_user_must_answer_one_call_the_user_answers_all() -> None:
    assert local_calls([function_call("read"), function_call("by_hand", 2)], Fake(), OFFERED) is None


# approval ---------------------------------------------------------------------------------------------------------


def calls_of(*names: str) -> list[Call]:
    return [Call(function_call(name, n), f"call_{n}", name, "{}") for n, name in enumerate(names)]


def settled(names: list[str], mode: Mode = "ask", typed: str | None = None, allowed: list[str] | None = None) -> Any:
    """(the functions that ran, the outputs), or (the functions that ran, exit code, message)."""
    runner, answers = Fake(), iter(typed or "")
    approval = Approval(mode, allowed or [], lambda _: None if typed is None else next(answers) + "\n")
    try:
        outcomes = settle(calls_of(*names), runner, approval)
    except TurnError as error:
        return runner.ran, error.exit_code, error.message
    return runner.ran, [outcome.output for outcome in outcomes]


REFUSED, NO = '{"error": "this call is not allowed here"}', '{"error": "the user refused this call"}'


@pytest.mark.parametrize(
    ("names", "how", "outcome"),
    [
        (["read"], {}, (["read"], ["read done"])),
        (["write"], {"typed": "y"}, (["write"], ["write done"])),
        (["write", "write"], {"typed": "a"}, (["write", "write"], ["write done", "write done"])),
        (["write", "read"], {"typed": "n"}, (["read"], [NO, "read done"])),
        (["write"], {"typed": "n"}, ([], [NO])),
        (["write"], {"typed": "?xy"}, (["write"], ["write done"])),
        (["write"], {"mode": "always"}, (["write"], ["write done"])),
        (["write"], {"allowed": ["w*"]}, (["write"], ["write done"])),
        (["write", "read"], {"mode": "refuse"}, (["read"], [REFUSED, "read done"])),
        (["write", "read"], {}, (["read"], [REFUSED, "read done"])),
        (["nowhere"], {}, (["nowhere"], ["nowhere done"])),
        (
            ["read", "write"],
            {"typed": "s"},
            ([], 5, "stopped before write ran; still open: call_0, call_1"),
        ),
        (
            ["write"],
            {},
            ([], 5, "write was not allowed to run: there is no terminal to ask on; still open: call_0"),
        ),
        (
            ["write", "nowhere"],
            {"mode": "refuse"},
            ([], 5, "write was not allowed to run: --approve refuse; still open: call_0, call_1"),
        ),
    ],
)
def test_a_function_runs_only_if_it_is_allowed(names: list[str], how: dict[str, Any], outcome: Any) -> None:
    assert settled(names, **how) == outcome


@pytest.mark.parametrize(
    ("name", "pattern", "decision"),
    [
        ("write", "write", "run"),
        ("write", "*", "run"),
        ("dmcp/roll", "*", "refused"),
        ("dmcp/roll", "dmcp/*", "run"),
        ("dmcp/roll", "dmcp/roll", "run"),
        ("write", "*/write", "refused"),
        ("write", "WRITE", "refused"),
        ("write", "", "refused"),
    ],
)
def test_a_pattern_for_functions_allows_no_mcp_tool(name: str, pattern: str, decision: Decision) -> None:
    assert Approval("ask", [pattern], lambda _: None).decide(name, "{}", "x", read_only=False) == decision


def test_a_question_shows_the_call_escaped_and_only_once() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "what?\n" if len(asked) == 1 else "yes\n"

    arguments = '{"path": "a\\u001b[2Jb", "n": [1]}'
    assert Approval("ask", [], ask).decide("w\x1b[0m", arguments, "f.py", read_only=False) == "run"
    assert asked == [
        "the model calls w\\x1b[0m (f.py) with\n"
        '  {\n    "path": "a\\u001b[2Jb",\n    "n": [\n      1\n    ]\n  }\n'
        "run it? [y]es, [a]lways w\\x1b[0m, [n]o, [s]top: ",
        "run it? [y]es, [a]lways w\\x1b[0m, [n]o, [s]top: ",
    ]


def test_very_long_arguments_are_shown_from_both_ends_with_the_number_left_out() -> None:
    assert shown_arguments('"' + "x" * 19_990 + 'EVIL"').endswith('EVIL"')
    shown = shown_arguments('"' + "x" * 30_000 + 'EVIL"')
    assert (shown.endswith('xEVIL"'), "\n  … (10006 characters left out) …\n" in shown) == (True, True)


@pytest.mark.parametrize(
    ("names", "ran"),
    [(["write", "read"], ["read"]), (["read", "write"], ["read"]), (["write", "nowhere", "read"], ["nowhere", "read"])],
)
def test_calls_that_share_an_id_are_decided_one_by_one(names: list[str], ran: list[str]) -> None:
    runner = Fake()
    calls = [Call(function_call(name), "call_1", name, "{}") for name in names]
    outcomes = settle(calls, runner, Approval("ask", [], lambda _: None))
    assert runner.ran == ran
    assert [outcome.output for outcome in outcomes] == [f"{name} done" if name in ran else REFUSED for name in names]


def test_the_end_of_the_terminal_stops() -> None:
    assert Approval("ask", [], lambda _: "").decide("w", "{}", "f.py", read_only=False) == "stop"


def test_mcp_approvals_are_answered_with_their_own_items() -> None:
    [call] = local_calls([APPROVAL], None, []) or []
    [yes] = settle([call], None, Approval("always", [], lambda _: None))
    [no] = settle([call], None, Approval("ask", [], lambda _: "n\n"))
    answer = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1"}
    assert (yes.item(), no.item()) == (
        answer | {"approve": True},
        answer | {"approve": False, "reason": "the user refused this call"},
    )


@given(st.lists(st.booleans(), max_size=6))
def test_outcomes_are_in_the_order_of_the_calls(parallel: list[bool]) -> None:
    calls = [Call({}, str(n), f"{safe}", "") for n, safe in enumerate(parallel)]
    outcomes = run_calls(calls, lambda name: name == "True", lambda call: Outcome(call, call.id, ok=True), pytest.fail)
    assert [outcome.output for outcome in outcomes] == [call.id for call in calls]


def test_an_error_while_calls_run_stops_them() -> None:
    stopped: list[str] = []

    def run(call: Call) -> Outcome:
        raise KeyError(call.id)

    with pytest.raises(KeyError):
        run_calls(calls_of("a", "b"), lambda _: True, run, lambda: stopped.append("stop"))
    assert stopped == ["stop"]
