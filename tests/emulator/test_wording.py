import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.emulator.wording import commands, excerpt, pieces, tokens

from .bench import WEATHER, Bench, text_of, types_of
from .talk import outputs

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e9\U0001f1ea"


@given(st.text())
def test_pieces_add_up_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One two\r\n\r\nthree", ["One ", "two\r\n\r\n", "three"]),
        (f"{FAMILY} {FLAG}", [f"{FAMILY} {FLAG}"]),
        (f"a {FAMILY} b", ["a ", f"{FAMILY} ", "b"]),
        ("a \u0301b", ["a \u0301b"]),
        ("A\u0308" * 20, ["A\u0308" * 20]),
        ('{"name":"Ada","age":36}\n', ['{"name":', '"Ada","a', 'ge":36}\n']),
    ],
)
def test_a_text_is_split_between_words_and_never_in_a_grapheme(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_a_cut_quote_has_the_full_length_of_the_text() -> None:
    assert excerpt("one two three", 20) == "one two three"
    assert excerpt("one two three", 9) == "one two … (13 characters in all)"


@given(st.text(min_size=1), st.integers(1, 50))
def test_a_quote_has_a_limited_length(text: str, limit: int) -> None:
    assert len(excerpt(text, limit)) <= limit + 60


def test_four_characters_are_a_token() -> None:
    assert [tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_words_are_found_anywhere_in_the_prompt() -> None:
    assert commands("please emulate:long=20, then\nemulate:slow (not xemulate:code)") == {"long": 20, "slow": 0}


def test_only_the_last_prompt_counts(bench: Bench) -> None:
    first = bench.ask(input="emulate:refusal")
    assert (
        bench.ask(input="Hello", previous_response_id=first["id"])["output"][0]["content"][0]["type"] == "output_text"
    )


@pytest.mark.parametrize(
    ("word", "reason"), [("incomplete", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_incomplete_answer_has_half_the_text(bench: Bench, word: str, reason: str) -> None:
    response = bench.ask(input=f"emulate:{word}")
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert (response["completed_at"], response["output"][0]["status"]) == (None, "incomplete")
    assert text_of(bench.ask(input=f"emulator:{word}")).startswith(text_of(response)[:40])


def test_the_answer_ends_at_the_token_limit(bench: Bench) -> None:
    response = bench.ask(input="emulate:long=100", max_output_tokens=50)
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert 45 < response["usage"]["output_tokens"] <= 50


def test_reasoning_may_use_the_whole_token_limit(bench: Bench) -> None:
    response = bench.ask(input="emulate:reasoning", max_output_tokens=16)
    assert (response["status"], [item["type"] for item in response["output"]]) == ("incomplete", ["reasoning"])


def test_a_commentary_is_a_message_of_its_own_before_the_answer(bench: Bench) -> None:
    plain = bench.ask(input="emulate:reasoning")
    response = bench.ask(input="emulate:reasoning emulate:commentary")
    reasoning, commentary, final = response["output"]
    assert (reasoning["type"], commentary["phase"], final["phase"]) == ("reasoning", "commentary", "final_answer")
    assert text_of({"output": [commentary]}) == "The emulator looks at the prompt first."
    assert text_of({"output": [final]}).startswith("This is the **emulator**: no model was asked.\n\nYou said:")
    assert "phase" not in plain["output"][1]
    refused = bench.ask(input="emulate:commentary emulate:refusal")["output"]
    assert [(item["phase"], item["content"][0]["type"]) for item in refused] == [
        ("commentary", "output_text"),
        ("final_answer", "refusal"),
    ]


def test_a_commentary_is_streamed_with_its_own_events(bench: Bench) -> None:
    events = bench.stream(input="emulate:commentary")
    per_item = [types_of([event for event in events if event.get("output_index") == index]) for index in (0, 1)]
    message = [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ]
    assert per_item == [message, message]
    opened = [event["item"] for event in events if event["type"] == "response.output_item.added"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [item["phase"] for item in opened] == [item["phase"] for item in done] == ["commentary", "final_answer"]
    assert events[-1]["response"]["output"] == done


def test_a_commentary_comes_before_each_round_of_calls_and_the_answer_quotes_all_outputs(bench: Bench) -> None:
    prompt = [{"role": "user", "content": "emulate:commentary emulate:call_chain=2"}]
    items, kinds = list(prompt), []
    for number in range(3):
        output = bench.ask(input=items, tools=[WEATHER])["output"]
        kinds.append([item.get("phase", item["type"]) for item in output])
        items += [*output, *outputs({"output": output}, f"answer {number}")]
    assert kinds == [["commentary", "function_call"], ["commentary", "function_call"], ["commentary", "final_answer"]]
    assert "answer 0 1\n" in text_of({"output": output})
    assert "answer 1 1" in text_of({"output": output})


def test_a_commentary_counts_towards_the_token_limit(bench: Bench) -> None:
    response = bench.ask(input="emulate:commentary emulate:long=100", max_output_tokens=50)
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert 45 < response["usage"]["output_tokens"] <= 50


def test_a_long_answer_has_the_requested_lines(bench: Bench) -> None:
    assert text_of(bench.ask(input="emulate:long=3")).endswith("\n\nLine 1 of 3.\nLine 2 of 3.\nLine 3 of 3.")


def test_code_blocks_come_on_request(bench: Bench) -> None:
    blocks = re.findall(r"```\w+\n(.*?)\n```", text_of(bench.ask(input="emulate:code")))
    assert blocks == ['print("first block")', 'echo "last block"']


def test_the_same_conversation_gets_the_same_text(bench: Bench) -> None:
    first, second = bench.ask(input="Hello"), bench.ask(input="Hello")
    assert (text_of(first), first["usage"]) == (text_of(second), second["usage"])
    assert first["id"] != second["id"]
