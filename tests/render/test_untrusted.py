"""Whatever the text of an answer is made of, what is written to a terminal has no control but the renderer's own."""

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.common.entities import entities

from cometresp.answer.answer import Answer
from cometresp.render.blocks import Splitter
from cometresp.render.cited import Cited
from cometresp.render.console import rendered
from cometresp.render.markdown import citations
from cometresp.render.structured import Structured
from cometresp.render.transcript import transcript
from cometresp.terminal import Terminal
from cometresp.text import escape
from cometresp.wire.events import Event
from tests.conftest import Command
from tests.scripted import Wire, call, created, delta, ended, json_reply, message, response, sse
from tests.terminals import on_terminal, plain

TERMINAL = Terminal(None, None, io.BytesIO(), environ={"LANG": "C.UTF-8", "TERM": "xterm-256color"})

# Characters that steer a terminal, reorder text or hide in it; everything else of Unicode is drawn too.
HOSTILE = st.sampled_from(
    "\x00\x07\x08\x0b\x0c\r\x1b\x7f\x85\x9b\x9d\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\u206a\ufff9"
    "\U000e0001\U000e0041\U000e007f\ud800"
)
POINTS = st.one_of(HOSTILE.map(ord), st.integers(0, 0x10FFFF))
ENCODED = ["&rlm;", "&lrm;", "&NewLine;", "&Tab;", "&amp;#8238;", "&shy;", "&#8238", "%E2%80%AE", "%1b%5b2J", "%C2%9B"]
REFERENCES = st.one_of(
    POINTS.map(lambda point: f"&#{point};"),
    POINTS.map(lambda point: f"&#x{point:x};"),
    POINTS.map(lambda point: f"&#X{point:06X};"),
    st.sampled_from(sorted(entities)).map(lambda name: f"&{name};"),
    st.sampled_from(ENCODED),
)
MARKUP = st.sampled_from(
    [
        *("\n", "\n\n", "# ", "- ", "1. ", "> ", "```", "```py ", "~~~\n", "    ", "`", "**", "_", "~~", "\\", "|"),
        *("\n|-|-|\n", "| a | b |\n|---|--:|\n| ", "[", "](", ")", "![", "[r]: ", "[r]", "<", ">", "<http://a/"),
        *("<kbd>", "<b ", "<!--", ' "t" ', "http://a.example/", "text", " ", "\x1b[31m", "\x1b]8;;", "\x1b\\"),
        *('{"a": "', "\\u202e", "\\x1b"),
    ]
)
TEXTS = st.lists(st.one_of(MARKUP, REFERENCES, HOSTILE, st.characters(exclude_categories=[])), max_size=14).map("".join)
PIECES = st.lists(st.integers(1, 60), min_size=1, max_size=3)


def uncontrolled(screen: str) -> str:
    """What was written, without the colours and links that the renderer makes; fails where anything else steers."""
    text = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[a-z0-9=-]*;[!-~]*\x1b\\", "", screen)
    found = [
        character
        for character in text
        if (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\n\t")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or character in "\u061c\u200e\u200f"
        or "\U000e0000" <= character <= "\U000e007f"
    ]
    assert found == [], ascii(screen)
    return text


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces, place = [], 0
    while place < len(text):
        for size in sizes:
            pieces.append(text[place : place + size])
            place += size
    return pieces


@given(TEXTS, PIECES)
def test_no_markdown_brings_back_what_was_escaped_however_it_is_cut(text: str, sizes: list[int]) -> None:
    splitter = Splitter()
    drawn = []
    for piece in cut(text, sizes):
        splitter.feed(piece)
        drawn += [splitter.tail(3), splitter.finished()]
    drawn.append(splitter.end())
    for blocks in filter(None, drawn):
        uncontrolled(rendered(blocks, TERMINAL, 60))
    assert "\x1b" not in "".join(rendered(blocks, TERMINAL, 60, ansi=False) for blocks in filter(None, drawn[-1:]))


@given(TEXTS, PIECES)
def test_no_structured_answer_has_a_raw_control(text: str, sizes: list[int]) -> None:
    structured = Structured()
    for piece in cut(text, sizes):
        structured.feed(piece)
        uncontrolled(rendered(structured.tail(3), TERMINAL, 60))
    if (lines := structured.end()) is not None:
        uncontrolled(rendered(lines, TERMINAL, 60))


@given(st.lists(st.tuples(st.sampled_from(["heading", "prompt", "answer", "plain"]), TEXTS), max_size=4))
def test_no_transcript_has_a_raw_control(passages: list[tuple[str, str]]) -> None:
    uncontrolled(transcript(passages, TERMINAL))


@given(TEXTS, TEXTS)
def test_no_citation_has_a_raw_control(title: str, address: str) -> None:
    note = {"type": "url_citation", "title": title, "url": f"https://{address}"}
    part = {"type": "output_text", "text": "t", "annotations": [note]}
    answer = Answer()
    answer.apply(Event("response.completed", ended(response(message("", content=[part]))), ""))
    for links in (True, False):
        if (notes := citations(Cited().notes(answer), links=links)) is not None:
            uncontrolled(rendered(notes, TERMINAL, 60))


@given(TEXTS)
def test_an_escape_that_the_model_wrote_itself_stays_as_it_is(text: str) -> None:
    shown = escape(text)
    assert escape(shown) == shown


SHOWN = [
    ("a &#8238;b &rlm;c &#x2028;d &#xE0041;e\n", "a \\u202eb \\u200fc \\u2028d \\U000e0041e\n"),
    ("[l&#8238;l](http://a.example/&#8238;x)\n", "l\\u202el (http://a.example/\\u202ex)\n"),
    ("<http://a.example/%E2%80%AE>\n", "http://a.example/%E2%80%AE\n"),
    ("| h&rlm; |\n|---|\n| c&lrm; |\n", "h\\u200f ─────── c\\u200e"),
    ("## h&rlm;\n", "h\\u200f\n"),
    ("[&rlm;r]\n\n[&rlm;r]: http://a.example\n", "\\u200fr (http://a.example) [&rlm;r]: http://a.example\n"),
    ("`&rlm;` \\x1b \\u202e &amp;#8238; &#27;[31m &#x9b;\n", "&rlm; \\x1b \\u202e &#8238; \ufffd[31m \ufffd\n"),
    ("```p&rlm;y\nx = '&rlm;'\n```\n", "x = '&rlm;'"),
    ("soft&shy;hyphen, joi&zwj;ner\n", "soft\xadhyphen, joi\u200dner\n"),
]


@pytest.mark.parametrize(("source", "shown"), SHOWN)
def test_a_character_reference_is_shown_as_the_escape_of_what_it_stands_for(source: str, shown: str) -> None:
    assert plain(transcript([("answer", source)], TERMINAL)).split() == shown.split()


def test_references_are_escaped_in_the_live_view_and_in_what_is_recorded(ask: Command, wire: Wire) -> None:
    source, shown = "\n".join(source for source, _ in SHOWN), " ".join(shown for _, shown in SHOWN).split()
    wire.answer(sse(created(), delta(source), ended(response(message(source)))))
    _, live = on_terminal(ask, "ask", "-q", "hi")
    _, recorded = on_terminal(ask, "chains", "show")
    drawn = iter(plain(live).split())  # with the status line between them on a slow machine
    assert [word for word in shown if word not in drawn] == []
    assert plain(recorded).split()[-len(shown) :] == shown


def test_calls_and_usage_show_what_is_invisible_on_one_line(ask: Command, wire: Wire) -> None:
    made = call(name="a\u200bb", call_id="c\u00ad", arguments='{"x": "\u3164"}')
    wire.answer(json_reply(response(made, usage={"input_tokens": "1\nhint: x"})))
    assert tuple(ask("ask", "--no-stream", "--usage", "hi")) == (
        *(5, ""),
        "usage: 1\\nhint: x input\n"
        'cometresp: error: waiting for the output of c\\xad a\\u200bb {"x": "\\u3164"}\n'
        "hint: cometresp continue --input @items.json\n",
    )
    _, screen = on_terminal(ask, "ask", "hi", env={"TERM": "dumb"})
    assert 'a\\u200bb({"x": "\\u3164"})' in screen
    assert not set("\u200b\xad\u3164") & set(screen)
