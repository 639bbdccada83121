"""Settling the calls of an answer: which run here, whether they may run, and their outcomes (API 3.3, 4.2)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.calls.approval import Approval, Decision, Mode
from cometresp.calls.arguments import shown_arguments
from cometresp.calls.names import ToolName
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
        (function_call("read"), ("call_1", "read", "{}", None), None),
        (function_call("nowhere"), ("call_1", "nowhere", "{}", None), None),
        (function_call("by_hand"), None, None),
        (function_call("inner"), None, None),
        (
            {"type": "custom_tool_call", "call_id": "call_1", "name": "write", "input": 'a "b"'},
            ("call_1", "write", '{"input": "a \\"b\\""}', None),
            None,
        ),
        (APPROVAL, ("mcpr_1", "roll", "{}", "dmcp"), ("mcpr_1", "roll", "{}", "dmcp")),
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
    ("tool", "pattern", "decision"),
    [
        (("write",), "write", "run"),
        (("write",), "*", "run"),
        (("roll", "dmcp"), "*", "refused"),
        (("roll", "dmcp"), "dmcp/*", "run"),
        (("roll", "dmcp"), "dmcp/roll", "run"),
        (("write",), "*/write", "refused"),
        (("write",), "WRITE", "refused"),
        (("write",), "", "refused"),
        (("x/y",), "x/y", "refused"),
        (("x/y",), "x%2Fy", "run"),
        (("y", "x"), "x%2Fy", "refused"),
        (("c", "a/b"), "a%2Fb/c", "run"),
        (("b/c", "a"), "a%2Fb/c", "refused"),
        (("b/c", "a"), "a/b%2fc", "run"),
        (("b/c", "a"), "a/b/c", "refused"),
        (("b/c", "a"), "a/*", "run"),
        (("c", "a*"), "a%2A/c", "run"),
        (("c", "ab"), "a%2A/c", "refused"),
        (("x1",), "x[1]", "refused"),
        (("x[1]",), "x[1]", "run"),
        (("a%2Fb",), "a%252Fb", "run"),
        (("a/b",), "a%252Fb", "refused"),
        (("roll", ""), "/roll", "run"),
        (("größe",), "größe", "run"),
        (("c", "x"), "x/%FF", "refused"),
    ],
)
def test_a_pattern_allows_one_kind_of_tool(tool: tuple[str, ...], pattern: str, decision: Decision) -> None:
    approval = Approval("ask", [pattern], lambda _: None)
    assert approval.decide(ToolName(*tool), "{}", "x", read_only=False) == decision


@given(st.text(st.characters(exclude_categories=[])), st.none() | st.text(st.characters(exclude_categories=[])))
def test_what_is_written_names_exactly_that_tool(name: str, label: str | None) -> None:
    tool = ToolName(name, label)
    assert tool.matches(tool.written)
    assert tool.written.count("/") == (label is not None)
    for other in (ToolName(f"{label}/{name}"), ToolName(name, f"{label}/"), ToolName(f"/{name}", label)):
        assert other == tool or not (other.matches(tool.written) or other.written == tool.written)


def test_always_is_about_one_tool_alone() -> None:
    typed = iter(["a\n", "n\n", "n\n"])
    approval = Approval("ask", [], lambda _: next(typed))
    tools = [ToolName("c", "a/b"), ToolName("b/c", "a"), ToolName("a/b/c"), ToolName("c", "a/b")]
    assert [approval.decide(tool, "{}", "x", read_only=False) for tool in tools] == ["run", "no", "no", "run"]


def test_a_question_shows_the_call_escaped_and_only_once() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "what?\n" if len(asked) == 1 else "yes\n"

    arguments = '{"path": "a\\u001b[2Jb", "n": [1]}'
    assert Approval("ask", [], ask).decide(ToolName("w\x1b[0m"), arguments, "f.py", read_only=False) == "run"
    assert asked == [
        "\nthe model calls w%1B%5B0m (f.py) with\n"
        '  {\n    "path": "a\\u001b[2Jb",\n    "n": [\n      1\n    ]\n  }\n'
        "  y  run it this time\n  a  run it, and w%1B%5B0m without asking for the rest of this run\n"
        "  n  don't run it, and tell the model so\n  s  stop: nothing is run or sent, and the call stays open\n"
        "run it? [y]es, [a]lways, [n]o, [s]top: ",
        "what? is no answer: type y, a, n or s\nrun it? [y]es, [a]lways, [n]o, [s]top: ",
    ]


# arguments --------------------------------------------------------------------------------------------------------


def asked_about(arguments: str, typed: str) -> tuple[Decision, list[str]]:
    """The decision, and the questions until then; `typed` is a key for each."""
    questions: list[str] = []
    keys = iter(typed)

    def ask(question: str) -> str:
        questions.append(question)
        return next(keys) + "\n"

    return Approval("ask", [], ask).decide(ToolName("w"), arguments, "f.py", read_only=False), questions


def test_no_padding_hides_a_key_and_what_was_not_shown_cant_be_allowed() -> None:
    arguments = json.dumps({"a": "x" * 30_000, "path": "/etc", "z": ["y" * 30_000] * 500, "k" * 30_000: 1})
    decision, questions = asked_about(arguments, "yavy")
    first, again, still, whole = questions
    short, cut = "not all of it is shown: [v]iew it, [n]o, [s]top: ", "… 29600 characters left out …"
    assert decision == "run"
    assert first.splitlines()[2:6] == [
        "  {",
        f'    "a": "{"x" * 300}" {cut} "{"x" * 100}",',
        '    "path": "/etc",',
        '    "z": [',
    ]
    assert "      … 480 items left out …," in first.splitlines()
    assert f'    "{"k" * 300}" {cut} "{"k" * 100}": 1' in first.splitlines()
    unseen = "it can be allowed once all of it was shown: v shows it\n"
    assert (first.splitlines()[-1], again, still) == (short, unseen + short, unseen + short)
    assert json.loads(whole.partition("\n  y  ")[0]) == json.loads(arguments)
    assert whole.splitlines()[-1] == "run it? [y]es, [a]lways, [n]o, [s]top: "


def test_always_can_be_typed_only_once_all_is_shown() -> None:
    long = json.dumps({"a": "x" * 30_000})
    assert [asked_about(long, typed)[0] for typed in ("va", "an", "vs")] == ["run", "no", "stop"]


def test_text_that_is_no_object_is_one_value() -> None:
    shown = shown_arguments("x" * 19_990 + "EVIL")
    assert (shown.text, shown.whole) == ("  " + "x" * 19_990 + "EVIL", True)
    shown = shown_arguments("x" * 30_000 + "\x1bEVIL")
    assert (shown.text.splitlines()[1], shown.text.endswith("x\\x1bEVIL"), shown.whole) == (
        "  … 10005 characters left out …",
        True,
        False,
    )
    assert shown_arguments("a\r\nb\x1b").text == "  a\n  b\\x1b"


@pytest.mark.parametrize(
    ("arguments", "here", "remote"),
    [
        ("", "  nothing", "  nothing"),
        ("{}", "  {}", "  {}"),
        ("[1, 2]", "  [1, 2]", "  [1, 2]"),
        ('{"n": 1.50}', '  {\n    "n": 1.5\n  }', '  {\n    "n": 1.50\n  }'),
        ('{"n": NaN}', '  {"n": NaN}', '  {\n    "n": NaN\n  }'),
        (
            '{"a": 1, "b": {"a": null, "a": []}, "a": "2"}',
            '  {\n    "a": "2",\n    "b": {\n      "a": []\n    }\n  }\n'
            '  more than once in one object: "a"; the last value counts',
            '  {\n    "a": 1,\n    "b": {\n      "a": null,\n      "a": []\n    },\n    "a": "2"\n  }\n'
            '  more than once in one object: "a"; the server decides which value counts',
        ),
    ],
)
def test_the_values_shown_are_those_that_the_tool_gets(arguments: str, here: str, remote: str) -> None:
    shown = [shown_arguments(arguments), shown_arguments(arguments, remote=True)]
    assert [(one.text, one.whole) for one in shown] == [(here, True), (remote, True)]


WORDS = st.text(st.characters(categories=["L", "N", "P", "Zs"]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    )
)
def test_shown_arguments_are_the_arguments(value: Any) -> None:
    for remote in (False, True):
        shown = shown_arguments(json.dumps({"x": value}), remote=remote)
        assert (json.loads(shown.text), shown.whole) == ({"x": value}, True)


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
    assert Approval("ask", [], lambda _: "").decide(ToolName("w"), "{}", "f.py", read_only=False) == "stop"


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
