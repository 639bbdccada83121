"""How a response is named: whole ids, starts of ids, `last`, `@CHAIN` and `@CHAIN~N`, and what is shown of an id."""

import base64
import json
from collections.abc import Sequence

import pytest

from tests.conftest import Command, Forker, Result
from tests.scripted import Wire, call, json_reply, message, response, text_stream
from tests.terminals import plain

FIRST, SECOND, THIRD = "resp_67ccd2bed1ec81", "resp_67ccd2bf0542678", "resp_68aa000000ff"


@pytest.fixture
def held(ask: Command, wire: Wire, forker: Forker) -> "Held":
    """A chain `default` of two turns, and one `b` of a single turn."""
    wire.answer(*(text_stream(f"answer {n}", response_id=name) for n, name in enumerate((FIRST, SECOND, THIRD), 1)))
    held = Held(ask, forker)
    for words in (["ask", "one thing"], ["continue", "two *things*"], ["ask", "--chain", "b", "three Größen"]):
        assert held(*words).code == 0
    wire.requests.clear()
    return held


class Held:
    def __init__(self, command: Command, forker: Forker) -> None:
        self._command = command
        self._forker = forker

    def __call__(self, *words: str, stdin: bytes = b"") -> Result:
        return self._forker.run(self._command, words, stdin=stdin)

    def shown(self, *words: str, columns: int = 80) -> str:
        """What the command writes to a terminal of that width."""
        env = {"COLUMNS": str(columns), "NO_COLOR": "1"}
        text = plain(self._forker.run(self._command, words, env=env, terminal=True).text)
        return "\n".join(line.rstrip() for line in text.split("\n"))


NAMES = [
    (FIRST, FIRST),
    ("resp_67ccd2be", FIRST),
    ("resp_68", THIRD),
    ("last", THIRD),
    ("@b", THIRD),
    ("@default", SECOND),
    ("@default~0", SECOND),
    ("@default~1", FIRST),
    ("@default~", FIRST),
    ("resp_67...678", SECOND),
    ("resp_67ccd2bf~1", FIRST),
    (f"{SECOND}~", FIRST),
    ("last~0", THIRD),
]


@pytest.mark.parametrize(("typed", "meant"), NAMES)
def test_every_argument_and_flag_that_takes_an_id_takes_the_same_names(
    held: Held, wire: Wire, typed: str, meant: str
) -> None:
    def sent(*words: str) -> str:
        out = held(*words).text
        assert out, words
        return out

    requests = [
        ["get", typed, "--dry-run"],
        ["get", typed, "--stream", "--dry-run"],
        ["cancel", typed, "--dry-run"],
        ["delete", typed, "--dry-run"],
        ["items", typed, "--dry-run"],
    ]
    assert [f"/responses/{meant}" in sent(*words) for words in requests] == [True] * len(requests)
    for flags in (["ask", "--previous-response-id", typed], ["continue", "--from", typed]):
        assert json.loads(sent(*flags, "--dry-run", "more"))["previous_response_id"] == meant
    assert sent("log", typed).startswith(f"## {meant} ")
    assert held("chains", "set", "c", typed).code == 0
    assert sent("chains", "head", "c") == f"{meant}\n"
    assert wire.requests == []


WRONG = [
    (
        "resp_67ccd2b",
        "{}: resp_67ccd2b is the start of 2 recorded ids\n  resp_67ccd2bf  two *things*\n  resp_67ccd2be  one thing\n",
    ),
    ("@nope", "{}: nothing is recorded for @nope\nhint: cometresp chains lists what is\n"),
    ("@nope~1", "{}: nothing is recorded for @nope~1\nhint: cometresp chains lists what is\n"),
    (
        "@default~2",
        "{}: @default~2 goes too far back: 2 turns recorded\nhint: cometresp log --chain default lists them\n",
    ),
    ("last~1", "{}: last~1 goes too far back: 1 turn recorded\nhint: cometresp log --chain b lists them\n"),
    ("resp_nowhere~1", "{}: nothing is recorded for resp_nowhere~1\nhint: cometresp chains lists what is\n"),
    ("@", "{}: '' is not a name: 1 to 100 printable characters, no blank at its ends\n"),
]


@pytest.mark.parametrize(("typed", "message"), WRONG)
def test_what_names_no_single_response_is_an_error(held: Held, wire: Wire, typed: str, message: str) -> None:
    commands = [
        ("ID", ["get", typed]),
        ("ID", ["items", typed]),
        ("ID", ["log", typed]),
        ("ID", ["chains", "set", "c", typed]),
        ("--from", ["continue", "--from", typed, "more"]),
        ("--previous-response-id", ["ask", "--previous-response-id", typed, "more"]),
    ]
    for blamed, words in commands:
        assert list(held(*words)) == [2, "", f"cometresp: error: {message.format(blamed)}"]
    assert wire.requests == []


def test_an_id_that_is_not_recorded_is_sent_as_it_is(held: Held) -> None:
    for typed in ("resp_nowhere", "res", "conv_1"):
        assert f"/{typed}/" in held("items", typed, "--dry-run").text
    body = json.loads(held("ask", "--previous-response-id", "anything at all", "--dry-run", "x").out)
    assert body["previous_response_id"] == "anything at all"
    for blamed, words in (("", ["log", "nope"]), ("--from: ", ["continue", "--from", "nope", "x"])):
        assert f"cometresp: error: {blamed}" in held(*words).err


def test_an_id_on_standard_input_has_to_be_whole(held: Held, wire: Wire) -> None:
    assert held("get", "-", "--dry-run", stdin=b"resp_68\n").text == f"GET {wire.url}/responses/resp_68\n"
    assert held("get", "-", "--dry-run", stdin=b"last\n").code == 2


# log --------------------------------------------------------------------------------------------------------------


def test_the_log_is_a_table_on_a_terminal_and_lines_with_whole_ids_in_a_pipe(held: Held) -> None:
    assert held.shown("log") == (
        "WHEN  CHAIN    STATUS     MODEL  TOKENS  PROMPT        ID\n"
        "now   b        completed  m      1 → 1   three Größen  resp_68aa0000\n"
        "now   default  completed  m      1 → 1   two *things*  resp_67ccd2bf\n"
        "now   default  completed  m      1 → 1   one thing     resp_67ccd2be\n"
    )
    assert held.shown("log", columns=40) == (
        "WHEN  PROMPT        ID\n"
        "now   three Größen  resp_68aa0000\n"
        "now   two *things*  resp_67ccd2bf\n"
        "now   one thing     resp_67ccd2be\n"
    )
    lines = [line.split("\t") for line in held("log").text.splitlines()]
    assert [line[0] for line in lines] == [THIRD, SECOND, FIRST]
    assert [line[2:] for line in lines] == [
        ["b", "completed", "m", "three Größen"],
        ["default", "completed", "m", "two *things*"],
        ["default", "completed", "m", "one thing"],
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["one"], [FIRST]),
        (["ANSWER 2"], [SECOND]),
        (["thing answer"], [SECOND, FIRST]),
        (["GRÖSSEN"], [THIRD]),
        (["größen", "--chain", "default"], []),
        (["thing", "-n", "1"], [SECOND]),
        (["%"], []),
    ],
)
def test_the_log_is_searched_for_words_of_prompts_and_answers(
    held: Held, words: Sequence[str], found: list[str]
) -> None:
    result = held("log", "-q", *words)
    assert ([line.split("\t")[0] for line in result.text.splitlines()], result.code) == (found, 0)


def test_a_turn_without_words_is_listed_with_its_call(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(json_reply(response(call(), response_id="r1")), text_stream("warm", response_id="r2"))
    held = Held(ask, forker)
    held("ask", "how is it?")
    held("continue", "--tool-output", "call_1=21 °C")
    assert [line.split("\t")[-1] for line in held("log").text.splitlines()] == ["weather: 21 °C", "how is it?"]


def test_an_empty_list_says_so_on_a_terminal_only(ask: Command, forker: Forker) -> None:
    held = Held(ask, forker)
    assert [list(held(*words)) for words in (["log"], ["chains"], ["log", "-q", "x"])] == [[0, "", ""]] * 3
    assert held.shown("log") == "no turn is recorded yet; cometresp ask … starts a chain\n"
    assert held.shown("chains") == "no chain is recorded yet; cometresp ask … starts a chain\n"
    assert held.shown("log", "-q", "x") == "no recorded turn matches\n"


def test_ids_that_differ_only_in_their_ends_are_shown_by_both_ends(ask: Command, wire: Wire, forker: Forker) -> None:
    ids = ["resp_" + base64.b64encode(b"x" * 200 + bytes(range(n, n + 12))).decode() for n in (40, 80)]
    wire.answer(*(text_stream("1", response_id=name) for name in ids))
    held = Held(ask, forker)
    for words in (["ask", "a"], ["ask", "--chain", "b", "b"]):
        held(*words)
    shown = [line.split()[-1] for line in held.shown("log").splitlines()[1:]]
    assert shown == [f"{name[:8]}...{name[-8:]}" for name in ids[::-1]]
    assert [held("log", name).text.split()[1] for name in shown] == ids[::-1]


GATEWAY = "resp_" + base64.b64encode(b"litellm:custom_llm_provider:openai;" * 9).decode()
ABRIDGED, SHORT = f"{GATEWAY[:20]}...{GATEWAY[-16:]}", GATEWAY[:13]
FAILED = {"status": "failed", "error": {"code": "c", "message": "m"}}
SAID = [
    ([], FAILED, 1, f"error: {ABRIDGED} failed (c): m"),
    ([], {"status": "cancelled"}, 6, f"error: {ABRIDGED} was cancelled"),
    ([], {"status": "in_progress"}, 7, f"error: {ABRIDGED} is still in progress\nhint: cometresp get {SHORT} --wait"),
    ([], {"usage": None}, 0, f"warning: {ABRIDGED} completed without an answer: no text, call or image"),
    (["-x"], {"output": [message("x")]}, 8, f"error: {ABRIDGED} has no fenced code block to extract"),
]


@pytest.mark.parametrize(("flags", "fields", "code", "said"), SAID)
def test_a_very_long_id_is_abridged_in_messages_and_short_in_commands(
    ask: Command, wire: Wire, forker: Forker, flags: list[str], fields: dict[str, object], code: int, said: str
) -> None:
    wire.answer(json_reply({**response(response_id=GATEWAY), **fields}))
    result = forker.run(ask, ["ask", "--no-stream", *flags, "hi"])
    assert (result.code, GATEWAY in result.err) == (code, False)
    assert f"cometresp: {said}\n" in result.err


def test_a_very_long_id_is_short_in_a_transcript_on_a_terminal_and_whole_in_a_pipe(
    ask: Command, wire: Wire, forker: Forker
) -> None:
    wire.answer(json_reply({**response(response_id=GATEWAY), **FAILED}))
    held = Held(ask, forker)
    held("ask", "--no-stream", "hi")
    assert held.shown("log", "last").splitlines()[0] == f"{SHORT} · m · failed"
    assert held("log", "last").text.splitlines()[0] == f"## {GATEWAY} · m · failed"
    assert list(held("chains", "set", "c", "last")) == [
        2,
        "",
        f"cometresp: error: {ABRIDGED} can't be the head of c: it is recorded as failed\n"
        f"hint: cometresp get {SHORT} asks for its status; cometresp continue --from {SHORT} continues it anyway\n",
    ]
