"""Fields of JSON by their path, as `--select` names them."""

import pytest

from cometresp.errors import TurnError, UsageError
from cometresp.wire.select import printed, select

RESPONSE = {
    "id": "resp_1",
    "usage": {"input_tokens": 3, "details": None, "odd.name": 1},
    "output": [
        {"type": "reasoning", "id": "rs_1"},
        {"type": "message", "id": "msg_1", "content": [{"text": "a\nb"}, {"text": "c"}]},
    ],
    "tools": [],
    "store": True,
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("id", ["resp_1"]),
        ("usage.input_tokens", [3]),
        ("usage.details", [None]),
        ('usage["odd.name"]', [1]),
        ("output[0].id", ["rs_1"]),
        ("output.0.id", ["rs_1"]),
        ("output[-1].id", ["msg_1"]),
        ("output[].id", ["rs_1", "msg_1"]),
        ("output[].content[].text", ["a\nb", "c"]),
        ("output[].content[0].text", ["a\nb"]),
        ("output[1]", [RESPONSE["output"][1]]),  # type: ignore[index]
        ("tools[].name", []),
        ("tools[]", []),
    ],
)
def test_a_path_names_values(path: str, values: list[object]) -> None:
    assert select(RESPONSE, path, "it") == values


def test_a_path_may_begin_with_a_list() -> None:
    rows = [{"name": "a"}, {"name": "b"}]
    assert [select(rows, path, "it") for path in ("[].name", "[1].name", "1.name")] == [["a", "b"], ["b"], ["b"]]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("usage.total", "usage has input_tokens, details, odd.name"),
        ("usage.details.cached", "usage.details is null"),
        ("id.x", "id is a string"),
        ("store.x", "store is true or false"),
        ("usage.input_tokens[0]", "usage.input_tokens is a number"),
        ("output[7].id", "output is a list of 2; [0] is its first entry, [] is each"),
        ("output.id", "output is a list of 2; [0] is its first entry, [] is each"),
        ("output.-1", "output is a list of 2; [0] is its first entry, [] is each"),
        ("output[].content[].nothing", "output[].content[] has text"),
        ("tools[0]", "tools is []"),
        ("usage[]", "usage has input_tokens, details, odd.name"),
        ("[]", "it has id, usage, output, tools, store"),
    ],
)
def test_a_missing_field_is_exit_8_and_told_with_what_is_there(path: str, hint: str) -> None:
    with pytest.raises(TurnError) as caught:
        select(RESPONSE, path, "resp_1")
    error = caught.value
    assert (error.exit_code, error.message, error.hint) == (8, f"--select: resp_1 has no {path}", hint)


def test_what_is_there_is_cut_and_escaped() -> None:
    many = {f"field_{n}": n for n in range(14)} | {"\x1b[2J": 1, "x" * 50: 1}
    with pytest.raises(TurnError) as caught:
        select(many, "x", "it")
    assert caught.value.hint == f"it has {', '.join(f'field_{n}' for n in range(12))}, and 4 more"
    with pytest.raises(TurnError) as caught:
        select({"\x1b[2J": {"y" * 50: 1}}, '["\\u001b[2J"].x', "it")
    assert caught.value.hint == f"\\x1b[2J has {'y' * 39}…"


@pytest.mark.parametrize(
    "path",
    ["", ".", ".id", "id.", "a..b", "a.[0]", "a[", "a]", "a[x]", "a[0]b", 'a["b]', 'a[""]', 'a["\\x"]', "a[1.5]"],
)
def test_a_malformed_path_is_exit_2(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        select({}, path, "it")
    assert caught.value.message.startswith("--select: ")
    assert caught.value.hint == "as in usage.input_tokens, output[0].id or output[].content[].text"


def test_strings_are_printed_as_they_are_others_as_json() -> None:
    values = ["a\nb", "c\n", "", 3, None, {"ü": float("nan")}, "\x1b[2J\ud800"]
    assert printed(values, to_terminal=False) == 'a\nb\nc\n\n3\nnull\n{"ü": null}\n\x1b[2J\ufffd\n'.encode()
    assert printed(["\x1b[2J", {"a": "\u202e"}], to_terminal=True) == b'\\x1b[2J\n{"a": "\\u202e"}\n'


@pytest.mark.parametrize(("path", "hint"), [("usge", "did you mean usage?"), ("a.tokns", "did you mean a.tokens?")])
def test_the_name_that_was_meant_is_offered(path: str, hint: str) -> None:
    with pytest.raises(TurnError) as caught:
        select({"usage": 1, "a": {"tokens": 2, "other": 3}}, path, "it")
    assert caught.value.hint == hint
