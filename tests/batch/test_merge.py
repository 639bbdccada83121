"""`batch merge`: what of the input can't be read, forms that don't go together, and hints that can be typed."""

from collections.abc import Callable

import pytest

from tests.batch.test_guards import good
from tests.conftest import Command, Forker, Result

TEXT = '{"custom_id": "t", "text": "", "exit": 0, "usage": null, "cost": null}\n'


@pytest.fixture
def batch(ask: Command, forker: Forker) -> Callable[..., Result]:
    (ask.home / "out").write_text(good("a"))
    return lambda *words, **more: forker.run(ask, ["batch", *words], **more)


def test_bad_lines_of_the_input_are_told(ask: Command, batch: Callable[..., Result]) -> None:
    (ask.home / "in").write_text('{"custom_id": "a", "prompt": "x"}\n{"cust\n[1]\n')
    told = "2 lines can't be read, and may be missing: line 2: not valid JSON: column 2: Unterminated string"
    found = batch("merge", "out", "--requests", "in", "-o", "all")
    assert (found.code, found.err.startswith(f"cometresp: warning: in: {told}")) == (0, True)
    (ask.home / "none").write_text("Hello\n")
    found = batch("merge", "out", "--requests", "none", "-o", "never")
    told = "--requests: none holds no requests that can be read: line 1: not valid JSON"
    assert (found.code, found.err.startswith(f"cometresp: error: {told}")) == (2, True)
    assert not (ask.home / "never").exists()


def test_the_hint_names_the_files_and_how_they_are_read(ask: Command, batch: Callable[..., Result]) -> None:
    (ask.home / "in").write_text("one\n")
    (ask.home / "text").write_text(TEXT)
    assert list(batch("merge", "text", "--requests", "in", "--lines", "-o", "my out")) == [
        1,
        "",
        "cometresp: error: 1 of 1 are missing: line-1\n"
        "hint: cometresp batch --lines in -o 'my out' --text --resume asks for them\n",
    ]


def test_whole_responses_and_texts_are_not_mixed(ask: Command, batch: Callable[..., Result]) -> None:
    (ask.home / "text").write_text(TEXT)
    told = "cometresp: error: text was written with --text, and out without\n"
    assert list(batch("merge", "out", "text")) == [2, "", told]
    (ask.home / "in").write_text('{"custom_id": "b", "prompt": "x"}\n')
    told = "cometresp: error: --resume: text was begun with --text\n"
    assert list(batch("in", "-o", "text", "--resume")) == [2, "", told]


def test_a_stream_is_refused_since_outputs_are_read_twice(batch: Callable[..., Result]) -> None:
    told = "an output is read twice: it must be a file, not a stream\n"
    for name in ("-", "/dev/stdin"):
        assert list(batch("merge", name, stdin=good("a").encode())) == [2, "", f"cometresp: error: {name}: {told}"]
