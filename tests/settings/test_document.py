"""One setting changes in the text of a config file, and nothing else of it does."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.settings.document import Unchangeable, dotted, split_name, value_at, with_value, without

FILE = """\
# my settings
model = "x"  # the model

# at work
[profile.work]
base_url = "https://h"  # c

# keys here
[keys]
"https://h" = "k"
"""


def changed(old: str, new: str) -> str:
    """FILE with one place changed."""
    assert FILE.count(old) == 1
    return FILE.replace(old, new)


WORK = 'base_url = "https://h"  # c\n'
SET: list[tuple[str, str, Any, str]] = [
    (FILE, "model", "y", changed('"x"', '"y"')),
    (FILE, "plain", True, changed("the model\n", "the model\nplain = true\n")),
    (FILE, "profile.work.model", "m", changed(WORK, f'{WORK}model = "m"\n')),
    (FILE, "profile.home.model", "m", f'{FILE}\n[profile.home]\nmodel = "m"\n'),
    (FILE, 'profile."at home".model', "m", f'{FILE}\n[profile."at home"]\nmodel = "m"\n'),
    (FILE, 'keys."https://h"', "l", changed('"k"', '"l"')),
    (FILE, 'keys."https://h/v1"', "l", f'{FILE}"https://h/v1" = "l"\n'),
    (FILE, "include", ["a", 'b"c'], changed("the model\n", 'the model\ninclude = ["a", "b\\"c"]\n')),
    ("", "plain", True, "plain = true\n"),
    ("# only this", "plain", True, "# only this\nplain = true\n"),
    ("model = 'x'", "plain", True, "model = 'x'\nplain = true\n"),
    ("# of work\n[profile.work]\na = 1\n", "plain", True, "plain = true\n\n# of work\n[profile.work]\na = 1\n"),
    ("[a]\r\nx = 1\r\n", "a.y", 2, "[a]\r\nx = 1\r\ny = 2\r\n"),
    ("a = [\n1, # one\n2]\nb = 1\n", "a", [3], "a = [3]\nb = 1\n"),
    ("a = '''\n[keys]\n'''\n", "keys.b", "c", "a = '''\n[keys]\n'''\n\n[keys]\nb = \"c\"\n"),
    ("aliases = { a = 'x' } # c\n", "aliases.a", "y", 'aliases = { a = "y" } # c\n'),
    ("aliases.a = 'x'\n[keys]\n", "aliases.b", "y", "aliases.a = 'x'\naliases.b = \"y\"\n[keys]\n"),
    ("profile.w.model = 'x'\n", "profile.plain", True, "profile.w.model = 'x'\nprofile.plain = true\n"),
    ("", "model", "a\nb\x1b\"'\\", 'model = "a\\nb\\u001b\\"\'\\\\"\n'),
]


@pytest.mark.parametrize(("text", "name", "value", "expected"), SET, ids=[f"{n}-{row[1]}" for n, row in enumerate(SET)])
def test_a_value_is_written_in_its_place_and_the_rest_stays(text: str, name: str, value: Any, expected: str) -> None:
    path = split_name(name)
    assert path is not None
    assert with_value(text, path, value) == expected


UNSET = [
    (FILE, "model", changed('model = "x"  # the model\n', "")),
    (FILE, "profile.work.base_url", changed(WORK, "")),
    (FILE, "profile.work", changed(f"# at work\n[profile.work]\n{WORK}\n", "")),
    (FILE, "profile", changed(f"# at work\n[profile.work]\n{WORK}\n", "")),
    (FILE, "keys", FILE.partition("# keys here")[0]),
    ("# all of it\n[keys]\na = 'b'\n# last\n", "keys", "# all of it\n"),
    ("[a]\nx = 1\n# y = 1\n\n# b\n[b]\n[a.c]\nz = 1\n", "a", "# b\n[b]\n"),
    ("aliases = {a = 'x', b = 'y'} # c\n", "aliases.b", "aliases = {a = 'x' } # c\n"),
    ("a.b = 1\na.c = 2\n", "a", ""),
]


@pytest.mark.parametrize(("text", "name", "expected"), UNSET, ids=[f"{n}-{row[1]}" for n, row in enumerate(UNSET)])
def test_a_value_or_a_table_is_removed_with_its_own_lines(text: str, name: str, expected: str) -> None:
    path = split_name(name)
    assert path is not None
    assert without(text, path) == expected


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("[keys]\n", "keys", "keys is a table"),
        ("[profile.work]\n", "profile", "profile is a table"),
        ("keys = 1\n", "keys.a", "keys.a is in a value that isn't a table"),
        ("[[keys]]\n", "keys.a", "keys.a is in a value that isn't a table"),
    ],
)
def test_what_has_no_place_is_refused(text: str, name: str, message: str) -> None:
    with pytest.raises(Unchangeable) as raised:
        with_value(text, split_name(name) or (), 1)
    assert str(raised.value) == message


def test_long_values_are_read_once() -> None:
    value = '"""\n' + '# [x] = "y\n' * 20_000 + '"""\n'
    items = "x = [\n" + "'a', # [\n" * 20_000 + "]\n"
    text = f"instructions = {value}{items}[keys]\n"
    assert with_value(text, ("plain",), True) == f"instructions = {value}{items}plain = true\n[keys]\n"


NAMES = [
    ("model", ("model",)),
    ('keys."https://h/v1"', ("keys", "https://h/v1")),
    ("aliases.'a.b'", ("aliases", "a.b")),
    ("a . b", ("a", "b")),
    *((name, None) for name in ("", "a b", "a.", ".a", "a\nb", 'a."', '"\\x"', "a = 1 #", "é", "[a]")),
]


@pytest.mark.parametrize(("name", "path"), NAMES, ids=[repr(name) for name, _ in NAMES])
def test_a_dotted_name_is_read_as_in_the_file(name: str, path: tuple[str, ...] | None) -> None:
    assert split_name(name) == path
    assert path is None or split_name(dotted(path)) == path


PARTS = st.sampled_from(["a", "b", "keys", "x y", "é", 'q"'])
PATHS = st.lists(PARTS, min_size=1, max_size=3)
VALUES = st.sampled_from(
    [
        "1",
        "'x'",
        '""',
        '"[\\\\"',
        '"""a""b\\"""[\n{"""""',
        "'''\n\"\"\"[#\n'''''",
        "[[1, ']'], # ]\n{a = \"}\"}]",
        '"a # b"',
        "[1,\n 2, # c\n]",
        '{a = 1, "x y" = [2]}',
        '"""\n[a]\n"""',
        "nan",
        "2020-01-01",
    ]
)
ENDS = st.sampled_from(["", " # c"])
LINES = st.one_of(
    st.builds(lambda path, value, end: f"{dotted(path)} = {value}{end}", PATHS, VALUES, ENDS),
    st.builds(lambda path, end: f"[{dotted(path)}]{end}", PATHS, ENDS),
    st.sampled_from(["", "# comment = 1", "  # [x]", "[[list]]"]),
)


@given(st.lists(LINES, max_size=10), ENDS, PATHS, st.sampled_from(["v", 1, ["a"], True]))
def test_any_file_says_the_same_but_for_what_was_set(lines: list[str], end: str, names: list[str], value: Any) -> None:
    text, path = "\n".join(lines) + end, tuple(names)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    try:
        after = with_value(text, path, value)
    except Unchangeable as error:
        assert str(error).endswith((" is a table", " is in a value that isn't a table"))  # noqa: PT017
        return
    assert value_at(tomllib.loads(after), path) == value
    assert value_at(tomllib.loads(without(after, path)), path) is None
    if value_at(before, path) is None:  # it is new
        assert len([line for line in text.split("\n") if line not in after.split("\n")]) <= 1  # an inline table
