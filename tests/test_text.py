"""Which characters of untrusted text become escapes, and which are kept."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.text import escape, escape_invisible, escape_line

# Unicode's Default_Ignorable_Code_Point, and blanks that are no white space.
INVISIBLE = {
    chr(point)
    for first, last in (
        *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
        *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
        *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D159, 0x1D159)),
        *((0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
    )
    for point in range(first, last + 1)
}
IN_WORDS = set("\u200c\u200d\ufe0e\ufe0f")  # joiners, and the selectors of emoji
CHARACTERS = st.one_of(
    st.sampled_from(sorted(INVISIBLE)), st.characters(), st.sampled_from("a\u06a9\u0915👍🏽1\u20e3\u2764")
)


def kept(text: str) -> bool:
    return escape_invisible(text) == text


def test_text_that_a_user_decides_by_shows_every_character_that_shows_nothing() -> None:
    hidden = [f"a{character}b" for character in sorted(INVISIBLE)]
    assert [shown for shown in map(escape_invisible, hidden) if not shown.isascii()] == []
    assert [escape_invisible(f"a{c}b") for c in "\xad\u200b\u3164\U000e0041"] == [
        *("a\\xadb", "a\\u200bb", "a\\u3164b", "a\\U000e0041b")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क\u094d\u200dष",
        "👩\u200d🚀",
        "❤\ufe0f\u200d🔥",
        "☎\ufe0e",
        "1\ufe0f\u20e3",
        "👍🏽",
        "naïve 日本語 e\u0301",
    ],
    ids=["Persian", "Hindi", "emoji", "emoji with a selector", "text style", "keycap", "skin tone", "letters"],
)
def test_joiners_and_selectors_stay_where_a_script_or_an_emoji_needs_them(text: str) -> None:
    assert kept(text)
    assert escape_line(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a\u200db",
        "a\u200c",
        "\u200dک",
        "ک\u200d\u200dک",
        "a\ufe0f\u200d🔥",
        "a\ufe0f",
        "1\ufe0f",
        "👍\ufe0f\ufe0f",
        "🔥\u200c🔥",
    ],
)
def test_joiners_and_selectors_that_change_nothing_become_escapes(text: str) -> None:
    assert not kept(text)


@given(st.text(CHARACTERS))
def test_nothing_invisible_is_left_but_joiners_and_selectors_between_what_they_belong_to(text: str) -> None:
    shown = escape_invisible(text)
    assert not (INVISIBLE - IN_WORDS) & set(shown)
    assert not re.search(r"[\x00-\x7f](?!\ufe0f\u20e3)[\u200c\u200d\ufe0e\ufe0f]|^[\u200c\u200d\ufe0e\ufe0f]", shown)
    assert not re.search(r"[\u200c\u200d\ufe0e\ufe0f]{3}", shown)
    assert not [
        character
        for character in shown
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in "\t\n"
    ]
    assert escape_invisible(shown) == shown
    assert escape_line(shown) == shown.replace("\n", "\\n").replace("\t", " ")


@given(st.text(CHARACTERS))
def test_prose_keeps_what_writing_needs_and_never_more_than_what_is_decided_by(text: str) -> None:
    shown = escape(text)
    assert escape(shown) == shown
    assert escape_invisible(shown) == escape_invisible(text)
    assert [c for c in shown if c in "\xad\u200b\u200d\ufe0f"] == [c for c in text if c in "\xad\u200b\u200d\ufe0f"]
