"""Citations: their numbers stand in the text where their place is known, on terminals alone, none twice."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.answer.answer import Answer
from cometresp.render.blocks import Splitter
from cometresp.render.cited import Cited, Note, fitting, with_numbers
from cometresp.render.source import Source
from cometresp.wire.events import Event
from tests.conftest import Command, Forker
from tests.scripted import Wire, created, delta, ended, json_reply, message, response, sse
from tests.terminals import at_the_end, plain

PAGE, OTHER = "https://a.example/p", "https://b.example/"
NOTES = f"[1] Page {PAGE}\n[2] f.txt\n"


def url(end: int, address: str = PAGE, title: str = "Page") -> dict[str, Any]:
    return {"type": "url_citation", "url": address, "title": title, "start_index": 0, "end_index": end}


def file(index: int) -> dict[str, Any]:
    return {"type": "file_citation", "file_id": "file-1", "filename": "f.txt", "index": index}


def cited(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return message(text, content=[{"type": "output_text", "text": text, "annotations": list(annotations)}])


def added(annotation: dict[str, Any], number: int = 0) -> dict[str, Any]:
    place = {"item_id": "msg_0", "output_index": 0, "content_index": 0, "annotation_index": number}
    return {"type": "response.output_text.annotation.added", **place, "annotation": annotation}


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ("It is big.| So", r"It is big.\[1\] So"),
        ("It is big. | So", r"It is big.\[1\]  So"),
        ("It is big.\n\n|So", r"It is big.\[1\]" + "\n\nSo"),
        ("see [a](http://x)| .", r"see [a](http://x)\[1\] ."),
        ("see [a](htt|p://x) .", r"see [a](http://x)\[1\] ."),
        ("see https://x/y| now", r"see https://x/y \[1\] now"),
        ("wo|rd", "word"),
        ("`a |b` c", "`a b` c"),
        ("`a b`| c", r"`a b`\[1\] c"),
        ("```\ncode|\n```\n", "```\ncode\n```\n"),
        ("```\ncode\n```|\n", "```\ncode\n```\n"),
        (">     rm foo|\n", ">     rm foo\n"),
        ("> ```\n> rm foo|\n> ```\n", "> ```\n> rm foo\n> ```\n"),
        ("1.  a\n\n    ```\n    code|\n    ```\n", "1.  a\n\n    ```\n    code\n    ```\n"),
        ("- a\n\n      code|\n", "- a\n\n      code\n"),
        ("a\n\n    code|\n", "a\n\n    code\n"),
        ("a\n\n\tcode|\n", "a\n\n\tcode\n"),
        ("~~~\n```\n~~~\nIt is big.|\n", "~~~\n```\n~~~\nIt is big.\\[1\\]\n"),
        ("```\r\ncode\r\n```\r\nIt is big.|\n", "```\r\ncode\r\n```\r\nIt is big.\\[1\\]\n"),
        ("<p>\nIt is big.|\n</p>\n", "<p>\nIt is big.\n</p>\n"),
        ("> [1]: http://x|\n", "> [1]: http://x\n"),
        ("> It is big.|\n", "> It is big.\\[1\\]\n"),
        ("- a\n    - b|\n", "- a\n    - b\\[1\\]\n"),
        ("| a | b |‸\n|---|---|\n", "| a | b\\[1\\] |\n|---|---|\n"),
        ("a\n---|\n", "a\n---\n"),
        ("[1]: http://x|\n", "[1]: http://x\n"),
        ("东|京", r"东\[1\]京"),
        ("|a", "a"),
        (" |a", " a"),
    ],
)
def test_a_number_stands_where_it_does_no_harm(source: str, marked: str) -> None:
    at = source.index("‸" if "‸" in source else "|")
    text = source[:at] + source[at + 1 :]
    assert with_numbers(cited(text, url(at)))[0] == marked


@pytest.mark.parametrize("place", [-1, 0, 10_000, None, True, "3", 2.0])
def test_a_place_that_is_none_leaves_the_note_alone(place: object) -> None:
    assert with_numbers(cited("It is big.", url(place))) == ("It is big.", [Note("Page", PAGE)])  # type: ignore[arg-type]


def test_the_same_source_has_one_number() -> None:
    text, notes = with_numbers(cited("One. Two. Three.", url(4), file(9), url(16), url(16, OTHER, "Other")))
    assert text == r"One.\[1\] Two.\[2\] Three.\[1\]\[3\]"
    assert notes == [Note("Page", PAGE), Note("f.txt", ""), Note("Other", OTHER)]


class Fed:
    """A splitter that prints what it was fed with when it is told to."""

    def __init__(self) -> None:
        self.printed = self.rest = ""

    def feed(self, text: str) -> None:
        self.rest += text

    def insert(self, text: str, *, before: str) -> bool:
        if not self.rest.endswith(before) or self.rest == before:
            return False
        place = len(self.rest) - len(before)
        self.rest = self.rest[:place] + text + self.rest[place:]
        return True

    def flush(self) -> None:
        self.printed, self.rest = self.printed + self.rest, ""


TEXT = "Paris is big. So is Rome.\n\nNot Ulm, nor Trier.\n\nAnd that is all of it.\n"


@given(st.data())
def test_whenever_citations_come_the_text_is_the_same_but_for_its_numbers(data: Any) -> None:
    places = data.draw(st.lists(st.integers(0, len(TEXT)), max_size=5))
    sizes = data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=20))
    answer, one, fed = Answer(), Cited(), Fed()
    waiting, place = [added(url(place, f"https://x/{n}"), n) for n, place in enumerate(places)], 0
    for size in [*sizes, len(TEXT)]:
        events = [delta(TEXT[place : place + size])]
        place += size
        while waiting and data.draw(st.booleans()):
            events.append(waiting.pop(0))
        for event in events:
            answer.apply(Event(event["type"], event, ""))
            one.feed(fed, answer.read_new_text(), Event(event["type"], event, ""), answer)
        if data.draw(st.booleans()):
            fed.flush()
    whole = cited(TEXT, *(url(place, f"https://x/{n}") for n, place in enumerate(places)))
    answer.apply(Event("response.completed", ended(response(whole)), ""))
    one.feed(fed, answer.read_new_text(), None, answer)
    shown = fed.printed + fed.rest
    assert re.sub(r"\\\[\d\\\]", "", shown) == TEXT
    assert len(set(re.findall(r"\[\d", shown))) == len(re.findall(r"\[\d", shown))
    assert [note.address for note in one.notes(answer)] == [f"https://x/{n}" for n in range(len(places))]
    if not fed.printed:
        assert len(re.findall(r"\[\d", shown)) == sum(
            fitting(TEXT, place, len(TEXT), Source()) is not None for place in places
        )


def test_a_number_between_two_pieces_of_text_is_known_to_the_ones_that_come_before_it() -> None:
    answer, one, fed = Answer(), Cited(), Fed()
    annotations = [url(12, "https://x/0"), url(5, "https://x/1")]
    for event in (delta(TEXT[:12]), added(annotations[0]), delta(TEXT[12:]), added(annotations[1], 1)):
        answer.apply(Event(event["type"], event, ""))
        one.feed(fed, answer.read_new_text(), Event(event["type"], event, ""), answer)
    assert fed.rest.startswith("Paris\\[2\\] is big\\[1\\]. So is Rome.")


def test_a_splitter_takes_text_only_before_what_it_did_not_return() -> None:
    splitter = Splitter()
    splitter.feed("one\n\ntwo\n")
    assert splitter.insert(r"\[1\]", before="\n\ntwo\n")
    assert splitter.finished() is not None
    assert not splitter.insert(r"\[1\]", before="\n\ntwo\n")
    assert not splitter.insert(r"\[1\]", before="two\n")
    assert splitter.insert(r"\[1\]", before="\n")
    assert not splitter.insert(r"\[1\]", before="nothing of it")


FIRST, SECOND = "Paris is big.", "\n\nSo is Rome. Ulm isn't."
WHOLE = FIRST + SECOND
ENDED = ended(response(cited(WHOLE, url(13), file(26))))
STREAMS = {
    "with its text": [delta(FIRST), added(url(13)), delta(SECOND), added(file(26), 1), ENDED],
    "at the end": [delta(FIRST), delta(SECOND), ENDED],
}


@pytest.mark.parametrize("env", [{}, {"COMETRESP_PLAIN": "1"}], ids=["live", "plain"])
@pytest.mark.parametrize("when", [*STREAMS, "whole"])
def test_numbers_stand_in_the_text_on_a_terminal(
    ask: Command, wire: Wire, forker: Forker, when: str, env: dict[str, str]
) -> None:
    wire.answer(sse(created(), *STREAMS[when]) if when in STREAMS else json_reply(ENDED["response"]))
    shown = at_the_end(forker.run(ask, ["ask", "hi"], env={**env, "NO_COLOR": "1"}, terminal=True).text)
    if when == "at the end":  # the first paragraph may be printed by then: on a live view if it took long
        shown = shown.replace("big.[1]", "big.")
    assert f"Paris is big.{'' if when == 'at the end' else '[1]'}\n\nSo is Rome.[2] Ulm isn't.\n\n{NOTES}" in shown
    assert shown.count("Ulm") == 1
    recorded = plain(forker.run(ask, ["log", "resp_1"], env={"NO_COLOR": "1"}, terminal=True).text)
    assert f"Paris is big.[1]\n\nSo is Rome.[2] Ulm isn't.\n\n{NOTES}" in recorded


@pytest.mark.parametrize("words", [["ask"], ["ask", "-F", "text"], ["stream"], ["ask", "-F", "markdown"]])
def test_in_a_pipe_the_text_has_no_numbers(ask: Command, wire: Wire, words: list[str]) -> None:
    wire.answer(sse(created(), *STREAMS["with its text"]))
    assert list(ask(*words, "hi")) == [0, f"{WHOLE}\n", ""]
    assert ask("log", "resp_1").text.endswith(f"\n\n{WHOLE}\n")


def test_the_answer_itself_is_left_as_it_is(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(sse(created(), *STREAMS["with its text"]))
    forker.run(ask, ["ask", "-o", "answer.md", "hi"], terminal=True)
    assert (ask.home / "answer.md").read_text() == f"{WHOLE}\n"


def test_very_many_citations_are_not_looked_for_for_ever() -> None:
    answer, one, fed = Answer(), Cited(), Fed()
    for n in range(3000):
        for event in (delta(f"word {n}. "), added(url(10 * n), n)):
            answer.apply(Event(event["type"], event, ""))
            one.feed(fed, answer.read_new_text(), Event(event["type"], event, ""), answer)
    assert re.sub(r"\\\[\d+\\\]", "", fed.rest) == answer.text
    assert one._work < 22_000_000  # noqa: SLF001 - nothing else shows it on a busy machine


BLOCKS = st.sampled_from(
    ["a\n", "\n", "    b\n", "```\n", "~~~~\n", "> ", "- ", "1. ", "\tc\n", "<p>\n", "# d\n", "---\n"]
)


@given(st.lists(BLOCKS, max_size=12).map("".join), st.lists(st.integers(0, 40)))
def test_a_text_that_grows_has_the_same_source_as_the_whole_one(text: str, ends: list[int]) -> None:
    grown = Source()
    for end in sorted({min(end, len(text)) for end in ends}):
        grown.has(text, 0, end)
    whole = Source()
    places = [place for place in range(1, len(text) + 1) if not text[place - 1].isspace()]
    same = [grown.has(text, place, len(text)) == whole.has(text, place, len(text)) for place in places]
    assert all(same)


@pytest.mark.parametrize("text", ["http://", "[", "[](", "<", "` ", " ", "|", "a\n\n    b\n\n"])
def test_no_text_takes_long(text: str) -> None:
    text = text * (64_000 // len(text))
    begun = time.process_time()
    with_numbers(cited(text + "a", *(url(len(text) - n) for n in range(100))))
    assert time.process_time() - begun < 5
