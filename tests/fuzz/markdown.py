"""The text of an answer, rendered: every word in order, nothing that steers the terminal, and the same in any pieces.

The words are those that another renderer finds. They are checked for the text without `|`: the lines of folded cells
stand beside each other.
"""

import random
import re
from zlib import crc32

from cometresp.render.blocks import Splitter
from cometresp.render.console import rendered
from cometresp.text import escape
from tests.fuzz.target import Target
from tests.render.test_blocks import PIECES, TERMINAL, defines_after_use, in_pieces, lacking, whole

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_WIDTHS = (20, 60, 200)
_PREVIEWED = 0.2  # of the inputs, which takes time


def check(data: bytes) -> None:
    document = data.decode(errors="replace").replace("\r", "\n")
    rnd = random.Random(crc32(data))
    plain = whole(document)
    assert escape(plain) == plain, "a control or bidi character is on the screen"
    width = rnd.choice(_WIDTHS)
    missing = lacking(document.replace("|", ""), width)
    assert not missing, f"{missing} are not on the screen of {width} columns"
    if not defines_after_use(escape(document)):
        cuts = rnd.choice(([1], [rnd.randrange(1, 40) for _ in range(4)]))
        shown = in_pieces(document, cuts, previewing=rnd.random() < _PREVIEWED)
        assert shown == plain, f"pieces of {cuts} look different"
    _check_styled(document)


def _check_styled(document: str) -> None:
    """On a terminal there are only styles beside the text."""
    splitter = Splitter()
    splitter.feed(document)
    blocks = splitter.end()
    if blocks is not None:
        shown = _STYLE.sub("", rendered(blocks, TERMINAL, 60))
        assert escape(shown) == shown, "a control or bidi character is on the terminal"


# what to start from -------------------------------------------------------------------------------------------------

_INLINE = ("**a**", "*a*", "`a`", "~~a~~", "[a](http://h/p)", "![a](http://h/i)", "<b>", "</b>", "<!-- a", "-->", "\\*")
_BLOCKS = (
    *("# a", "###### a ##", "===", "---", "- a", "* a", "+ a", "1. a", "9) a", "> a", "```", "```py", "~~~", "    a"),
    *("| a | b |", "|---|--:|", "| 1 |", "[a]: http://h 'b'", "<div>", "</div>", "***", "- [ ] a", "  - a", ">> a"),
)
_UNSAFE = ("\x1b[2J", "\x1b]0;a\x07", "\u202e", "\u200f", "\u2028", "\x9b31m", "\U000e0041", "\0", "\x7f", "\ufeff")
_REFERENCES = ("&#8238;", "&rlm;", "&#x2028;", "&#x1b;", "&amp;", "&lt;", "&#xE0041;", "&#0;", "&nbsp;")
_WIDE = ("你好", "👩\u200d👩\u200d👧", "e\u0301", "x" * 300, "\t", "  \n", "\\\n", " ", "\n\n", "\xa0", "\u3000")

TARGET = Target(
    check=check,
    seeds=tuple(piece.encode() for piece in PIECES)
    + tuple("".join(PIECES[n : n + 4]).encode() for n in range(0, len(PIECES), 3))
    + tuple("\n".join(_BLOCKS[n:]).encode() for n in range(4)),
    words=tuple(word.encode() for word in (*_INLINE, *_BLOCKS, *_UNSAFE, *_REFERENCES, *_WIDE)),
    separator=b"\n",
)
