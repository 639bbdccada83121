"""Changes of one setting in the text of a TOML file. Pure.

Only the lines of that setting change: comments, blank lines and the order of all the rest stay, whatever they are. The
text is taken as statements, each of one line or more: `[header]`, `name = value`, comments and blank lines. tomlkit
changes the value within its statement.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from cometresp.tuples import NamedTuple

Path = tuple[str, ...]  # ("profile", "work", "model") is profile.work.model

_BARE = r"[A-Za-z0-9_-]+"
_NAME = rf'(?:{_BARE}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
_NAMES = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_KEY = re.compile(rf"[ \t]*({_NAMES})[ \t]*=")
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAMES})[ \t]*\]")
# What matters for where a value ends; the longer strings first. One of three quotes may have two more at its end.
_IN_VALUE = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\[\]{}\n]''', re.DOTALL
)
_MISSING = object()


class Unchangeable(ValueError):  # noqa: N818 - no error of the program: who changes a file makes one of it
    """The text can't be changed so that nothing else changes; the message says why."""


class _Statement(NamedTuple):
    """Some lines of the text. `path`: of the table of a header, or of the value. `table`: the header above it."""

    text: str
    kind: str  # header, array (the header of one), value, comment or blank
    table: Path
    path: Path = ()


# names --------------------------------------------------------------------------------------------------------------


def split_name(name: str) -> Path | None:
    """The parts of a dotted name, `keys."https://h/v1"` or `profile.work`; None where it isn't one."""
    if re.fullmatch(_NAMES, name) is None:
        return None
    try:
        found: Any = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:  # an unknown escape
        return None
    parts = []
    while isinstance(found, dict):
        [(part, found)] = found.items()
        parts.append(part)
    return tuple(parts)


def dotted(path: Sequence[str]) -> str:
    """A name as it is written in the file, with quotes where they are needed."""
    return ".".join(part if re.fullmatch(_BARE, part) else _quoted(part) for part in path)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # the rest of JSON's strings is TOML's too


# changes ------------------------------------------------------------------------------------------------------------


def with_value(text: str, path: Path, value: Any) -> str:
    """The text with this value in the place of an old one, else behind the last value of its table.

    Raises Unchangeable, also where a table is there.
    """
    statements = list(_statements(text))
    found = _place_of(statements, path)
    if found is not None:
        statements[found] = statements[found]._replace(text=_edited(statements[found], path, value))
    elif any(one.path[: len(path)] == path for one in statements):
        raise Unchangeable(f"{dotted(path)} is a table")
    else:
        _insert(statements, path, value)
    return _checked(text, statements, path, value)


def without(text: str, path: Path) -> str:
    """The text without a value, or without a table and all that is in it. Raises Unchangeable."""
    statements = list(_statements(text))
    found = _place_of(statements, path)
    if found is not None:
        shorter = "" if statements[found].path == path else _edited(statements[found], path, _MISSING)
        statements[found] = statements[found]._replace(text=shorter)
    else:
        statements = _outside(statements, path)
    return _checked(text, statements, path, _MISSING)


def value_at(data: Any, path: Path) -> Any:
    """The value at a path of nested tables, None where there is none."""
    for part in path:
        if not isinstance(data, dict) or part not in data:
            return None
        data = data[part]
    return data


def apply(data: dict[str, Any], path: Path, value: Any) -> None:
    """Set the value at a path of nested tables, which are made. Raises Unchangeable where one of them is none."""
    *tables, name = path
    for part in tables:
        data = data.setdefault(part, {})
        if not isinstance(data, dict):
            raise Unchangeable(f"{dotted(path)} is in a value that isn't a table")
    if value is _MISSING:
        data.pop(name, None)
    else:
        data[name] = value


def _statements(text: str) -> Iterator[_Statement]:
    table: Path = ()
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        line = text[start:end]
        if not line.strip():
            yield _Statement(line, "blank", table)
        elif line.lstrip(" \t").startswith("#"):
            yield _Statement(line, "comment", table)
        elif header := _HEADER.match(line):
            table = split_name(header[2]) or ()
            yield _Statement(line, "header" if header[1] == "[" else "array", table, table)
        elif key := _KEY.match(line):
            end = _end_of_value(text, start + key.end())
            yield _Statement(text[start:end], "value", table, (*table, *(split_name(key[1]) or ())))
        else:
            raise Unchangeable(f"a line can't be read: {line.strip()[:40]!r}")
        start = end


def _end_of_value(text: str, start: int) -> int:
    """Where the line ends in which a value ends: outside of its strings, comments and brackets. The text is valid."""
    depth = 0
    for found in _IN_VALUE.finditer(text, start):
        sign = found[0]
        if sign == "\n" and depth == 0:
            return found.end()
        depth += (sign in ("[", "{")) - (sign in ("]", "}"))
    return len(text)


def _place_of(statements: list[_Statement], path: Path) -> int | None:
    """The statement with the value of this path: its own, or that of an inline table in which it is, or would be."""
    for number, one in enumerate(statements):
        if one.kind == "value" and one.path == path[: len(one.path)]:
            return number
    return None


def _edited(statement: _Statement, path: Path, value: Any) -> str:
    """The statement with another value at the path within it; without one where it is _MISSING."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document: Any = tomlkit.parse(statement.text)
        inner: Any = document
        *tables, name = path[len(statement.table) :]
        for part in tables:
            inner = inner[part] if part in inner else inner.setdefault(part, tomlkit.inline_table())
        if value is _MISSING:
            del inner[name]
        else:
            inner[name] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Unchangeable(f"{dotted(path)} is in a value that isn't a table") from error


def _insert(statements: list[_Statement], path: Path, value: Any) -> None:
    """Put a new value behind the last one of its table; a new table comes at the end."""
    newline = "\r\n" if statements and statements[0].text.endswith("\r\n") else "\n"
    table = path[:-1]
    siblings = [n for n, one in enumerate(statements) if one.kind == "value" and one.path[:-1] == table]
    headers = [n for n, one in enumerate(statements) if one.kind == "header" and one.path == table]
    if not siblings and not headers:  # names with dots make the table, which then has no header
        siblings = [n for n, one in enumerate(statements) if one.kind == "value" and _makes(one, table)]
    if siblings:
        place, header = siblings[-1] + 1, statements[siblings[-1]].table
    elif headers:
        place, header = headers[-1] + 1, table
    elif table:
        _end_line(statements, newline)
        if statements and statements[-1].kind != "blank":
            statements.append(_Statement(newline, "blank", ()))
        statements.append(_Statement(f"[{dotted(table)}]{newline}", "header", table, table))
        place, header = len(statements), table
    else:
        place, header = _end_of_top(statements), ()
    if place == len(statements):
        _end_line(statements, newline)
    line = _assignment(path[len(header) :], value) + newline
    statements.insert(place, _Statement(line, "value", header, path))
    follows = statements[place + 1 : place + 2]
    if not siblings and not headers and not table and follows and follows[0].kind != "blank":
        statements.insert(place + 1, _Statement(newline, "blank", ()))


def _makes(value: _Statement, table: Path) -> bool:
    """Whether the dotted name of a value makes this table."""
    return len(value.table) < len(table) < len(value.path) and value.path[: len(table)] == table


def _end_line(statements: list[_Statement], newline: str) -> None:
    """End the last line, which may lack its newline."""
    if statements and not statements[-1].text.endswith("\n"):
        statements[-1] = statements[-1]._replace(text=statements[-1].text + newline)


def _end_of_top(statements: list[_Statement]) -> int:
    """The place before the first header, and before the comment that stands right above it."""
    first = next((n for n, one in enumerate(statements) if one.kind in ("header", "array")), None)
    return len(statements) if first is None else _start_of_comment(statements[:first])


def _assignment(names: Path, value: Any) -> str:
    import tomlkit

    return f"{dotted(names)} = {tomlkit.item(value).as_string()}"


def _outside(statements: list[_Statement], path: Path) -> list[_Statement]:
    """The statements that are not in this table. A comment right above a header belongs to it."""
    kept: list[_Statement] = []
    since_value: list[_Statement] = []  # comments and blank lines in the table, behind its last value
    inside = False
    for one in statements:
        within = one.path[: len(path)] == path
        if one.kind in ("header", "array"):
            if inside and not within:
                kept += since_value[_start_of_comment(since_value) :]
            elif within and not inside and (start := _start_of_comment(kept)):  # at the top it is about the file
                del kept[start:]
            inside, since_value = within, []
        elif inside and one.kind == "value":
            since_value = []
        elif inside:
            since_value.append(one)
        if not (inside or within):
            kept.append(one)
    return kept


def _start_of_comment(statements: list[_Statement]) -> int:
    """Where the comment starts that ends these statements."""
    place = len(statements)
    while place and statements[place - 1].kind == "comment":
        place -= 1
    return place


def _checked(text: str, statements: list[_Statement], path: Path, value: Any) -> str:
    """The new text, if nothing but this value differs in what it means."""
    changed = "".join(one.text for one in statements)
    expected = tomllib.loads(text)
    apply(expected, path, value)
    try:
        data = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise Unchangeable(f"the place of {dotted(path)} is not clear") from error
    if _without_empty(data) != _without_empty(expected):
        raise Unchangeable(f"the place of {dotted(path)} is not clear")
    return changed


def _without_empty(data: Any) -> Any:
    """The data without empty tables, which a removed value may leave or take along; NaN as text, to be comparable."""
    if isinstance(data, dict):
        inner = {name: _without_empty(value) for name, value in data.items()}
        return {name: value for name, value in inner.items() if value != {}}
    if isinstance(data, list):
        return [_without_empty(entry) for entry in data]
    return repr(data) if isinstance(data, float) else data
