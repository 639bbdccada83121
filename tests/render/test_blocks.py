"""Markdown in pieces: block by block it is rendered as Rich renders the whole document."""

import os
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.markdown import Markdown as RichMarkdown

from cometresp.render.blocks import Blocks, Splitter
from cometresp.render.markdown import rendered
from cometresp.terminal import Terminal
from cometresp.text import escape

PIECES = [
    "# heading\n\n",
    "two lines\nof text\n",
    "Setext\n======\n\n",
    "under\n-----\n",
    "- a\n- b\n  - c\n\n    more of c\n- d\n\n",
    "1. one\n2. two\n\n\n",
    "```py\nx = 1\n\n# not a heading\n```\n",
    "~~~\nopen fence `\n~~~~\n",
    "    indented\n\n    code\n\n",
    "> quote\nlazy\n> - list\n\n",
    "| a | b |\n|---|--:|\n| 1 | *2* |\n| 3 |\n\n",
    "***\n",
    "<div>\nhtml **x**\n\n</div>\n\n",
    "text <b>inline</b> [link](http://x.example) ![i](http://x.example/i.png)\n\n",
    "[ref]: http://x.example 'title'\n\nuse [ref] and [ref][]\n\n",
    "hard  \nbreak\\\nx `code` ~~gone~~\n\n",
    "+ loose\n\n+ list\n\n",
    "\r\ncarriage\r\nreturns\r\n\r\n",
    "tab\there\x1b[2J \u202e 你好 👩\u200d👩\u200d👧 e\u0301\n\n",
    "a | b\nno table\n\n",
    "-\n",
    "=\n",
    "\n\n\n",
]
TERMINAL = Terminal(None, None, None, environ={"LANG": "C.UTF-8"})  # type: ignore[arg-type]


def show(things: list[Blocks], width: int = 60) -> str:
    return "".join(rendered(thing, TERMINAL, width, ansi=False) for thing in things)


def whole(document: str) -> str:
    splitter = Splitter()
    splitter.feed(document)
    blocks = splitter.end()
    return show([blocks]) if blocks else ""


def in_pieces(document: str, cuts: list[int], *, previewing: bool = False) -> str:
    splitter, returned, place = Splitter(), [], 0
    sizes = cuts or [len(document)]
    while place < len(document):
        for size in sizes:
            splitter.feed(document[place : place + size])
            place += size
            if previewing:
                show([splitter.tail(3), splitter.rest()])
            returned.append(splitter.finished())
    return show([blocks for blocks in (*returned, splitter.end()) if blocks is not None])


def defines_after_use(document: str) -> bool:
    """Whether a link definition comes after its use: the text printed by then can't change."""
    lines = document.casefold().split("\n")
    for n, line in enumerate(lines):
        found = re.match(r"[ >*+-]*\[((?:[^\]\\]|\\.)+)\]:", line)
        if found and any(f"[{found[1].strip()}]" in " ".join(earlier.split()) for earlier in lines[:n]):
            return True
        if re.match(r"[ >*+-]*\[[^\]]*$", line):  # a label over several lines
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_blocks_in_pieces_are_the_whole_document(pieces: list[str], cuts: list[int]) -> None:
    document = "".join(pieces)
    if not defines_after_use(escape(document)):
        assert in_pieces(document, cuts) == whole(document)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab \n-=#>`~*|_[]()1.\t<\\")), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_no_markup_makes_the_pieces_differ_from_the_whole(document: str, cuts: list[int]) -> None:
    if not defines_after_use(document):
        assert in_pieces(document, cuts, previewing=True) == whole(document)


@pytest.mark.parametrize("piece", PIECES)
def test_a_document_without_html_is_what_rich_prints(piece: str) -> None:
    if "<" in piece:
        assert "<" in whole(piece)  # Rich itself leaves HTML out
        return
    rich = rendered(RichMarkdown(escape(piece), hyperlinks=False), TERMINAL, 60, ansi=False)
    assert [line.rstrip() for line in whole(piece).split("\n")] == [line.rstrip() for line in rich.split("\n")]


@cache
def spec_documents() -> list[str]:
    """The examples of the CommonMark spec, ten to a document."""
    text = Path(os.environ["COMMONMARK_SPEC"]).read_text()
    examples = re.findall(r"^`{32} example\n(.*?)^\.\n", text, re.DOTALL | re.MULTILINE)
    sources = [example.replace("→", "\t") for example in examples]
    documents = ["\n\n".join(sources[n : n + 10]) for n in range(0, len(sources), 10)]
    return [document for document in documents if not defines_after_use(document)]


@pytest.mark.skipif(
    "COMMONMARK_SPEC" not in os.environ, reason="COMMONMARK_SPEC names no spec.txt (the sdist of commonmark)"
)
def test_the_specs_own_examples_are_the_same_in_pieces_of_any_size() -> None:
    assert len(spec_documents()) >= 40

    @settings(max_examples=200, deadline=None)
    @given(st.sampled_from(spec_documents()), st.lists(st.integers(1, 200), min_size=1, max_size=5))
    def same(document: str, cuts: list[int]) -> None:
        assert in_pieces(document, cuts) == whole(document)

    same()
    for document in spec_documents():
        assert in_pieces(document, [7, 1, 40]) == whole(document)


def test_a_table_is_returned_whole() -> None:
    splitter = Splitter()
    returned = []
    for line in ("intro\n", "\n", "| a |\n", "|---|\n", "| 1 |\n", "| 2 |\n", "\n", "after\n"):
        splitter.feed(line)
        if (blocks := splitter.finished()) is not None:
            returned.append(show([blocks]).split())
    assert returned == [["intro"], ["a", "─", "1", "2"]]


def test_only_the_end_of_a_long_block_is_previewed() -> None:
    splitter = Splitter()
    splitter.feed("```py\n" + "".join(f"line{n} = 1\n" for n in range(5000)))
    assert splitter.finished() is None
    end = show([splitter.tail(5)]).split("\n")
    assert len(end) < 20
    assert "line4999 = 1" in end[-3]
