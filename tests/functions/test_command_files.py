"""`.toml` and `.json` files: programs of any language, run without a shell."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometresp.errors import UsageError
from cometresp.functions.results import Function
from cometresp.functions.toolbox import Toolbox
from tests.functions.conftest import Make, error_of, output_of, refusal
from tests.properties import examples
from tests.waiting import lives, until, written

# Prints its words and what it reads, as JSON.
ECHO = "import json, sys; print(json.dumps([sys.argv[1:], json.load(sys.stdin)]), end='')"


def tools(*entries: dict[str, Any]) -> str:
    """A JSON file of tools that run Python: what an entry doesn't say is made up."""
    return json.dumps({"tool": [{"name": f"t{n}", "description": "d", **entry} for n, entry in enumerate(entries)]})


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code.replace("{", "{{").replace("}", "}}"), *words]


def strings(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def test_a_toml_and_a_json_file_define_tools(toolbox: Make, tmp_path: Path) -> None:
    box = toolbox(
        a_toml="""
        [[tool]]
        name = "recent_commits"
        description = "The latest commits"
        command = ["printf", "%s|", "log", "--max-count={count}", "{path}"]
        read_only = true
        parallel = true
        timeout = 5
        [tool.parameters]
        type = "object"
        required = ["count"]
        properties = {count = {type = "integer"}, path = {type = "string"}}
        """,
        b_json=tools({"name": "date", "command": ["printf", "{{}}"]}),
    )
    count, path = {"type": "integer"}, {"type": ["string", "null"]}
    assert list(box.functions.values()) == [
        Function(
            "recent_commits",
            {
                "type": "function",
                "name": "recent_commits",
                "description": "The latest commits",
                "parameters": {
                    "type": "object",
                    "required": ["count", "path"],
                    "properties": {"count": count, "path": path},
                    "additionalProperties": False,
                },
                "strict": True,
            },
            parallel=True,
            read_only=True,
            source=str(tmp_path / "a.toml"),
        ),
        Function(
            "date",
            {
                "type": "function",
                "name": "date",
                "description": "d",
                "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
                "strict": True,
            },
            parallel=False,
            read_only=False,
            source=str(tmp_path / "b.json"),
        ),
    ]
    assert [
        output_of(box, "recent_commits", count=3),
        output_of(box, "recent_commits", count=3, path=None),
        output_of(box, "recent_commits", count=3, path="a b"),
        output_of(box, "date"),
    ] == ["log|--max-count=3|", "log|--max-count=3|", "log|--max-count=3|a b|", "{}"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}},
        {"type": "object", "properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}}},
    ],
)
def test_a_schema_that_can_not_be_strict_is_sent_as_it_is(toolbox: Make, parameters: dict[str, Any]) -> None:
    definition = toolbox(a_json=tools({"command": ["true"], "parameters": parameters})).functions["t0"].definition
    assert (definition["parameters"], definition["strict"]) == (parameters, False)


ONE = {"command": ["cat", "{a}"], "parameters": strings("a")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a.json: not valid JSON: line 1 column 2: Expecting property name enclosed in double quotes"),
        ("[]", "a.json: it has no tool"),
        ('{"tool": []}', "a.json: it has no tool"),
        ('{"tool": [1]}', "a.json: tool 1: must be a table"),
        ('{"tool": [{}], "tools": []}', "a.json: unknown key 'tools'"),
        (tools(ONE | {"shell": True}), "a.json: tool t0: unknown key 'shell'"),
        (tools(ONE, {}), "a.json: tool t1: command is missing"),
        (tools(ONE | {"description": ""}), "a.json: tool t0: description is missing"),
        (tools(ONE | {"name": "a b"}), "a.json: tool a b: name must be 1 to 64 letters, digits, _ or -"),
        (tools(ONE | {"name": 1}), "a.json: tool 1: name must be a string"),
        (tools(ONE | {"name": "x\x1b" * 65}), r"a.json: tool \S+…: name must be 1 to 64 letters, digits, _ or -"),
        (tools({"command": "ls"}), "a.json: tool t0: command must be a list of strings"),
        (tools({"command": ["ls", 1]}), "a.json: tool t0: command must be a list of strings"),
        (tools({"command": []}), "a.json: tool t0: command is missing"),
        (tools({"command": [""]}), "a.json: tool t0: command: the program is missing"),
        (tools({"command": ["{a}"]}), "a.json: tool t0: command: the program can't be an argument"),
        (tools({"command": ["ls", "{a}"]}), "a.json: tool t0: command: 'a' is not a parameter"),
        (tools({"command": ["ls", "{}"]}), "a.json: tool t0: command: '' is not a parameter"),
        (
            tools({"command": ["ls", "{"]}),
            "a.json: tool t0: command: word '{' has a lone {; a brace itself is written {{",
        ),
        (tools({"command": ["ls\0"]}), "a.json: tool t0: command: word 'ls\\x00' contains a NUL character"),
        (tools(ONE | {"timeout": 0}), "a.json: tool t0: timeout must be more than 0 and at most 86400 seconds"),
        (tools(ONE | {"timeout": True}), "a.json: tool t0: timeout must be a number of seconds"),
        (tools(ONE | {"read_only": 1}), "a.json: tool t0: read_only must be true or false"),
        (tools(ONE | {"cwd": "nowhere"}), "a.json: tool t0: cwd: 'nowhere' is not a folder"),
        (tools(ONE | {"env": ["COMETAPI_KEY"]}), "a.json: tool t0: env: COMETAPI_KEY is never given to a tool"),
        (tools(ONE | {"allow_dash": ["b"]}), "a.json: tool t0: allow_dash names 'b', which is not a parameter"),
        (tools(ONE | {"parameters": []}), "a.json: tool t0: parameters must be a JSON Schema"),
        (
            tools(ONE | {"parameters": {"type": "array"}}),
            "a.json: tool t0: parameters must be the schema of an object",
        ),
        (
            tools(ONE | {"parameters": {"properties": 1}}),
            r"a.json: tool t0: parameters are no valid JSON Schema: .*",
        ),
        (tools(ONE, ONE | {"name": "t0"}), "a.json: t0 is already defined in the same file"),
    ],
)
def test_a_file_that_can_not_be_used_is_named_with_tool_and_key(
    toolbox: Make, tmp_path: Path, text: str, message: str
) -> None:
    found = refusal(toolbox, tmp_path, a_json=text)
    assert found == message or re.fullmatch(message, found)


TOO_MUCH = "not valid TOML: a number is too long, or it is nested too deeply"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[tool]", "a.toml: not valid TOML: .*"),
        pytest.param("a = " + "9" * 5000, f"a.toml: {TOO_MUCH}", id="digits"),
        pytest.param("a = " + "[" * 5000, f"a.toml: {TOO_MUCH}", id="levels"),
        ("[[tool]]\nparameters = {default = 2020-01-01}\n", "a.toml: tool 1: name is missing"),
        (
            '[[tool]]\nname = "a"\ndescription = "a"\ncommand = ["a"]\nparameters = {default = 2020-01-01}\n',
            "a.toml: tool a: parameters can't be JSON: Object of type date is not JSON serializable",
        ),
        (
            '[[tool]]\nname = "a"\ndescription = "a"\ncommand = ["a"]\ntimeout = nan\n',
            "a.toml: tool a: timeout must be more than 0 and at most 86400 seconds",
        ),
    ],
)
def test_a_toml_file_that_can_not_be_used_is_named(toolbox: Make, tmp_path: Path, text: str, message: str) -> None:
    assert re.fullmatch(message, refusal(toolbox, tmp_path, a_toml=text))


def test_names_are_defined_once_and_files_are_of_three_kinds(toolbox: Make, tmp_path: Path) -> None:
    twice = refusal(toolbox, tmp_path, a_py="def t0(): ...\n", b_json=tools(ONE))
    assert twice == "b.json: t0 is already defined in a.py"
    assert refusal(toolbox, tmp_path, a_txt="") == "a.txt: the name must end in .py, .toml or .json"
    for name in ("no.py", "no.toml", "no.json"):
        with pytest.raises(UsageError) as caught:
            Toolbox([str(tmp_path / name)], env_names=[], environ={})
        assert caught.value.message == f"--functions: {tmp_path / name}: it can't be read: No such file or directory"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("COMETAPI_KEY", "--tool-env: COMETAPI_KEY is never given to a tool"),
        ("CometAPI_key", "--tool-env: CometAPI_key is never given to a tool"),
        ("A=b", "--tool-env: 'A=…' is not the name of a variable"),
        ("", "--tool-env: '' is not the name of a variable"),
    ],
)
def test_the_key_is_never_given_to_a_tool(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Toolbox([], env_names=[name], environ={})
    assert caught.value.message == message


def test_a_tool_sees_only_the_allowed_part_of_the_environment(toolbox: Make) -> None:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    box = toolbox(
        a_json=tools({"command": python(code), "env": ["BAR", "ABSENT"]}, {"command": python(code)}),
        env_names=("FOO",),
        environ={
            "HOME": "/h",
            "TMPDIR": "/t",
            "LANG": "C.UTF-8",
            "FOO": "1",
            "BAR": "2",
            "COMETAPI_KEY": "sk",
            "X": "",
        },
    )
    common = {"PATH": os.environ["PATH"], "HOME": "/h", "TMPDIR": "/t", "LANG": "C.UTF-8", "FOO": "1"}
    seen = [json.loads(output_of(box, name)) for name in ("t0", "t1")]
    assert [{name: one[name] for name in one if name != "LC_CTYPE"} for one in seen] == [common | {"BAR": "2"}, common]


def test_commands_and_folders_are_found_from_the_file(
    toolbox: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    script = tmp_path / "say"
    script.write_text("#!/bin/sh\npwd -P\n")
    script.chmod(0o755)
    monkeypatch.chdir("/")
    box = toolbox(
        a_json=tools(
            {"command": ["./say"]},
            {"command": ["./say"], "cwd": "sub"},
            {"command": ["say"]},
            {"command": ["./no"]},
            {"command": ["./sub"]},
        )
    )
    assert [output_of(box, "t0"), output_of(box, "t1")] == ["/\n", f"{(tmp_path / 'sub').resolve()}\n"]
    assert [error_of(box, name) for name in ("t2", "t3", "t4")] == [
        {"error": "the command can't be run: 'say' is not found"},
        {"error": f"the command can't be run: '{tmp_path}/no' is not found"},
        {"error": "the command can't be run: Permission denied"},
    ]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (
            "import sys; print('out'); sys.stderr.write('bad'); sys.exit(2)",
            {"error": "exit 2", "stderr": "bad", "stdout": "out\n"},
        ),
        ("import sys; sys.stdout.close(); sys.exit(1)", {"error": "exit 1"}),
        ("import os; os.kill(os.getpid(), 15)", {"error": "ended by SIGTERM"}),
    ],
)
def test_an_error_of_a_command_is_a_result(toolbox: Make, code: str, error: dict[str, str]) -> None:
    assert error_of(toolbox(a_json=tools({"command": python(code)})), "t0") == error


@pytest.mark.parametrize(("size", "amount"), [(100_001, "100001 characters"), (2_000_000, "2000000 bytes")])
def test_a_result_that_is_too_long_is_an_error_with_its_start(toolbox: Make, size: int, amount: str) -> None:
    found = error_of(toolbox(a_json=tools({"command": python(f"print('x' * {size}, end='')")})), "t0")
    assert found["error"].startswith(f"the result has {amount}; at most 100000 ")
    assert set(found["head"]) == {"x"}


def test_results_are_text_for_any_bytes(toolbox: Make) -> None:
    box = toolbox(a_json=tools({"command": python(r"import os; os.write(1, b'\xff\x00a\r\n')")}))
    assert output_of(box, "t0") == "\ufffd\0a\r\n"


def test_a_command_that_prints_endlessly_is_ended_and_little_output_is_kept(toolbox: Make) -> None:
    box = toolbox(a_json=tools({"command": ["sh", "-c", "echo begun >&2; exec yes"], "timeout": 1}))
    found = error_of(box, "t0")
    assert (found["error"], found["stderr"]) == ("timed out after 1 s", "begun\n")
    assert found["stdout"].endswith("y\ny\n")


def test_arguments_are_checked_before_the_command_runs(toolbox: Make, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1}, "s": {"type": "string"}},
        "required": ["n"],
    }
    box = toolbox(a_json=tools({"command": ["touch", str(mark), "{s}"], "parameters": schema}))
    assert [
        error_of(box, "t0", **arguments)["error"]
        for arguments in ({}, {"n": "1"}, {"n": 0}, {"n": 1, "x": 1}, {"n": 1, "s": "-r"}, {"n": 1, "s": "\0"})
    ] == [
        "argument 'n' is missing",
        "the call doesn't match the schema: n: \"1\" is not of type 'integer'",
        "the call doesn't match the schema: n: 0 is less than the minimum of 1",
        "argument 'x' is unknown; it takes n, s",
        "argument 's' must not start with -",
        "argument 's' must not contain a NUL character",
    ]
    assert not mark.exists()
    assert output_of(box, "t0", n=1) == ""
    assert mark.exists()


@pytest.mark.parametrize("allowed", [True, ["a"]])
def test_the_file_may_allow_a_value_to_start_with_a_dash(toolbox: Make, allowed: Any) -> None:
    box = toolbox(a_json=tools({"command": python(ECHO, "{a}"), "parameters": strings("a"), "allow_dash": allowed}))
    assert json.loads(output_of(box, "t0", a="--all")) == [["--all"], {"a": "--all"}]


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Toolbox, Path]]:
    folder = tmp_path_factory.mktemp("echo")
    file = folder / "echo.json"
    file.write_text(
        tools(
            {"command": python(ECHO, "={a}", "{b}"), "parameters": strings("a", "b"), "allow_dash": ["b"], "cwd": "."},
            {"command": ["cat"], "parameters": {"type": "object", "additionalProperties": {"type": "string"}}},
        )
    )
    with Toolbox([str(file)], env_names=[], environ=os.environ) as box:
        yield box, folder


WORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ANY = st.text(st.characters(codec=None, exclude_categories=[]))


@examples(50)
@given(WORD, WORD)
def test_any_text_arrives_unchanged_as_a_word_and_on_standard_input(echo: tuple[Toolbox, Path], a: str, b: str) -> None:
    assert json.loads(output_of(echo[0], "t0", a=a, b=b)) == [[f"={a}", b], {"a": a, "b": b}]


@examples(50)
@given(st.dictionaries(ANY, ANY))
def test_any_object_arrives_unchanged_on_standard_input(echo: tuple[Toolbox, Path], values: dict[str, str]) -> None:
    assert json.loads(output_of(echo[0], "t1", **values)) == values


@pytest.mark.parametrize(
    "text",
    ["$(touch x)", "`touch x`", "; touch x", "| touch x", "\ntouch x\n", "--output=x", "\x1b]0;x\x07\x1b[2J", "> x"],
)
def test_hostile_text_arrives_and_has_no_effect(echo: tuple[Toolbox, Path], text: str) -> None:
    box, folder = echo
    assert json.loads(output_of(box, "t0", a=text, b=text)) == [[f"={text}", text], {"a": text, "b": text}]
    assert [path.name for path in folder.iterdir()] == ["echo.json"]


def test_a_megabyte_arrives_on_standard_input_and_is_too_long_for_a_word(toolbox: Make) -> None:
    count = "import json, sys; print(len(json.load(sys.stdin)['a']))"
    box = toolbox(
        a_json=tools(
            {"command": python(count), "parameters": strings("a")},
            {"command": python(count, "{a}"), "parameters": strings("a")},
            {"command": ["true"], "parameters": strings("a")},
        )
    )
    text = "é" * 1_000_000
    assert [output_of(box, "t0", a=text), output_of(box, "t2", a=text)] == ["1000000\n", ""]
    assert error_of(box, "t1", a=text) == {"error": "the arguments are too long for a command line"}


def test_processes_that_a_command_leaves_are_ended_with_it(toolbox: Make, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    box = toolbox(a_json=tools({"command": ["sh", "-c", f"sleep 1000 & echo $! > '{pid}'; echo done"]}))
    assert output_of(box, "t0") == "done\n"
    until(lambda: not lives(written(pid)))
