"""`chains compact`: items of the server's take the place of a chain's turns; nothing that was recorded is lost."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Command
from tests.recorded import heads, state_path
from tests.scripted import Wire, call, error_reply, json_reply, message, reply, response, text_stream

KEPT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "one"}]}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
FOLDED = {"id": "cmp_1", "type": "compaction", "encrypted_content": "opaque"}
USAGE = {"input_tokens": 5211, "output_tokens": 812, "total_tokens": 6023}
NO_ID = error_reply(400, "previous_response_id is not supported")


def compacted(*items: dict[str, Any], name: str = "c1", **more: Any) -> bytes:
    whole = {"id": name, "object": "response.compaction", "created_at": 1, "output": list(items), "usage": USAGE}
    return json_reply({**whole, **more})


@pytest.fixture
def begun(ask: Command, wire: Wire) -> Command:
    """The command with a chain of two turns, r1 and r2."""
    wire.answer(text_stream("1", response_id="r1"), text_stream("2", response_id="r2"))
    assert ask("ask", "-s", "be brief", "one").code == 0
    assert ask("continue", "two").code == 0
    del wire.requests[:]
    return ask


def test_the_chain_goes_on_from_the_items_that_the_server_returned(begun: Command, wire: Wire) -> None:
    wire.answer(
        compacted(KEPT, THOUGHT, FOLDED),
        text_stream("3", response_id="r3"),
        text_stream("4", response_id="r4"),
        NO_ID,
        text_stream("5", response_id="r5"),
    )
    assert list(begun("chains", "compact")) == [0, "compacted default: 3 items, 5211 -> 812 tokens\n", ""]
    for prompt in ("three", "four", "five"):
        assert begun("continue", prompt).code == 0
    assert wire.requests[0].path == "/v1/responses/compact"
    replaced: list[Any] = [KEPT, THOUGHT, FOLDED, {"role": "user", "content": "three"}]
    again = [message("3"), {"role": "user", "content": "four"}, message("4"), {"role": "user", "content": "five"}]
    turn = {"model": "m", "instructions": "be brief", "stream": True}
    assert wire.bodies() == [
        {"model": "m", "instructions": "be brief", "previous_response_id": "r2"},
        {**turn, "input": replaced},
        {**turn, "input": "four", "previous_response_id": "r3"},
        {**turn, "input": "five", "previous_response_id": "r4"},
        {**turn, "input": replaced + again},
    ]


def test_a_compaction_that_would_cost_too_much_is_not_sent(begun: Command, wire: Wire) -> None:
    """The server counted 2 tokens for the turn before it."""
    (begun.home / "config.toml").write_text("max_cost = 0.000001\n")
    lines = [["--price", "2,8", "--max-cost", "0.000001"], ["--max-cost", "1"], ["--price", "x", "--max-cost", "1"]]
    results = begun.each([["chains", "compact", *words] for words in lines])
    env = {"COMETRESP_CONFIG": str(begun.home / "config.toml")}
    results += begun.each([["chains", "compact", "--price", "2,8"]], env=env)
    too_much = (
        "cometresp: error: not sent: its input (about 2 tokens) costs ~$0.0000040, more than --max-cost $0.000001"
    )
    assert [(result.code, result.text, result.err.splitlines()[0]) for result in results] == [
        (9, "", too_much),
        (2, "", "cometresp: error: --max-cost: the price of m is not known"),
        (
            2,
            "",
            "cometresp: error: --price: 'x' must be IN,OUT or IN,OUT,CACHED: USD for a million tokens, such as 2.5,10",
        ),
        (9, "", too_much),
    ]
    assert wire.requests == []
    wire.answer(compacted(KEPT, FOLDED))
    assert begun("chains", "compact", "--price", "2,8", "--max-cost", "0.01").code == 0


def test_a_compaction_is_shown_for_what_it_is_and_the_turns_before_it_stay(begun: Command, wire: Wire) -> None:
    wire.answer(compacted(KEPT, FOLDED))
    begun("chains", "compact", "default")
    assert begun("chains", "show").text == (
        "## r1 · m · completed\n\n> one\n\n1\n\n## r2 · m · completed\n\n> two\n\n2\n\n"
        "## c1 · m · compacted\n\n(compacted: 2 items in place of the turns before)\n"
    )
    assert begun("log", "c1").text == ("## c1 · m · compacted\n\n(compacted: 2 items in place of the turns before)\n")
    logged = [line.split("\t") for line in begun("log").text.splitlines()]
    assert [(row[0], row[3], row[5]) for row in logged] == [
        ("c1", "compacted", "(compacted: 2 items in place of the turns before)"),
        ("r2", "completed", "two"),
        ("r1", "completed", "one"),
    ]
    assert json.loads(begun("log", "c1", "--json").out)["input"] == [KEPT, FOLDED]
    assert begun("chains", "head").text == "c1\n"


def test_turns_before_a_compaction_can_be_continued_and_be_the_head_again(begun: Command, wire: Wire) -> None:
    wire.answer(compacted(KEPT, FOLDED), text_stream("x", response_id="r3"))
    begun("chains", "compact")
    assert begun("continue", "--from", "r2", "three").code == 0
    assert wire.bodies()[1]["previous_response_id"] == "r2"
    assert begun("chains", "set", "default", "c1").code == 0
    assert begun("continue", "--dry-run", "x").code == 0
    shown = json.loads(begun("continue", "--from", "c1", "--dry-run", "x").out)
    assert shown["input"] == [KEPT, FOLDED, {"role": "user", "content": "x"}]


def test_flags_change_model_and_instructions_from_then_on(begun: Command, wire: Wire) -> None:
    (begun.home / "short.txt").write_text("be short")
    wire.answer(compacted(FOLDED), text_stream("3", response_id="r3"))
    result = begun("chains", "compact", "-m", "m2", "-s", "@short.txt", "--json")
    assert json.loads(result.out)["usage"] == USAGE
    begun("continue", "three")
    assert [(body["model"], body["instructions"]) for body in wire.bodies()] == [("m2", "be short")] * 2


def test_a_server_that_takes_no_id_gets_the_recorded_items(begun: Command, wire: Wire) -> None:
    wire.answer(NO_ID, compacted(FOLDED))
    assert list(begun("chains", "compact")) == [
        0,
        "compacted default: 1 item, 5211 -> 812 tokens\n",
        "cometresp: warning: the server takes no response id: the recorded turns were sent in its place\n",
    ]
    user = [{"role": "user", "content": words} for words in ("one", "two")]
    items = [user[0], message("1"), user[1], message("2")]
    assert wire.bodies()[1] == {"model": "m", "instructions": "be brief", "input": items}


def test_a_chain_that_is_not_stored_is_sent_as_items_from_the_start(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"), compacted(FOLDED, usage=None))
    ask("ask", "--no-store", "--chain", "x y", "one")
    assert list(ask("chains", "compact", "x y")) == [0, "compacted x y: 1 item\n", ""]
    assert wire.bodies()[1] == {"model": "m", "input": [{"role": "user", "content": "one"}, message("1")]}


def test_a_later_compaction_starts_from_the_earlier(begun: Command, wire: Wire) -> None:
    wire.answer(compacted(KEPT, FOLDED), text_stream("3", response_id="r3"), NO_ID, compacted(FOLDED, name="c2"))
    begun("chains", "compact")
    begun("continue", "three")
    assert begun("chains", "compact").code == 0
    assert wire.bodies()[3]["input"] == [KEPT, FOLDED, {"role": "user", "content": "three"}, message("3")]


def test_another_server_gets_the_turns_that_were_compacted(begun: Command, wire: Wire) -> None:
    wire.answer(compacted(FOLDED), text_stream("3", response_id="r3"))
    begun("chains", "compact")
    elsewhere = {"COMETAPI_BASE_URL": wire.url.replace("/v1", "/v2")}
    assert begun("continue", "three", env=elsewhere).code == 0
    user = [{"role": "user", "content": words} for words in ("one", "two", "three")]
    assert wire.bodies()[1]["input"] == [user[0], message("1"), user[1], message("2"), user[2]]


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (error_reply(404, "Not Found"), 65, "the server offers no compaction: HTTP 404: Not Found"),
        (
            reply(404, "<p>nothing</p>", "text/html"),
            65,
            "the server offers no compaction: HTTP 404: nothing, with a body that is not JSON\n"
            "hint: is the base URL right? it usually ends in /v1",
        ),
        (error_reply(400, "too short", "bad"), 65, "HTTP 400 bad: too short"),
        (
            error_reply(404, "no m", "model_not_found"),
            65,
            "HTTP 404 model_not_found: no m\n"
            "hint: -m MODEL names another model; cometresp models lists those of the server",
        ),
        (json_reply({"error": {"message": "no"}}), 65, "HTTP 200: no"),
    ],
)
def test_a_refusal_leaves_the_chain_as_it_was(begun: Command, wire: Wire, script: bytes, code: int, said: str) -> None:
    before = heads(begun)
    wire.answer(script)
    assert list(begun("chains", "compact")) == [code, "", f"cometresp: error: {said}\n"]
    assert (heads(begun), len(begun("log").text.splitlines())) == (before, 2)


def test_a_reply_without_items_changes_nothing(begun: Command, wire: Wire) -> None:
    before = heads(begun)
    wire.answer(compacted())
    assert (begun("chains", "compact").code, heads(begun)) == (76, before)


def test_a_chain_that_moved_on_meanwhile_is_not_taken_back(begun: Command, wire: Wire) -> None:
    def meanwhile(_: Any, connection: Any) -> None:
        begun("chains", "set", "default", "r1")
        connection.sendall(compacted(FOLDED))

    wire.answer(meanwhile)
    assert list(begun("chains", "compact")) == [
        65,
        "",
        "cometresp: error: default moved on meanwhile, and was not compacted\n"
        "hint: cometresp continue --from c1 continues from what was compacted\n",
    ]
    assert begun("chains", "head").text == "r1\n"


CANT = [
    (["--chain", "w", "hi"], json_reply(response(call(), response_id="r1")), "w",
     "w can't be compacted: r1 waits for the output of a call\n"
     "hint: answer it first: cometresp continue --chain w --tool-output call_1=…\n"),
    (["--conversation", "conv_1", "hi"], text_stream("x", response_id="r1"), "default",
     "default can't be compacted: its turns are kept by the server, in conv_1\n"),
    (["hi"], text_stream("x", response_id="r1"), "other",
     "there is no chain other\nhint: cometresp chains lists them\n"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "script", "chain", "said"), CANT, ids=[said for *_, said in CANT])
def test_what_cannot_be_compacted_is_refused_before_anything_is_sent(
    ask: Command, wire: Wire, words: list[str], script: bytes, chain: str, said: str
) -> None:
    wire.answer(script)
    ask("ask", *words)
    result = ask("chains", "compact", chain)
    assert (list(result), len(wire.requests)) == ([2, "", f"cometresp: error: {said}"], 1)


def test_nothing_is_sent_where_the_items_would_not_be_recorded_or_there_are_no_new_turns(
    begun: Command, wire: Wire
) -> None:
    assert list(begun("chains", "compact", env={"COMETRESP_RECORD": "ids"})) == [
        2,
        "",
        "cometresp: error: default can't be compacted: the items that replace its turns would not be recorded\n"
        "hint: COMETRESP_RECORD=full records them\n",
    ]
    assert wire.requests == []
    wire.answer(compacted(FOLDED))
    begun("chains", "compact")
    result = begun("chains", "compact")
    assert (result.code, result.err) == (2, "cometresp: error: default has no turns since it was compacted (c1)\n")


def test_a_compaction_is_no_response_that_could_be_fetched(begun: Command, wire: Wire) -> None:
    wire.answer(compacted(FOLDED), error_reply(404, "no c1"))
    begun("chains", "compact")
    for verb in ("get", "delete", "items"):
        assert list(begun(verb, "last")) == [
            65,
            "",
            "cometresp: error: c1 is a compaction, not a response of the server: HTTP 404: no c1\n"
            "hint: cometresp log c1 shows what is recorded of it\n",
        ]


def test_settings_that_are_not_recorded_are_missed_aloud(begun: Command, wire: Wire) -> None:
    with closing(sqlite3.connect(state_path(begun))) as db:
        db.execute("UPDATE turns SET instructions = '', tools = ''")
        db.commit()
    wire.answer(compacted(FOLDED))
    assert begun("chains", "compact", "-s", "be brief").err == (
        "cometresp: warning: the tools of r2 are not recorded: give them to the next turn\n"
    )


def test_a_process_that_dies_before_the_end_leaves_the_chain_as_it_was(begun: Command, wire: Wire) -> None:
    wire.answer(compacted(FOLDED), text_stream("3", response_id="r3"))
    begun("chains", "compact")
    with closing(sqlite3.connect(state_path(begun))) as db:  # as it is between the two writes
        db.execute("UPDATE turns SET status = 'in_progress', ended = NULL, output = NULL WHERE id = 'c1'")
        db.execute("UPDATE chains SET head = (SELECT n FROM turns WHERE id = 'r2')")
        db.commit()
    assert begun("continue", "three").code == 0
    assert wire.bodies()[1]["previous_response_id"] == "r2"
    assert begun("continue", "--from", "c1", "--replay", "x").code == 65


def test_the_emulator_remembers_what_was_compacted(run: Command) -> None:
    run("ask", "--offline", "my name is Ada")
    assert run("chains", "--offline", "compact").text.startswith("compacted default: 2 items, ")
    assert "1. my name is Ada" in run("continue", "--offline", "who am I?").text
    assert "1. my name is Ada\n2. who am I?" in run("continue", "--offline", "again").text
