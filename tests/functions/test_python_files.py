"""`.py` files: loaded and run in a child process."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.functions.results import Function
from cometresp.functions.toolbox import Toolbox
from tests.functions.conftest import Make, error_of, output_of, refusal
from tests.properties import examples
from tests.waiting import running, until

NO_ARGUMENTS = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def test_each_public_function_of_the_file_is_a_tool(toolbox: Make, tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("def helper(a: int) -> int:\n    return a\n")
    box = toolbox(
        tools_py='''
        from os.path import join
        import functools
        from neighbour import helper

        def weather(city: str, days: int = 3) -> str:
            """Weather by city."""
            return f"{city} {days} {helper(1)}"

        def _hidden(): ...
        class Hidden: ...

        @functools.cache
        def slow(a: int) -> int:
            return a

        other = weather
        async def late(a: bool) -> list[bool]:
            return [a]
        '''
    )
    source = str(tmp_path / "tools.py")
    parameters = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": ["integer", "null"], "description": "null stands for 3"},
        },
        "required": ["city", "days"],
        "additionalProperties": False,
    }
    assert list(box.functions) == ["weather", "slow", "late"]
    assert box.functions["weather"] == Function(
        "weather",
        {
            "type": "function",
            "name": "weather",
            "description": "Weather by city.",
            "parameters": parameters,
            "strict": True,
        },
        parallel=False,
        read_only=False,
        source=source,
    )
    assert [output_of(box, "weather", city="Oslo"), output_of(box, "slow", a=2), output_of(box, "late", a=True)] == [
        "Oslo 3 1",
        "2",
        "[true]",
    ]
    assert not {"tools", "neighbour"} & set(sys.modules)
    assert not (tmp_path / "__pycache__" / f"tools.{sys.implementation.cache_tag}.pyc").exists()


def test_the_names_in_all_replace_the_public_ones(toolbox: Make) -> None:
    box = toolbox(a_py="from os.path import join as _join\n__all__ = ['_b']\ndef a(): ...\ndef _b(): ...\n")
    assert list(box.functions) == ["_b"]
    assert box.functions["_b"].definition == {
        "type": "function",
        "name": "_b",
        "parameters": NO_ARGUMENTS,
        "strict": True,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef (:\n", "a.py: line 2: SyntaxError: invalid syntax"),
        ("\nimport no_such_module\n", "a.py: line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def f():\n    1 / 0\n\nf()\n", "a.py: line 2: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(3)\n", "a.py: line 2: it called sys.exit(3)"),
        ("import os\nprint('x')\nos._exit(3)\n", "a.py: its process ended while it was loaded: exit 3: x"),
        ("raise ValueError('\\x1b[2J')\n", "a.py: line 1: ValueError: \\x1b[2J"),
        ("x = 1\n", "a.py: it has no public function"),
        ("from os.path import join\n", "a.py: it has no public function"),
        ("__all__ = ['x']\n", "a.py: __all__ names x, which is not a function in it"),
        ("def f(a): ...\n", "a.py: parameter 'a' of f has no type hint"),
        ("def f(a: set[str]): ...\n", "a.py: parameter 'a' of f: a schema can't describe set[str]"),
        ("def é(): ...\n", "a.py: the name é must be 1 to 64 letters, digits or _"),
        ("TOOL_TIMEOUT = 0\ndef f(): ...\n", "a.py: TOOL_TIMEOUT must be more than 0 and at most 86400 seconds"),
        ("PARALLEL_SAFE = 1\ndef f(): ...\n", "a.py: PARALLEL_SAFE must be True or False"),
    ],
)
def test_a_file_that_can_not_be_used_is_named_with_the_line(
    toolbox: Make, tmp_path: Path, text: str, message: str
) -> None:
    assert refusal(toolbox, tmp_path, a_py=text) == message


def test_a_file_that_takes_too_long_to_load_is_an_error(toolbox: Make, tmp_path: Path) -> None:
    text = "import time\ntime.sleep(1000)\n"
    assert refusal(toolbox, tmp_path, load_seconds=0.5, a_py=text) == "a.py: it didn't load within 0.5 seconds"
    until(lambda: not running(str(tmp_path / "a.py")))


WRONG = """
import os, sys, time

def fails() -> None:
    print("out"); print("err", file=sys.stderr); os.write(2, b"\\xff raw\\n")
    raise ValueError("no \\x1b[31m red")
def leaves() -> None: sys.exit(2)
def dies() -> None:
    print("last words")
    os._exit(3)
def killed() -> None: os.kill(os.getpid(), 9)
def a_set() -> object: return {1}
def infinite() -> float: return float("inf")
def circular() -> list:
    x = []; x.append(x)
    return x
def nothing() -> None: ...
def long() -> str: return "é" * 200_000
def noisy() -> str:
    os.write(1, b"x" * 1_000_000); print("y" * 1_000_000)
    return "quiet"
def noisily_fails() -> None:
    print("y" * 1_000_000 + "end")
    raise KeyError("\\x00" * 10_000)
def surrogate() -> str: return "\\ud800"
class Odd(Exception):
    def __str__(self): raise RuntimeError
def oddly() -> None: raise Odd
def forks() -> str: return "child" if os.fork() == 0 else "parent"
def reads() -> str: return repr(sys.stdin.read())
def text(a: str) -> str: return a
def closes() -> str:
    sys.stdout.close(); sys.stderr = None
    return "closed"
"""


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("fails", {"error": "ValueError: no \x1b[31m red (a.py, line 6)", "stderr": "out\nerr\n\ufffd raw\n"}),
        ("leaves", {"error": "it called sys.exit(2) (a.py, line 7)"}),
        ("dies", {"error": "the tool's process ended: exit 3", "stderr": "last words\n"}),
        ("killed", {"error": "the tool's process ended: ended by SIGKILL"}),
        (
            "a_set",
            {"error": "the result can't be JSON: TypeError: Object of type set is not JSON serializable"},
        ),
        (
            "infinite",
            {"error": "the result can't be JSON: ValueError: Out of range float values are not JSON compliant"},
        ),
        ("circular", {"error": "the result can't be JSON: ValueError: Circular reference detected"}),
        ("oddly", {"error": "Odd (a.py, line 28)"}),
    ],
)
def test_an_error_of_a_tool_is_a_result_and_the_next_call_works(
    toolbox: Make, name: str, error: dict[str, str]
) -> None:
    box = toolbox(a_py=WRONG)
    found = error_of(box, name)
    assert {key: text.removesuffix(": inf") for key, text in found.items()} == error
    assert output_of(box, "text", a="still here") == "still here"


def test_a_call_that_takes_too_long_is_ended_and_the_next_one_works(toolbox: Make) -> None:
    box = toolbox(
        a_py="""
        import time
        TOOL_TIMEOUT = 1
        def hang(seconds: int) -> str:
            print("begun")
            time.sleep(seconds)
            return "done"
        """
    )
    assert error_of(box, "hang", seconds=1000) == {"error": "timed out after 1 s", "stderr": "begun\n"}
    assert output_of(box, "hang", seconds=0) == "done"


def test_results_and_errors_are_limited(toolbox: Make) -> None:
    box = toolbox(a_py=WRONG)
    long = error_of(box, "long")
    assert (long["error"], set(long["head"])) == (
        "the result has 200000 characters; at most 100000 are accepted",
        {"é"},
    )
    assert output_of(box, "noisy") == "quiet"
    failed = error_of(box, "noisily_fails")
    assert failed["error"].startswith("KeyError: '\\x00")
    assert failed["stderr"].endswith("yend\n")


def test_a_tool_has_its_own_streams(toolbox: Make) -> None:
    box = toolbox(a_py=WRONG)
    names = ["nothing", "surrogate", "reads", "closes", "nothing"]
    assert [output_of(box, name) for name in names] == ["null", "\ufffd", "''", "closed", "null"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_reply_of_a_forked_copy_of_the_child_is_ignored(toolbox: Make) -> None:
    box = toolbox(a_py=WRONG)
    assert output_of(box, "forks") in ("parent", "child")
    assert [output_of(box, "text", a=str(n)) for n in range(3)] == ["0", "1", "2"]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the way to the parent is found among the open files")
def test_messages_in_one_read_are_taken_one_by_one(toolbox: Make) -> None:
    box = toolbox(
        a_py="""
        import fcntl, os, stat

        def _leads_up(number: int) -> bool:
            try:
                writes = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
                return writes and number > 2 and stat.S_ISFIFO(os.fstat(number).st_mode)
            except OSError:
                return False

        def stray(count: int) -> str:
            [up] = filter(_leads_up, map(int, os.listdir("/dev/fd")))
            os.write(up, b'{"n": 1}\\n' * count)
            return str(count)
        """
    )
    assert [output_of(box, "stray", count=count) for count in (1, 3, 100)] == ["1", "3", "100"]


def test_wrong_calls_are_results_with_the_error(toolbox: Make) -> None:
    box = toolbox(a_py="def f(a: int, b: str = 'x') -> list:\n    return [a, b]\n")
    calls = [
        ("nope", "{}", "there is no function 'nope'; the functions are f"),
        ("f", '{"a": 1', "arguments: not valid JSON: line 1 column 8: Expecting ',' delimiter"),
        ("f", "[1]", "arguments: must be a JSON object, not list"),
        ("f", '{"a": NaN}', "arguments: not valid JSON: NaN is not JSON"),
        ("f", "", "argument 'a' is missing"),
        ("f", '{"a": "1"}', "argument 'a' must be a whole number, not \"1\""),
        ("f", '{"a": 1, "c": 2}', "argument 'c' is unknown; it takes a, b"),
    ]
    results = [box.run(name, arguments) for name, arguments, _ in calls]
    assert [(result.ok, json.loads(str(result.output))) for result in results] == [
        (False, {"error": message}) for _, _, message in calls
    ]
    assert len(box.run("x" * 10_000, "{}").output) < 200


def test_state_is_kept_between_calls_until_the_child_is_replaced(toolbox: Make) -> None:
    box = toolbox(
        a_py="""
        import os
        n = 0
        def count() -> int:
            global n
            n += 1
            return n
        def die() -> None: os._exit(1)
        """
    )
    assert [output_of(box, "count") for _ in range(3)] == ["1", "2", "3"]
    error_of(box, "die")
    assert output_of(box, "count") == "1"


def test_a_file_that_does_not_load_again_is_an_error_result(toolbox: Make, tmp_path: Path) -> None:
    box = toolbox(a_py="import os\ndef die() -> None: os._exit(1)\n")
    error_of(box, "die")
    (tmp_path / "a.py").write_text("1 / 0\n")
    assert error_of(box, "die") == {
        "error": "the tool's file couldn't be loaded again: ZeroDivisionError: division by zero"
    }


def test_a_tool_sees_only_the_allowed_part_of_the_environment(toolbox: Make) -> None:
    environ = {"HOME": "/h", "LANG": "C", "FOO": "foo", "BAR": "bar", "COMETAPI_KEY": "sk", "PYTHONPATH": "/p"}
    box = toolbox(
        a_py="import os\ndef env() -> dict:\n    return dict(os.environ)\n",
        env_names=("FOO", "ABSENT"),
        environ=environ,
    )
    seen = json.loads(output_of(box, "env"))
    assert {name: seen[name] for name in seen if name != "LC_CTYPE"} == {  # Python sets that one itself
        "PATH": os.environ["PATH"],
        "HOME": "/h",
        "LANG": "C",
        "FOO": "foo",
    }


PAIR = """
import os, time
PARALLEL_SAFE = {safe}
def meet(folder: str, mine: str, other: str) -> str:
    open(os.path.join(folder, mine), "x").close()
    deadline = time.monotonic() + {patience}
    while time.monotonic() < deadline:
        if os.path.exists(os.path.join(folder, other)):
            return "met"
        time.sleep(0.001)
    os.remove(os.path.join(folder, mine))
    return "alone"
"""


@pytest.mark.parametrize(("safe", "patience", "met"), [(True, 20, "met"), (False, 0.2, "alone")])
def test_calls_overlap_if_the_file_allows_it(
    toolbox: Make, tmp_path: Path, safe: bool, patience: float, met: str
) -> None:
    box = toolbox(a_py=PAIR.format(safe=safe, patience=patience))
    assert box.functions["meet"].parallel is safe
    outputs = []

    def call(mine: str, other: str) -> None:
        outputs.append(output_of(box, "meet", folder=str(tmp_path), mine=mine, other=other))

    threads = [threading.Thread(target=call, args=names) for names in (("x", "y"), ("y", "x"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == [met, met]


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    file = tmp_path_factory.mktemp("echo") / "echo.py"
    file.write_text(
        dedent("""
        def named(a: str, b: str) -> list[str]:
            return [a, b]
        def any_names(values: dict[str, str]) -> list:
            return [[[ord(c) for c in text] for text in pair] for pair in values.items()]
        """)
    )
    with Toolbox([str(file)], env_names=[], environ=os.environ) as box:
        yield box


ANY = st.text(st.characters(codec=None, exclude_categories=[]))


@examples(200)
@given(st.dictionaries(ANY, ANY), st.booleans())
def test_any_text_arrives_unchanged(echo: Toolbox, values: dict[str, str], ascii_only: bool) -> None:
    result = echo.run("any_names", json.dumps({"values": values}, ensure_ascii=ascii_only))
    assert json.loads(str(result.output)) == [[[ord(c) for c in text] for text in pair] for pair in values.items()]


@pytest.mark.parametrize("text", ["$(touch x)", "; rm -rf .", "--output=x", "\x1b]0;x\x07\x1b[2J", "a" * 40_000, "\0"])
def test_hostile_text_arrives_and_has_no_effect(echo: Toolbox, text: str) -> None:
    assert json.loads(output_of(echo, "named", a=text, b="`id`")) == [text, "`id`"]


def test_a_megabyte_of_text_arrives(toolbox: Make) -> None:
    box = toolbox(a_py="def size(a: str) -> int:\n    return len(a)\n")
    assert output_of(box, "size", a="é" * 1_000_000) == "1000000"


def test_dataclasses_and_enums_of_the_file_are_built(toolbox: Make) -> None:
    box = toolbox(
        a_py="""
        from __future__ import annotations
        import dataclasses, enum

        class Colour(enum.Enum):
            RED = 1

        @dataclasses.dataclass
        class Point:
            x: int
            colour: Colour = Colour.RED

        def show(points: list[Point]) -> str:
            return repr(points)
        """
    )
    arguments: dict[str, Any] = {"points": [{"x": 1, "colour": None}, {"x": 2, "colour": "RED"}]}
    assert output_of(box, "show", **arguments) == (
        "[Point(x=1, colour=<Colour.RED: 1>), Point(x=2, colour=<Colour.RED: 1>)]"
    )
