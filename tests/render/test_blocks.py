"""Markdown in pieces: what is returned is final, and all pieces together look like the whole document."""

import os
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cometresp.render.blocks import Blocks, Splitter
from cometresp.render.console import rendered
from cometresp.terminal import Terminal
from cometresp.text import escape
from tests.properties import examples

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
    "    >>>\n    >\n\n",
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
# Lines that go on with what is open, or end it.
LINES = [
    *("- a\n", "  - b\n", "    more\n", "  para\n", "\n", "> - q\n", "> x\n", ">\n", "1. a\n", "10. b\n", "text\n"),
    *(
        "   ```py\n",
        "   x=1\n",
        "   ```\n",
        "  ```\n",
        "- - z\n",
        "      code\n",
        "| a | b |\n",
        "|---|---|\n",
        "-\ttab\n",
    ),
]
TERMINAL = Terminal(None, None, None, environ={"LANG": "C.UTF-8"})  # type: ignore[arg-type]


def show(things: list[Blocks], width: int = 60) -> str:
    return "".join(rendered(thing, TERMINAL, width, ansi=False) for thing in things)


def whole(document: str, width: int = 60) -> str:
    splitter = Splitter()
    splitter.feed(document)
    blocks = splitter.end()
    return show([blocks], width) if blocks else ""


def in_pieces(document: str, cuts: list[int], *, previewing: bool = False) -> str:
    splitter, returned, place = Splitter(), [], 0
    sizes = cuts or [len(document)]
    while place < len(document):
        for size in sizes:
            splitter.feed(document[place : place + size])
            place += size
            if previewing:
                show([splitter.tail(3), splitter.tail(1000)])
            returned.append(splitter.finished())
    return show([blocks for blocks in (*returned, splitter.end()) if blocks is not None])


def line_by_line(document: str, *, rows: int | None = None, lag: int | None = None, width: int = 60) -> list[str]:
    """What is printed after each line of a document, and at its end."""
    splitter, shown = Splitter(lag=lag), []
    for line in document.splitlines(keepends=True):
        splitter.feed(line)
        blocks = splitter.finished(rows)
        shown.append(show([blocks], width) if blocks else "")
    blocks = splitter.end()
    return [*shown, show([blocks], width) if blocks else ""]


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


@examples(200)
@given(st.lists(st.sampled_from(PIECES + LINES), max_size=10), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_blocks_in_pieces_are_the_whole_document(pieces: list[str], cuts: list[int]) -> None:
    document = "".join(pieces)
    if not defines_after_use(escape(document)):
        assert in_pieces(document, cuts) == whole(document)


@examples(200)
@given(st.text(st.sampled_from("ab \n-=#>`~*|_[]()1.\t<\\")), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_no_markup_makes_the_pieces_differ_from_the_whole(document: str, cuts: list[int]) -> None:
    if not defines_after_use(document):
        assert in_pieces(document, cuts, previewing=True) == whole(document)


@cache
def spec_examples() -> list[str]:
    """The examples of the CommonMark spec."""
    text = Path(os.environ["COMMONMARK_SPEC"]).read_text()
    examples = re.findall(r"^`{32} example\n(.*?)^\.\n", text, re.DOTALL | re.MULTILINE)
    return [example.replace("→", "\t") for example in examples]


@cache
def spec_documents() -> list[str]:
    """The examples, ten to a document."""
    sources = spec_examples()
    documents = ["\n\n".join(sources[n : n + 10]) for n in range(0, len(sources), 10)]
    return [document for document in documents if not defines_after_use(document)]


needs_spec = pytest.mark.skipif(
    "COMMONMARK_SPEC" not in os.environ, reason="COMMONMARK_SPEC names no spec.txt (the sdist of commonmark)"
)


@needs_spec
def test_the_specs_own_examples_are_the_same_in_pieces_of_any_size() -> None:
    assert len(spec_documents()) >= 40

    @examples(200)
    @given(st.sampled_from(spec_documents()), st.lists(st.integers(1, 200), min_size=1, max_size=5))
    def same(document: str, cuts: list[int]) -> None:
        assert in_pieces(document, cuts) == whole(document)

    same()
    for document in spec_documents():
        assert in_pieces(document, [7, 1, 40]) == whole(document)


# every word is there ------------------------------------------------------------------------------------------------


class _Words(HTMLParser):
    """The words of an HTML document, and its addresses."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=False)  # in HTML blocks they aren't read, and stand between words
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.feed(document)

    def handle_data(self, data: str) -> None:
        self.words += re.findall(r"\w+", data)

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value and "%" not in value and value.isascii():
                self.addresses.append(value.removeprefix("mailto:"))
            if name == "alt":
                self.words += re.findall(r"\w+", value or "")


class _AsWritten(MarkdownIt):
    """A renderer of HTML that leaves addresses as they are."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        return url


_HTML = _AsWritten("commonmark").enable("table").enable("strikethrough")


def lacking(document: str, width: int) -> list[str]:
    """Words and addresses of a document, as another renderer has them, that aren't shown, the words in their order."""
    found = _Words(_HTML.render(escape(document)))
    screen = "".join(re.findall(r"\w+", whole(document, width)))
    place = 0
    missing = []
    for word in found.words:
        if (at := screen.find(word, place)) >= 0:
            place = at + len(word)
        else:
            missing.append(word)
    return missing + [at for at in found.addresses if "".join(re.findall(r"\w+", at)) not in screen]


@needs_spec
@pytest.mark.parametrize("width", [20, 60, 120])
def test_every_word_of_the_specs_examples_is_shown_in_order(width: int) -> None:
    assert {example: missing for example in spec_examples() if (missing := lacking(example, width))} == {}


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("piece", PIECES)
def test_every_word_of_every_kind_of_block_is_shown_in_order(piece: str, width: int) -> None:
    if "|---" not in piece:
        assert lacking(piece, width) == []


def numbered(columns: int) -> Iterator[str]:
    """A table whose cells have words of their own, of eight characters each."""
    names = iter(f"w{n:07}" for n in range(10_000))
    yield "|" + "|".join(next(names) for _ in range(columns)) + "|\n"
    yield "|" + "|".join(["---", ":-:", "--:"][n % 3] for n in range(columns)) + "|\n"
    for n in range(4):
        cells = [" ".join(next(names) for _ in range(1 + n * 2)) for _ in range(columns)]
        yield "|" + "|".join(cells) + "|\n"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("columns", [1, 2, 3, 5, 12])
def test_every_word_of_a_table_is_shown_once(columns: int, width: int) -> None:
    document = "".join(numbered(columns))
    shown = re.sub(r"\n\s*", "\n", whole(document, width))
    words = re.findall(r"w\d{7}", document)
    screen = re.findall(r"w\d{7}", shown)
    heads, records = words[:columns], f"{words[0]}:" in shown
    if records:
        assert [word for word in screen if word not in heads] == words[columns:]
    else:
        assert sorted(screen) == sorted(words)
    assert "…" not in shown


# what it looks like -------------------------------------------------------------------------------------------------

LOOKS = {
    "an image is text in its place": (
        "before ![the logo](https://i.example/a.png) after",
        "before the logo (https://i.example/a.png) after\n",
    ),
    "an image with a title, without a text, and in a link": (
        '![a](/a "t") ![](/b) [![c](/c)](/d)',
        'a (/a "t") /b c (/c) (/d)\n',
    ),
    "an address that is its own label is written once": (
        "<https://a.example> [https://b.example](https://b.example) <me@c.example>",
        "https://a.example https://b.example me@c.example\n",
    ),
    "a line break stays one": ("Roses are red\nviolets are blue\n", "Roses are red\nviolets are blue\n"),
    "a break in HTML is a break": ("a<br>b<br/>c <BR /> d", "a\nb\nc\nd\n"),
    "a definition is a line": (
        "[a]\n\n[b]: https://b.example\n[c]: /c 'title'\n\nend\n",
        '[a]\n\n[b]: https://b.example\n[c]: /c "title"\n\nend\n',
    ),
    "one blank line is between blocks": ("# a\nb\n\n\n\n---\nc\n- d\n", "a\n\nb\n\n" + "─" * 60 + "\n\nc\n\n • d\n"),
    "items are apart where the source has them apart": (
        "- a\n- b\n\n- c\n\n  d\n  - e\n",
        " • a\n • b\n\n • c\n\n   d\n    • e\n",
    ),
    "numbers go on": ("9. a\n9. b\n", " 9. a\n10. b\n"),
    "code in a list has no blanks in front": (
        "1. Do:\n   ```sh\n   make\n     it\n   ```\n2. Then\n",
        " 1. Do:\n\nmake\n  it\n\n 2. Then\n",
    ),
    "a long line of code is one line": ("    " + "x" * 100, "x" * 100 + "\n"),
    "tabs and the blanks at the ends of code stay": ("```\na:\n\tb  \n\n\n```\n", "a:\n\tb  \n"),
    "the file that a fence names is shown": ("```py app.py\nx\n```\n", "py app.py\nx\n"),
    "a quote has a margin": ("> a\n>\n> - b\n> ```\n> c\n> ```\n", "▌ a\n▌\n▌  • b\n▌\n▌ c\n"),
    "a cell is folded": (
        "|a|b|\n|---|---|\n|" + "x" * 70 + "|y|\n",
        "a" + " " * 58 + "b\n" + "─" * 60 + "\n" + "x" * 57 + "  y\n" + "x" * 13 + "\n",
    ),
    "a head without text has no lines": ("| | |\n|---|---|\n|a|b|\n", "a  b\n"),
    "cells are aligned": ("|a|b|c|\n|--:|:-:|---|\n|100|200|300|\n", "  a   b   c\n─────────────\n100  200  300\n"),
    "cells without a column are text of the last one": ("|a|\n|---|\n|1|2|\\|3|\n", "a\n──────────\n1 | 2 | |3\n"),
    "HTML is text": ("<p>\na\n</p>\n\n<i>b</i>", "<p>\na\n</p>\n\n<i>b</i>\n"),
    "keys are words": ("<kbd>Ctrl</kbd> </kbd> <kbd>", "Ctrl </kbd>\n"),
    "a break at the start is none": ("<br><br/> a\n", "a\n"),
    "cells in a quote are those of their row": ("> |a|b|\n> |---|---|\n> |c|d|\n", "▌ a  b\n▌ ────\n▌ c  d\n"),
    "code of marks of quotes": ("a\n\n    >>>\n    >\n\nb\n", "a\n\n>>>\n>\n\nb\n"),
    "an address is shown as it was written": ("[a](https://ü.example/ß?q=%20)", "a (https://ü.example/ß?q=%20)\n"),
}


@pytest.mark.parametrize("name", LOOKS)
def test_markdown_looks_like_this(name: str) -> None:
    source, expected = LOOKS[name]
    assert whole(source) == expected


def test_styles_end_where_their_text_does() -> None:
    splitter = Splitter()
    splitter.feed("# t\n|a|\n|---|\n|1|\n\n1. x **b**\n\n> q [l](/u)\n\n<p>\n\n```py\nif x: # c\n```\n")
    blocks = splitter.end()
    environ = {"LANG": "C.UTF-8", "TERM": "xterm-256color"}
    assert rendered(blocks, Terminal(None, None, None, environ=environ), 40) == (  # type: ignore[arg-type]
        "\x1b[1;4;35mt\x1b[0m\n\n\x1b[1ma\x1b[0m\n\x1b[2m─\x1b[0m\n1\n\n\x1b[1m 1. \x1b[0mx \x1b[1mb\x1b[0m\n\n"
        "\x1b[35m▌ \x1b[0mq l\x1b[2m (/u)\x1b[0m\n\n\x1b[2m<p>\x1b[0m\n\n"
        "\x1b[35mif\x1b[0m x: \x1b[2;3m# c\x1b[0m\n"
    )


def test_too_many_columns_become_lines_of_their_heads() -> None:
    table = (
        "| name | first address | second address |\n|---|---|---|\n"
        "| Ada | a.example | b.example |\n| Bob | | c.example |\n"
    )
    assert whole(table, 24) == (
        "name: Ada\nfirst address: a.example\nsecond address:\nb.example\n\n"
        "name: Bob\nfirst address:\nsecond address:\nc.example\n"
    )


# what is returned early ---------------------------------------------------------------------------------------------


def test_lines_of_code_are_returned_when_they_are_complete() -> None:
    source = "intro\n```py\na = 1\n\n\nb = 2\n```\nend\n"
    assert line_by_line(source) == ["", "intro\n", "\na = 1\n", "", "", "\n\nb = 2\n", "", "", "\nend\n"]


def test_items_are_returned_before_the_last_one_and_blocks_inside_it() -> None:
    source = "1. a\n2. b\n\n   ```\n   c\n   d\n   ```\n\n   e\n3. - f\n   - g\n"
    assert line_by_line(source) == [
        *("", " 1. a\n", " 2. b\n", "", "\nc\n", "d\n", "", "", "", "\n    e\n", " 3.  • f\n", "     • g\n"),
    ]


def test_a_table_is_returned_whole_while_it_fits() -> None:
    source = "intro\n\n| a |\n|---|\n| 1 |\n| 22 |\n\nafter\n"
    assert line_by_line(source) == ["", "intro\n", "", "", "", "", "\na\n──\n1\n22\n", "", "\nafter\n"]


def test_rows_of_a_long_table_are_returned_with_the_widths_of_the_first_ones() -> None:
    source = "| a | b |\n|---|---|\n| 1 | x |\n| word and more | 4 |\n"
    first, second = "a         b\n──────────────────\n1         x\n", "word and  4\nmore\n"
    assert line_by_line(source, rows=1, width=18) == ["", "", first, second, ""]


def test_without_a_lag_a_line_is_returned_when_it_is_complete_and_no_markup_is_open() -> None:
    source = "one\ntwo **open\nclosed** three\n- item\n  goes on\n\n| a |\n|---|\n| 1 |\n"
    assert line_by_line(source, lag=0, rows=1) == [
        *(
            "one\n",
            "",
            "two open\nclosed three\n",
            "\n • item\n",
            "   goes on\n",
            "",
            "",
            "",
            "\na\n" + "─" * 60 + "\n1\n",
            "",
        ),
    ]


def test_with_a_lag_the_last_lines_of_a_paragraph_wait() -> None:
    source = "one\ntwo\nthree\nfour\n\ntitle\n=====\n"
    assert line_by_line(source, lag=2) == ["", "", "one\n", "two\n", "three\nfour\n", "", "\ntitle\n", ""]


def test_columns_that_are_settled_early_have_all_of_the_width() -> None:
    source = "| # | K | note |\n|---|---|---|\n| 1 | a | b |\n| 2 | Alexander the Great | a long remark about him |\n"
    assert "".join(line_by_line(source, rows=1)) == (
        "#              K              note\n" + "─" * 59 + "\n1              a              b\n"
        "2              Alexander the  a long remark about him\n               Great\n"
    )


def test_rows_of_a_table_in_a_quote_or_list_are_returned_as_they_come() -> None:
    source = "> - x\n>\n>   | a |\n>   |---|\n>   | 1 |\n>   | 2 |\n"
    first = "▌\n▌    a\n▌    " + "─" * 55 + "\n▌    1\n"
    assert line_by_line(source, rows=1) == ["", "▌  • x\n", "", "", first, "▌    2\n", ""]


@pytest.mark.parametrize(
    ("line", "settled"),
    [
        ("Call foo_bar or a[0] now, 2 * 3 < 7, a <- b\n", True),
        ("see [the docs](/u), `x`, **bold** and a_b_c\n", True),
        ("an open **bold\n", False),
        ("an open _em\n", False),
        ("an open `code\n", False),
        ("an open [link\n", False),
        ("an open <a href\n", False),
        ("an open ~~stroke\n", False),
        ("| may be a head |\n", False),
    ],
)
def test_a_line_waits_only_for_markup_that_may_go_on(line: str, settled: bool) -> None:
    assert bool(line_by_line(line, lag=0)[0]) is settled


def test_what_is_nested_too_deeply_is_shown_as_it_was_written() -> None:
    for mark in ("> ", "- ", "1. "):
        assert whole(mark * 200 + "deep word\n", 80).split()[-2:] == ["deep", "word"]


def test_only_the_end_of_a_long_block_is_previewed() -> None:
    splitter = Splitter()
    splitter.feed("".join(f"line{n}\n" for n in range(5000)))
    assert splitter.finished() is None
    end = show([splitter.tail(5)]).split("\n")
    assert len(end) < 20
    assert "line4999" in end[-2]


def test_what_was_returned_is_forgotten() -> None:
    splitter = Splitter()
    for n in range(2000):
        splitter.feed(f"- item {n}\n" if n < 1000 else f"{'' if n > 1000 else '~~~sh' + chr(10)}line {n}\n")
        splitter.finished()
        assert len(splitter._rest) < 100  # noqa: SLF001 - what the size of nothing else shows
