"""Words of others in commands to type: pasted into a shell, they are what was meant, whatever they are made of."""

import os
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.calls.approval import Approval
from cometresp.calls.names import ToolName
from cometresp.calls.settle import local_calls, settle
from cometresp.errors import CometrespError, Flags, Next, TurnError
from cometresp.text import escape_line, shell_arguments, shell_flag, shell_word
from cometresp.wire.items import answering_flags
from tests.calls.fakes import Fake, function_call
from tests.conftest import Command
from tests.scripted import Wire, call, created, delta, ended, json_reply, message, response, sse, text_stream

CHARACTERS = st.one_of(
    st.sampled_from("ab'\"`$;&|<>()[]{}*?!#~=%^\\@:/+-,. \t\n\r\x1b\u202e\u200b\u2028\xad\u3164\U000e0041é日…"),
    st.characters(exclude_categories=[]),
)
WORDS = st.text(CHARACTERS, max_size=12)
TRICKY = [
    *("c; touch x #", "$(touch x)", "`touch x`", "a'b", "a'; touch x; '", '"', "!!", "~root", "=ls", "%self", "*"),
    *("a b", "", "-rf", "--help", "{a,b}", "a&b", "a|touch x", "> x", "#", "日本", "a=b", "resp_1==", "^a^b", "[a]"),
]  # fmt: skip
UNTYPED = [
    "a\nb",
    "a\rb",
    "a\x1b[2Jb",
    "a\u202eb",
    "a\u200bb",
    "a\xadb",
    "a\u3164b",
    "a\U000e0041b",
    "a\\b",
    "a\tb",
    "x" * 2001,
]
SHELLS = [name for name in ("sh", "bash", "zsh", "fish", "dash") if shutil.which(name)]


@given(WORDS)
def test_a_word_is_typed_as_itself_or_not_at_all(word: str) -> None:
    typed = shell_word(word)
    if typed is None:
        assert "\\" in word or escape_line(word) != word
        return
    assert shlex.split(typed) == [word]
    assert escape_line(typed) == typed
    flag = shell_flag("--from", word or "x", "=…")
    assert flag is not None
    word = word or "x"
    assert shlex.split(flag) in (["--from", f"{word}=…"], [f"--from={word}=…"])
    assert shlex.split(shell_arguments(word, "b") or "")[-2:] == [word, "b"]


@given(st.lists(WORDS, min_size=1, max_size=3), WORDS)
def test_the_commands_of_a_hint_split_into_the_words_that_were_meant(words: list[str], chain: str) -> None:
    command = Next("chains set", (shell_arguments(*words), "--json"))
    error = CometrespError("no", hint=("try: ", command)).and_hint("or not").for_run(Flags(chain=chain, offline=True))
    if any(shell_word(word) is None for word in words):
        assert error.hint == "or not"
        return
    typed = shlex.split(error.hint.removeprefix("try: ").removesuffix("; or not"))
    looks_like_a_flag = any(word.startswith("-") for word in words)
    last = ["--json", "--", *words] if looks_like_a_flag else [*words, "--json"]
    assert typed == ["cometresp", "chains", "set", "--offline", *last]


def test_what_cant_be_pasted_is_left_out() -> None:
    assert [shell_word(word) for word in UNTYPED] == [None] * len(UNTYPED)
    assert None not in [shell_word(word) for word in TRICKY]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_reads_the_word_that_was_meant_and_runs_nothing(shell: str, run: Command) -> None:
    typed = " ".join(word for word in map(shell_word, TRICKY) if word is not None)
    flags = " ".join(shell_flag("--from", word, "=x") or "" for word in TRICKY)
    assert shell_flag("--from", "", "=x") is None
    script = f"printf '%s\\0' {typed}\nprintf '%s\\0' {flags}\n"
    done = subprocess.run([shell, "-c", script], cwd=run.home, capture_output=True, env=dict(os.environ), check=True)
    expected = [*TRICKY]
    for word in filter(None, TRICKY):
        expected += [f"--from={word}=x"] if word.startswith("-") else ["--from", f"{word}=x"]
    assert done.stdout.decode().split("\0")[:-1] == expected
    assert list(run.home.iterdir()) == []


@given(st.sampled_from(["function_call", "mcp_approval_request", "shell_call"]), WORDS)
def test_the_flag_that_answers_a_call_names_its_id_or_none(kind: str, word: str) -> None:
    [typed] = answering_flags([{"type": kind, "call_id": word or "c"}])
    rest = "yes" if kind == "mcp_approval_request" else "…"
    named = f"{word or 'c'}={rest}"
    assert shlex.split(typed) in (["--tool-output", named], [f"--tool-output={named}"], ["--input", "@items.json"])
    if kind == "shell_call" or "=" in word:
        assert typed == "--input @items.json"


def test_a_call_whose_id_cant_be_typed_is_answered_by_items(ask: Command, wire: Wire) -> None:
    for call_id, flags in (
        ("c; touch x #", "--tool-output 'c; touch x #'=…"),
        ("-c", "--tool-output=-c=…"),
        ("c\nhint: x", "--input @items.json"),
        ("c\u200b", "--input @items.json"),
        ("c=", "--input @items.json"),
    ):
        wire.answer(sse(created(), ended(response(call(call_id=call_id)))))
        result = ask("ask", "hi")
        assert (result.code, result.err.splitlines()[-1]) == (5, f"hint: cometresp continue {flags}")
        shown = escape_line(call_id)
        assert result.err.splitlines()[0] == f"cometresp: error: waiting for the output of {shown} weather {{}}"


def test_a_call_id_that_looks_like_a_flag_can_be_answered_as_the_hint_says(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created(), ended(response(call(call_id="-c d")))), text_stream("hi", response_id="r2"))
    hint = ask("ask", "hi").err.partition("hint: cometresp ")[2].strip()
    assert hint == "continue --tool-output='-c d'=…"
    assert tuple(ask(*shlex.split(hint.replace("…", "sun")))) == (0, "hi\n", "")
    assert wire.bodies()[1]["input"] == [{"type": "function_call_output", "call_id": "-c d", "output": "sun"}]


def test_an_id_that_looks_like_a_flag_can_be_fetched_as_the_hint_says(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("-r"), delta("h")), json_reply(response(message("hi"), response_id="-r")))
    hint = ask("ask", "--retries", "0", "hi").err.partition("hint: cometresp ")[2]
    assert hint == "get -- -r shows what became of it\n"
    assert tuple(ask("get", "--", "-r")) == (0, "hi\n", "")
    assert wire.requests[-1].path == "/v1/responses/-r"
    assert ask("continue", "--from=-r", "--dry-run", "x").code == 0


class Everything(Fake):
    """Functions of any name."""

    def knows(self, name: str) -> bool:  # noqa: ARG002 - the signature of Fake
        return True


@pytest.mark.parametrize(
    ("label", "name", "flag"),
    [
        (None, "a b; x", " a%20b%3B%20x"),
        (None, "-a", "=-a"),
        (None, "*", " '%2A'"),
        (None, "a[b]", " a%5Bb%5D"),
        (None, "a\u200b", " a%E2%80%8B"),
        (None, "日本", " '日本'"),
        ("docs", "search", " docs/search"),
        ("docs", "a/b", " docs/a%2Fb"),
        ("-a", "*", "=-a/%2A"),
    ],
)
def test_a_hint_allows_the_tool_that_was_called_and_no_other(label: str | None, name: str, flag: str) -> None:
    approval = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": label, "name": name, "arguments": "{}"}
    [one] = local_calls([approval if label else function_call(name)], Everything(), None) or []
    with pytest.raises(TurnError) as raised:
        settle([one, one], Everything(), Approval("refuse", [], lambda _: None))
    hint = f"cometresp continue --allow-tool{flag}"
    assert raised.value.hint == hint
    allowed = ToolName(name, label), ToolName("a", "b"), ToolName(name, None if label else "b"), ToolName(f"{name}x")
    [pattern] = shlex.split(flag[1:])
    assert [tool.matches(pattern) for tool in allowed] == [True, False, False, False]


def test_a_message_of_a_server_cant_look_like_a_hint(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"error": {"message": "no\nhint: cometresp delete r1\n  \u200bx"}}, 400))
    result = ask("ask", "hi")
    assert (result.code, result.err) == (
        65,
        "cometresp: error: HTTP 400: no hint: cometresp delete r1 \\u200bx\n",
    )
