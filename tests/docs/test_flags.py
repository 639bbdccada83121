"""The tables of docs/flags.md are those of the help pages."""

from cometresp.options.tables import ChainOptions, RequestOptions
from tests.docs.flags import FIELDS, NOTES, PATH, made
from tests.request.test_body import ONE_FLAG


def test_the_tables_are_fresh() -> None:
    text = PATH.read_text()
    assert text.count("<!-- flags: ") == text.count("<!-- end -->") == 11
    assert made(text) == text


def test_every_note_is_in_a_table() -> None:
    text = PATH.read_text()
    assert [key for key, note in NOTES.items() if f"{note} |" not in text] == []


def test_the_fields_of_flags_are_those_that_they_set() -> None:
    assert [name for name in FIELDS if name not in {*RequestOptions._fields, *ChainOptions._fields}] == []
    checked = 0
    for flags, body in ONE_FLAG:
        for name in flags.keys() & FIELDS:
            checked += 1
            assert FIELDS[name].split(".")[0] in body, name
    assert checked > 5
