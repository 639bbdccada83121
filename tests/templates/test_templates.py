"""`--template`: what it sends, which value counts, and what of it is refused before anything is sent."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command, Result
from tests.scripted import Wire, text_stream

DOCS = Path(__file__).parents[2] / "docs/templates"


def kept(ask: Command, text: str, name: str = "t") -> Path:
    """A template of that name."""
    path = ask.home / ".config/cometresp/templates" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def sent(result: Result) -> dict[str, Any]:
    assert (result.code, result.err) == (0, ""), result
    body: dict[str, Any] = json.loads(result.out)
    return {name: value for name, value in body.items() if name not in ("model", "stream")}


TRANSLATE = 'prompt = "Into {language}: {{x}}\\n\\n{stdin}\\n"\ninstructions = "Be {tone}."\n[vars]\ntone = "brief"\n'


def test_a_template_is_a_prompt_with_flags_and_variables(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("Hallo"))
    kept(ask, TRANSLATE + "", "translate")
    result = ask("ask", "--template", "translate", "--var", "language=German", stdin=b"hello\n")
    assert list(result) == [0, "Hallo\n", ""]
    assert wire.bodies() == [
        {"model": "m", "instructions": "Be brief.", "input": "Into German: {x}\n\nhello", "stream": True}
    ]


PROMPTS: list[tuple[str, list[str], bytes, str]] = [
    ("", ["a", "b"], b"", "a b"),
    ("p", [], b"", "p"),
    ("p\n", ["a"], b"", "p\n\na"),
    ("p", ["a"], b"piped", "p\n\na\n\npiped"),
    ("<{input}>", ["a", "b"], b"", "<a b>"),
    ("<{input}>", [], b"piped\n", "<piped>"),
    ("<{input}|{stdin}>", ["a"], b"piped", "<a|piped>"),
    ("{stdin}{stdin}", [], b"x\n", "xx"),
    ("{stdin}", ["a"], b"x{input}", "x{input}\n\na"),
    ("<{input}>", ["a", "-"], b"{stdin}", "<a\n\n{stdin}>"),
]


@pytest.mark.parametrize(("prompt", "words", "stdin", "expected"), PROMPTS)
def test_what_is_typed_and_piped_has_its_place_or_stands_behind(
    ask: Command, prompt: str, words: list[str], stdin: bytes, expected: str
) -> None:
    kept(ask, f"prompt = {json.dumps(prompt)}")
    assert sent(ask("ask", "--template", "t", "--dry-run", *words, stdin=stdin))["input"] == expected


def test_a_value_is_never_read_again(ask: Command) -> None:
    (ask.home / "file.txt").write_text("{b} @x\n")
    kept(ask, 'prompt = "{a}|{b}|{c}"\ninstructions = "{b}"\nuser = "{a}"')
    given = ["--var", "a={b}{{", "--var", "b=@@file.txt", "--var", "c=@file.txt", "-q"]
    assert sent(ask("ask", "--template", "t", *given, "--dry-run")) == {
        "instructions": "@file.txt",
        "input": "{b}{{|@file.txt|{b} @x",
        "user": "{b}{{",
    }


def test_a_value_counts_by_flag_then_template_then_chain_then_environment_then_file(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("1", response_id="r1"))
    assert ask("ask", "-m", "of-chain", "-s", "of chain", "-t", "web_search", "a").code == 0
    config = 'temperature = 1.5\ntop_p = 0.5\nmetadata = ["a=file"]\ninstructions = "of file"\n'
    path = kept(ask, 'model = "of-template"\ninstructions = "of template"\ntemperature = 1')
    (path.parent.parent / "config.toml").write_text(config)
    body = json.loads(ask("continue", "-q", "--template", "t", "--dry-run", "b").out)
    assert body == {
        "model": "of-template",
        "instructions": "of template",
        "input": "b",
        "metadata": {"a": "file"},
        "previous_response_id": "r1",
        "temperature": 1.0,
        "tools": [{"type": "web_search"}],
        "top_p": 0.5,
        "stream": True,
    }
    typed = ["-m", "typed", "-s", "typed", "--temperature", "0", "--no-tools"]
    body = json.loads(ask("continue", "-q", "--template", "t", "--dry-run", *typed, "b").out)
    assert (body["model"], body["instructions"], body["temperature"], "tools" in body) == ("typed", "typed", 0, False)


def test_a_typed_flag_that_excludes_one_of_the_template_counts(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("```\ncode\n```"))
    kept(ask, "extract = true\nno_stream = true")
    assert ask("ask", "--template", "t", "a").out == b"code\n"
    assert json.loads(ask("ask", "--template", "t", "--json", "a").out)["output_text"] == "```\ncode\n```"


def test_what_a_template_reads_is_beside_it_and_what_it_writes_is_here(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    folder = ask.home / "shared"
    folder.mkdir()
    (folder / "rules.txt").write_text("the rules")
    (folder / "note.txt").write_text("a note")
    (folder / "shape.json").write_text('{"type": "object", "properties": {}, "additionalProperties": false}')
    (ask.home / "here.txt").write_text("here")
    (folder / "t.toml").write_text(
        'prompt = "p"\ninstructions = "@rules.txt"\nfile = ["note.txt", "{doc}"]\nschema = "shape.json"\n'
        'output = "./o.txt"\nno_strict = true\nparam = ["a.b=@rules.txt"]\n'
    )
    body = sent(ask("ask", "--template", "shared/t.toml", "--var", "doc=here.txt", "--dry-run"))
    assert (body["instructions"], body["a"]) == ("the rules", {"b": "the rules"})
    texts = [part["text"].splitlines()[2] for part in body["input"][0]["content"][:2]]
    assert texts == ["a note", "here"]
    assert ask("ask", "--template", "./shared/t.toml", "--var", "doc=here.txt", "-q").code == 8  # x is no object
    assert not (folder / "o.txt.part").exists()
    assert (ask.home / "o.txt.part").exists()


def test_json_of_a_template_may_come_from_files_beside_it(ask: Command) -> None:
    path = kept(ask, 'tool = ["@tools.json", "web_search"]\ninput = "@items.json"\nbody = \'{"user": "env:HOME"}\'')
    (path.parent / "tools.json").write_text('\n[{"type": "x", "server_url": "env:HOME"}]')
    (path.parent / "items.json").write_text('[{"role": "user", "content": "env:HOME"}]')
    assert sent(ask("ask", "-q", "--template", "t", "--dry-run")) == {
        "input": [{"role": "user", "content": "env:HOME"}],
        "tools": [{"type": "x", "server_url": "env:HOME"}, {"type": "web_search"}],
        "user": "env:HOME",
    }


def test_a_typed_value_may_say_where_a_template_writes(ask: Command) -> None:
    path = kept(ask, 'prompt = "p"\noutput = "{dir}/{name}"\n[vars]\nname = "o.txt"\ndir = "."')
    given = ["--var", f"dir={ask.home}/.x"]
    assert ask("ask", "--template", "t", "--dry-run", *given).code == 0
    error = f"cometresp: error: {path}: output: {WRITES}\nhint: --output can be typed\n"
    for name in ("../.x", ".x"):
        assert list(ask("ask", "--template", "t", "--dry-run", *given, "--var", f"name={name}")) == [2, "", error]


def test_the_smaller_limit_of_cost_counts(ask: Command, wire: Wire) -> None:
    path = kept(ask, "max_cost = 1000.0")
    config = path.parent.parent / "config.toml"
    asked = ["ask", "--template", "t", "-q", "--price", "1,1", "hi"]
    config.write_text("max_cost = 0.000001")
    assert ask(*asked).code == 9
    config.write_text("[profile.a]\nmax_cost = 1000\n[aliases]\nx = 'y'\n")
    path.write_text("max_cost = 0.000001")
    assert [ask(*asked).code, ask("ask", "--profile", "a", *asked[1:]).code] == [9, 9]
    assert wire.requests == []


def test_a_template_may_come_through_a_pipe_and_from_another_config_folder(ask: Command) -> None:
    other = ask.home / "other"
    (other / "templates").mkdir(parents=True)
    (other / "templates/n.toml").write_text('prompt = "p"')
    (other / "config.toml").write_text('template = "n"')
    env = {"COMETRESP_CONFIG": str(other / "config.toml")}
    assert sent(ask("ask", "--dry-run", "q", env=env)) == {"input": "p\n\nq"}
    assert sent(ask("ask", "--template", "/dev/fd/0", "--dry-run", "q", stdin=b'prompt = "piped"')) == {
        "input": "piped\n\nq"
    }


def test_an_error_about_a_flag_says_where_it_is_set(ask: Command) -> None:
    path = kept(ask, "temperature = 3")
    assert list(ask("ask", "--template", "t", "a")) == [
        2,
        "",
        f"cometresp: error: --temperature: must be between 0 and 2, not 3.0\nhint: --temperature is set in {path}\n",
    ]


# what is refused ----------------------------------------------------------------------------------------------------

ALLOWING = "a template can't allow what may run; type it"
KEY = "a template can't say where the key goes; a profile can"
WRITES = "a template writes no hidden file, and none outside the current directory"
LOOKS_UP = "a template can't send variables of the environment (env:NAME); type it"
PARAM = "a template sets it by its own flag, not by param"


def named(header: str) -> str:
    """A tool whose header, or other field, names a variable."""
    where = '"authorization":' if header == "authorization" else f'"headers": {{"{header}":'
    end = "" if header == "authorization" else "}"
    return f'{{"type": "mcp", {where} "env:HOME"{end}}}'


BAD: list[tuple[str, str]] = [
    ("promt = 'x'", "{}: unknown setting 'promt'\nhint: did you mean prompt?"),
    ("temprature = 1", "{}: unknown setting 'temprature'\nhint: did you mean temperature?"),
    ("zzz = 1", "{}: unknown setting 'zzz'\nhint: a flag's long name, or prompt, description, vars"),
    ("[aliases]\na = 'b'", "{}: unknown setting 'aliases'\nhint: a flag's long name, or prompt, description, vars"),
    ("prompt = 1", "{}: prompt must be a string"),
    ("description = []", "{}: description must be a string"),
    ("temperature = 'hot'", "{}: temperature must be a number"),
    ("temperature = true", "{}: temperature must be a number"),
    ("file = [1]", "{}: file must be a list of strings"),
    ("store = 'no'", "{}: store must be true or false"),
    ("format = 'xml'", "{}: format must be auto, text, markdown, json or events"),
    ("effort = 'low'\nreasoning_effort = 'low'", "{}: effort and reasoning_effort are the same flag"),
    ("vars = 1", "{}: vars must be a table, as in [vars]"),
    ("prompt = '{a}'\n[vars]\na = []", "{}: vars.a must be a string or a number"),
    ("[vars]\na = 'x'", "{}: vars.a stands nowhere in it"),
    ("prompt = '{stdin}'\n[vars]\nstdin = 'x'", "{}: vars.stdin: {{stdin}} is what is piped in"),
    ("prompt = 'a } b'", "{}: prompt: line 1: a single }}: a variable is {{name}}, and }}}} is a brace"),
    ('prompt = """\na\n{ "x": 1 }"""', "{}: prompt: line 2: a single {{: a variable is {{name}}, and {{{{ is a brace"),
    ("instructions = '{a b}'", "{}: instructions: line 1: a single {{: a variable is {{name}}, and {{{{ is a brace"),
    ("instructions = '{stdin}'", "{}: instructions: {{stdin}} and {{input}} stand in prompt only"),
    ("approve = 'always'", f"{{}}: approve: {ALLOWING}"),
    ("allow_tool = ['*']", f"{{}}: allow_tool: {ALLOWING}"),
    ("tool_env = ['HOME']", f"{{}}: tool_env: {ALLOWING}"),
    ("base_url = 'https://evil.example'", f"{{}}: base_url: {KEY}"),
    ("insecure_http = true", f"{{}}: insecure_http: {KEY}"),
    ("ca_file = 'x'", f"{{}}: ca_file: {KEY}"),
    ("profile = 'x'", f"{{}}: profile: {KEY}"),
    ("output = '/etc/x'", f"{{}}: output: {WRITES}\nhint: --output can be typed"),
    ("output = './../x'", f"{{}}: output: {WRITES}\nhint: --output can be typed"),
    ("output = 'a/.git/config'", f"{{}}: output: {WRITES}\nhint: --output can be typed"),
    ("id_file = '~/.bashrc'", f"{{}}: id_file: {WRITES}\nhint: --id-file can be typed"),
    ("save_images = '..'", f"{{}}: save_images: {WRITES}\nhint: --save-images can be typed"),
    ("summary_file = 'a/..'", f"{{}}: summary_file: {WRITES}\nhint: --summary-file can be typed"),
    ("output = '{p}'\n[vars]\np = '/tmp/x'", f"{{}}: output: {WRITES}\nhint: --output can be typed"),
    ("id_file = '{p}{q}'\n[vars]\np = ''\nq = '.x'", f"{{}}: id_file: {WRITES}\nhint: --id-file can be typed"),
    (f"tool = ['web_search', '{named('X')}']", f"{{}}: tool: {LOOKS_UP}"),
    (f"tool = [' [{named('authorization')}]']", f"{{}}: tool: {LOOKS_UP}"),
    ("tool = ['@tools.json']", f"{{}}: tool: {LOOKS_UP}"),
    ("tool = [' @tools.json']", f"{{}}: tool: {LOOKS_UP}"),
    ("tool_choice = '@tools.json'", f"{{}}: tool_choice: {LOOKS_UP}"),
    (f"body = '{{\"tools\": [{named('X')}]}}'", f"{{}}: body: {LOOKS_UP}"),
    ("body = '@body.json'", f"{{}}: body: {LOOKS_UP}"),
    (f'input = \'[{{"type": "additional_tools", "tools": [{named("X")}]}}]\'', f"{{}}: input: {LOOKS_UP}"),
    (f'input = \'{{"type": "additional_tools", "tools": [{named("X")}]}}\'', f"{{}}: input: {LOOKS_UP}"),
    ("tool = ['@-']", "{}: tool: a template reads standard input in its prompt only, by {{stdin}}"),
    ("tool = ['@nowhere.json']", "--tool: can't read {folder}/nowhere.json: No such file or directory"),
    ("tool = ['@empty.json']", "--tool: {folder}/empty.json is empty"),
    ("tool = ['@wrong.json']", "{}: tool: not valid JSON: line 1 column 1: Expecting value"),
    ("param = ['tools.0.server_url=https://e.example']", f"{{}}: param: tools: {PARAM}"),
    ("param = ['tool_choice=none']", f"{{}}: param: tool_choice: {PARAM}"),
    ("param = ['input.0=x']", f"{{}}: param: input: {PARAM}"),
    ("price = '0,0'", "{}: price: a template can't change what a run may cost; type it"),
    ("template = 'x'", "{}: template: a template can't use another"),
    ("var = ['a=b']", "{}: var: the table [vars] has the values of variables"),
    (
        "functions = ['tools.py']",
        "{}: functions: a template starts nothing without --approve\n"
        "hint: --approve ask starts it, and asks before each call",
    ),
    (
        "mcp = ['sh -c true']",
        "{}: mcp: a template starts nothing without --approve\n"
        "hint: --approve ask starts it, and asks before each call",
    ),
    ("x = [", "{}: not valid TOML: Invalid value (at end of document)"),
    ("a = " + "[" * 9999, "{}: not valid TOML: a number is too long, or it is nested too deeply"),
]


def test_what_is_wrong_in_a_template_is_named(ask: Command, wire: Wire) -> None:
    folder = kept(ask, "").parent
    (folder / "tools.json").write_text(named("X"))
    (folder / "body.json").write_text(f'{{"tools": [{named("X")}]}}')
    (folder / "wrong.json").write_text("web_search")
    (folder / "empty.json").touch()
    found, expected = [], []
    for text, message in BAD:
        path = kept(ask, text)
        found.append(list(ask("ask", "--template", "t", "--retries", "0", "hi")))
        expected.append([2, "", f"cometresp: error: {message.format(path, folder=folder)}\n"])
    assert found == expected
    assert wire.requests == []


VARIABLES: list[tuple[list[str], str]] = [
    ([], "--template: the variables a, b of {} must be given\nhint: --var a=… --var b=…"),
    (["a=1"], "--template: the variable b of {} must be given\nhint: --var b=…"),
    (["a=1", "b=2", "tone2=x"], "--var: {} has no variable tone2\nhint: did you mean tone?"),
    (["q=1"], "--var: {} has no variable q\nhint: its variables: a, b, tone"),
    (["stdin=1"], "--var: {{stdin}} is what is piped in, not a variable"),
    (["a"], "--var: 'a' must be NAME=VALUE or NAME=@FILE"),
    (["=a"], "--var: '=a' must be NAME=VALUE or NAME=@FILE"),
    (["a=@nowhere"], "--var: can't read nowhere: No such file or directory"),
    (["a=@."], "--var: . is a directory\nhint: --var takes the name of one file"),
    (["a=@-"], "--var: a: @- names no file\nhint: {{stdin}} in a prompt is standard input; @@ is a literal @"),
]


def test_a_missing_and_an_unknown_variable_are_named(ask: Command, wire: Wire) -> None:
    path = kept(ask, 'prompt = "{a} {b} {tone}"\n[vars]\ntone = 1')
    given = [[word for pair in pairs for word in ("--var", pair)] for pairs, _ in VARIABLES]
    found = [list(ask("ask", "--template", "t", *words)) for words in given]
    assert found == [[2, "", f"cometresp: error: {message.format(path)}\n"] for _, message in VARIABLES]
    assert list(ask("ask", "--var", "a=b", "hi")) == [2, "", "cometresp: error: --var goes with --template\n"]
    assert wire.requests == []


def test_a_template_that_cant_be_read_is_named(ask: Command, wire: Wire) -> None:
    folder = kept(ask, 'prompt = "p"', "review").parent
    (folder / "dir.toml").mkdir()
    (folder / "latin.toml").write_bytes(b'prompt = "\xe4"')
    (folder / "large.toml").write_text("#" * 2_000_000)
    cases = [
        ("revew", f"--template: there is no template revew in {folder}\nhint: did you mean review?"),
        ("zzz", f"--template: there is no template zzz in {folder}\nhint: cometresp templates edit zzz makes it"),
        ("./x", "--template: can't read x: No such file or directory"),
        ("x.toml", "--template: can't read x.toml: No such file or directory"),
        ("dir", f"--template: can't read {folder}/dir.toml: Is a directory"),
        ("latin", f"--template: {folder}/latin.toml is not UTF-8: byte 11 is wrong"),
        ("large", f"--template: can't read {folder}/large.toml: it has more than 1 MB"),
        ("", "--template: must not be empty"),
        (
            "..",
            "--template: '..' is no name: letters, digits, blanks and . _ + -\n"
            "hint: a path has a slash in it, or ends in .toml",
        ),
        ("/dev/zero", "--template: can't read /dev/zero: it is a device"),
    ]
    found = [list(ask("ask", "--template", name, "hi")) for name, _ in cases]
    assert found == [[2, "", f"cometresp: error: {message}\n"] for _, message in cases]
    kept(ask, 'prompt = "{stdin}"')
    empty = "cometresp: error: {stdin} of the template: standard input is empty\n"
    assert list(ask("ask", "--template", "t", "hi")) == [2, "", empty]
    kept(ask, 'prompt = "{input}"')
    assert ask("ask", "--template", "t").err.splitlines()[0] == (
        "cometresp: error: {input} of the template: there is no prompt"
    )
    assert wire.requests == []


def test_a_named_pipe_among_templates_keeps_nothing_waiting(ask: Command) -> None:
    folder = kept(ask, 'prompt = "p"').parent
    os.mkfifo(folder / "pipe.toml")
    warning = f"cometresp: warning: templates: can't read {folder}/pipe.toml: it is a named pipe\n"
    assert list(ask("templates")) == [0, "t\t\t\n", warning]
    line = {"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": "cometresp ask --template "}
    assert ask(env=line).text == "words\npipe\t\nt\t\n"


def test_functions_of_a_template_need_approval(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    path = kept(ask, 'functions = ["tools.py"]')
    (path.parent / "tools.py").write_text('def f(a: str) -> str:\n    """F."""\n    return a\n')
    assert ask("ask", "--template", "t", "--approve", "ask", "hi").code == 0
    (ask.home / ".config/cometresp/config.toml").write_text('approve = "refuse"')
    assert ask("ask", "--template", "t", "hi").code == 0
    assert [[tool["name"] for tool in body["tools"]] for body in wire.bodies()] == [["f"]] * 2


# those of docs/templates --------------------------------------------------------------------------------------------

DIFF = b"diff --git a/x b/x\n-a {b}\n+c\n"
SHIPPED: dict[str, tuple[list[str], bytes, str]] = {
    "commit": (["--var", "language=German"], DIFF, "in German:\n\ndiff --git a/x b/x\n-a {b}\n+c"),
    "review": (["Is it right?"], DIFF, "\n+c\n\nIs it right?"),
    "extract": (["Ada, 1815"], b"", "no instructions for you.\n\nAda, 1815"),
}


def test_the_templates_of_the_docs_work_with_the_emulator(ask: Command) -> None:
    assert {path.stem for path in DOCS.glob("*.toml")} == set(SHIPPED)
    for name, (words, stdin, end) in SHIPPED.items():
        given = ["--template", str(DOCS / f"{name}.toml"), *words]
        assert sent(ask("ask", "--offline", "--dry-run", *given, stdin=stdin))["input"].endswith(end)
        result = ask("ask", "--offline", *given, stdin=stdin)
        assert (result.code, result.err) == (0, ""), name
    assert list(json.loads(result.out)) == ["title", "date", "people", "amounts"]
