"""Type hints -> schemas, and arguments -> values of the hinted types."""

import dataclasses
import datetime as dt
import enum
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, Optional

import jsonschema
import pytest

from cometresp.functions.definitions import definition
from cometresp.functions.hints import ArgumentError, HintError, callee, kind_of


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5
    tags: list[str] = dataclasses.field(default_factory=lambda: ["a"])
    seen: bool = dataclasses.field(default=False, init=False)


@dataclasses.dataclass
class Tree:
    inner: Optional["Tree"]


POINT = {
    "type": "object",
    "properties": {
        "x": {"type": "integer"},
        "y": {"type": ["number", "null"], "description": "null stands for 0.5"},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}, "description": 'null stands for ["a"]'},
    },
    "required": ["x", "y", "tags"],
    "additionalProperties": False,
}
# hint, schema, whether it can be strict, (JSON value, Python value)
HINTS: list[tuple[Any, dict[str, Any], bool, list[tuple[Any, Any]]]] = [
    (str, {"type": "string"}, True, [("", ""), ("\ud800\0", "\ud800\0")]),
    (int, {"type": "integer"}, True, [(3, 3), (3.0, 3), (10**30, 10**30)]),
    (float, {"type": "number"}, True, [(3, 3.0), (0.5, 0.5)]),
    (bool, {"type": "boolean"}, True, [(True, True)]),
    (list, {"type": "array"}, False, [([1, "a"], [1, "a"])]),
    (list[Any], {"type": "array"}, False, [([None], [None])]),
    (list[int], {"type": "array", "items": {"type": "integer"}}, True, [([], []), ([1.0], [1])]),
    (typing.List[str], {"type": "array", "items": {"type": "string"}}, True, [(["a"], ["a"])]),  # noqa: UP006
    (dict, {"type": "object"}, False, [({"a": 1}, {"a": 1})]),
    (dict[str, Any], {"type": "object"}, False, [({"a": 1}, {"a": 1})]),
    (
        dict[str, list[float]],
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}},
        False,
        [({"a": [1]}, {"a": [1.0]})],
    ),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}, True, [("b", "b")]),
    (Literal["a", 1, None], {"type": ["string", "integer", "null"], "enum": ["a", 1, None]}, True, [(1, 1)]),  # noqa: PYI061
    (Colour, {"type": "string", "enum": ["red", "blue"]}, True, [("red", Colour.RED)]),
    (Level, {"type": "string", "enum": ["LOW", "HIGH"]}, True, [("HIGH", Level.HIGH)]),
    (str | None, {"type": ["string", "null"]}, True, [(None, None), ("a", "a")]),
    (Optional[Colour], {"type": ["string", "null"], "enum": ["red", "blue", None]}, True, [(None, None)]),  # noqa: UP045
    (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, True, [(1, 1), ("1", "1")]),
    (
        int | list[str] | None,
        {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        True,
        [(None, None), (["a"], ["a"])],
    ),
    (Annotated[int, "how many"], {"type": "integer", "description": "how many"}, True, [(1, 1)]),
    (Point, POINT, True, [({"x": 1}, Point(1)), ({"x": 1, "y": 2, "tags": None}, Point(1, 2.0))]),
    (list[Point], {"type": "array", "items": POINT}, True, [([{"x": 1, "tags": []}], [Point(1, tags=[])])]),
]


@pytest.mark.parametrize(("hint", "schema", "strict", "values"), HINTS, ids=[str(row[0]) for row in HINTS])
def test_a_hint_makes_a_schema_and_values_of_its_type(
    hint: Any, schema: dict[str, Any], strict: bool, values: list[tuple[Any, Any]]
) -> None:
    kind = kind_of(hint, "x")
    assert kind.schema == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    for given, built in values:
        made = kind.build(given, "x")
        assert (made, type(made)) == (built, type(built))
    parameters = {"type": "object", "properties": {"x": schema}, "required": ["x"], "additionalProperties": False}
    assert definition("f", "", parameters) == {
        "type": "function",
        "name": "f",
        "parameters": parameters,
        "strict": strict,
    }


def test_defaults_are_nullable_and_described() -> None:
    def f(
        a: str,
        b: int = 3,
        c: Colour = Colour.BLUE,
        d: str | None = "x",
        e: Annotated[str, "a text"] = "y",
        g: Point | str = "z" * 100,
    ) -> tuple[Any, ...]:
        """Do it.

        At once.
        """
        return a, b, c, d, e, g[:1] if isinstance(g, str) else g

    made = callee("f", f)
    schema = made.tool["parameters"]
    assert {name: made.tool[name] for name in ("name", "description")} == {
        "name": "f",
        "description": "Do it.\n\nAt once.",
    }
    assert schema["required"] == ["a", "b", "c", "d", "e", "g"]
    assert schema["properties"] == {
        "a": {"type": "string"},
        "b": {"type": ["integer", "null"], "description": "null stands for 3"},
        "c": {"type": ["string", "null"], "enum": ["red", "blue", None], "description": 'null stands for "blue"'},
        "d": {"type": ["string", "null"]},
        "e": {"type": ["string", "null"], "description": 'a text; null stands for "y"'},
        "g": {
            "anyOf": [{"anyOf": [POINT, {"type": "string"}]}, {"type": "null"}],
            "description": "null stands for its default",
        },
    }
    assert definition(**made.tool)["strict"]
    nulls = dict.fromkeys("bcdeg")
    assert made.call({"a": "1"}) == ("1", 3, Colour.BLUE, "x", "y", "z")
    assert made.call({"a": "1", **nulls}) == ("1", 3, Colour.BLUE, None, "y", "z")


def test_positional_only_parameters_are_passed_by_position() -> None:
    def f(a: int, b: int = 2, /, c: int = 3, *, d: int = 4) -> list[int]:
        return [a, b, c, d]

    assert callee("f", f).call({"a": 1, "d": 0}) == [1, 2, 3, 0]


def test_hints_that_are_text_are_read() -> None:
    def f(a: "list[Point]") -> "Any":
        return a

    assert callee("f", f).call({"a": [{"x": 1}]}) == [Point(1)]


def without_hint(a, b: int) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001
def with_star(*a: int) -> None: ...
def with_stars(**a: int) -> None: ...
def with_date(a: dt.datetime) -> None: ...
def with_bytes(a: bytes) -> None: ...
def with_tuple(a: list[tuple[int, int]]) -> None: ...
def with_any(a: Any) -> None: ...
def with_keys(a: dict[int, str]) -> None: ...
def with_literal(a: Literal[b"a"]) -> None: ...
def with_itself(a: Tree) -> None: ...
def with_callable(a: Callable[[], int] | None) -> None: ...
def with_unknown(a: "Nowhere") -> None: ...  # type: ignore[name-defined] # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (without_hint, "parameter 'a' of f has no type hint"),
        (with_star, "parameter 'a' of f: a schema can't describe * and **"),
        (with_stars, "parameter 'a' of f: a schema can't describe * and **"),
        (with_date, "parameter 'a' of f: a schema can't describe datetime.datetime"),
        (with_bytes, "parameter 'a' of f: a schema can't describe bytes"),
        (with_tuple, "parameter 'a' of f: a schema can't describe tuple[int, int]"),
        (with_any, "parameter 'a' of f: a schema can't describe Any"),
        (with_keys, "parameter 'a' of f: the keys of a JSON object are str"),
        (with_literal, "parameter 'a' of f: a schema can't describe Literal[b'a']"),
        (with_itself, "parameter 'a' of f, field 'inner' of Tree: Tree contains itself"),
        (with_callable, "parameter 'a' of f: a schema can't describe collections.abc.Callable[[], int]"),
        (with_unknown, "the hints of f can't be read: NameError: name 'Nowhere' is not defined"),
    ],
)
def test_a_hint_that_no_schema_can_describe_is_an_error_that_names_the_parameter(
    function: Callable[..., Any], message: str
) -> None:
    with pytest.raises(HintError) as caught:
        callee("f", function)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (str, 1, "argument 'a' must be a string, not 1"),
        (str, None, "argument 'a' must be a string, not null"),
        (int, "1", "argument 'a' must be a whole number, not \"1\""),
        (int, True, "argument 'a' must be a whole number, not true"),
        (int, 1.5, "argument 'a' must be a whole number, not 1.5"),
        (float, False, "argument 'a' must be a number, not false"),
        (float, 10**400, f"argument 'a' must be a number, not 1{'0' * 59}…"),
        (bool, 1, "argument 'a' must be true or false, not 1"),
        (Literal[1, "b"], True, "argument 'a' must be one of 1, \"b\", not true"),
        (Literal["b"], ["b"], 'argument \'a\' must be one of "b", not ["b"]'),
        (Colour, "RED", 'argument \'a\' must be one of "red", "blue", not "RED"'),
        (list[int], "1", "argument 'a' must be an array, not \"1\""),
        (list[list[int]], [[1], [2, "x"]], "argument 'a[1][1]' must be a whole number, not \"x\""),
        (dict[str, int], {"k": "x"}, "argument 'a.k' must be a whole number, not \"x\""),
        (dict, [], "argument 'a' must be an object, not []"),
        (Point, 1, "argument 'a' must be an object, not 1"),
        (list[Point], [{"x": 1, "z": 2}], "argument 'a[0].z' is unknown; it takes x, y, tags"),
        (Point, {}, "argument 'a.x' is missing"),
        (
            int | bool,
            "x",
            "argument 'a' must be a whole number, not \"x\"; argument 'a' must be true or false, not \"x\"",
        ),
    ],
)
def test_an_argument_that_does_not_fit_is_named(hint: Any, value: Any, message: str) -> None:
    def f(a: Any) -> Any:
        raise AssertionError(a)

    f.__annotations__["a"] = hint
    with pytest.raises(ArgumentError) as caught:
        callee("f", f).call({"a": value})
    assert str(caught.value) == message
