"""Which ids of servers are taken: those that can be printed, typed and put into a path."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.text import escape_line, shell_arguments
from cometresp.wire.ids import LONGEST_ID, abridged_id, is_plain_id, refusal_of

LITELLM = base64.b64encode(
    b"litellm:custom_llm_provider:openai;model_id:" + b"0" * 64 + b";response_id:resp_1"
).decode()
REAL = [
    "resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
    f"resp_{LITELLM}",
    "3f0c8f3e-1b1e-4b57-9f0e-0d4f7d1b2c3a",
    "chatcmpl-9Xyz",
    "gen-1731-abc",
    "v1_ChdpZF8-_x",
    "projects/p/locations/eu/responses/1",
    "urn:uuid:1",
    "a+b=.~x@host",
    "-begins-like-a-flag",
    "cmp_1",
    "7",
    "x" * LONGEST_ID,
]
REFUSED = [
    *("", " ", "a b", "a\nb", "a\tb", "a\x1b[2J", "a\u202eb", "a\u200bb", "\u00e4", "a;b", "a'b"),
    *('a"b', "a`b", "a$b", "a|b", "a&b", "a(b", "a<b", "a>b", "a*b", "a?b", "a[b", "a{b", "a#b", "a!b"),
    *("a\\b", "a%b", "a,b", "a^b", "@chain", "-", "last", "new", ".", "..", "x" * (LONGEST_ID + 1), "resp_1\n"),
]  # fmt: skip


def test_ids_that_servers_send_are_taken_and_others_refused() -> None:
    assert [given for given in REAL if not is_plain_id(given)] == []
    assert [given for given in REFUSED if is_plain_id(given)] == []


@given(st.text())
def test_a_plain_id_is_shown_and_typed_as_it_is(text: str) -> None:
    if is_plain_id(text):
        assert escape_line(text) == text
        assert (shell_arguments(text) or "").removeprefix("-- ").strip("'") == text


@pytest.mark.parametrize(
    ("given", "shown"), [("a\nb", r"'a\nb'"), ("x" * 2000, f"'{'x' * 59}…'")], ids=["newline", "long"]
)
def test_a_refusal_quotes_the_id(given: str, shown: str) -> None:
    assert refusal_of(given) == f"the id {shown} is refused: an id has up to 1024 of a-z, A-Z, 0-9 and .-_~:/+=@"


def test_an_id_of_a_gateway_is_shown_by_its_ends_and_a_usual_one_whole() -> None:
    shown = {given: abridged_id(given) for given in REAL if abridged_id(given) != given}
    long = f"resp_{LITELLM}"
    assert shown == {long: f"{long[:20]}...{long[-16:]}", "x" * LONGEST_ID: f"{'x' * 20}...{'x' * 16}"}
