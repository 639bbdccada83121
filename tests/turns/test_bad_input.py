"""Bad input is found before anything is sent, names its flag and its rule, and never ends in a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cometresp.options.fields import facts_of, option_of
from cometresp.options.tables import ChainOptions, ConnectionOptions, OutputOptions, RequestOptions
from tests.conftest import Command
from tests.properties import examples
from tests.scripted import Wire, text_stream

REMOTE = "http://api.example"


@pytest.fixture
def asked(ask: Command, wire: Wire) -> Command:
    """The command and a server that would answer."""
    wire.answer(text_stream("x"))
    return ask


def refusal(command: Command, *words: str, code: int = 2, **more: bytes | dict[str, str]) -> str:
    """The message, from a run that ended with that code and printed one error and at most one hint."""
    result = command("ask", "--retries", "0", *words, **more)  # type: ignore[arg-type]
    first, *hints = result.err.splitlines()
    assert (result.code, result.out, first[:18]) == (code, b"", "cometresp: error: "), result.err
    assert [line[:6] for line in hints] in ([], ["hint: "])
    return first[18:]


@pytest.mark.parametrize(
    "flag", ["--input", "--body", "--schema", "--context-management", "--tool", "--tool-choice", "--param", "-P"]
)
def test_invalid_json_is_told_with_its_line_and_column(asked: Command, wire: Wire, flag: str) -> None:
    param = flag in ("--param", "-P")
    message = refusal(asked, flag, ("a=" if param else "") + '{"a": 1,\n "b": }', "hi")
    shown = "--param a" if param else flag
    assert message == f"{shown}: not valid JSON: line 2 column 7: Expecting value"
    assert wire.requests == []


@pytest.mark.parametrize("flag", ["--input", "--body", "--schema", "--context-management", "--tool", "--tool-choice"])
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": NaN}', "not valid JSON: NaN is not JSON"),
        ('{"a": 1e999}', "not valid JSON: 1e999 is too large a number"),
        ('{"a": ' + "9" * 10_001 + "}", "the JSON holds an integer of more than 10000 digits"),
        ("[" * 500 + "]" * 500, "the JSON is nested too deeply"),
        ("[" * 9999, "the JSON is nested too deeply"),
    ],
    ids=["NaN", "infinite", "long", "deep", "deeper"],
)
def test_json_that_cant_be_sent_again_is_refused(asked: Command, flag: str, text: str, fault: str) -> None:
    assert refusal(asked, flag, text, "hi") == f"{flag}: {fault}"


TWO_WAYS_ON = "--conversation excludes a previous response (--previous-response-id, --continue, --from)"
TWO_IDS = "--previous-response-id and --continue exclude each other: both name the previous response"
IN_THE_OPEN = "the key would go over plain http to"
STANDS = "stands for a value that is not shown; give the value:"
NO_STREAM = "--include-obfuscation goes with a stream only, not with --no-stream"
RULES = [
    ("--temperature 2.1", "--temperature: must be between 0 and 2, not 2.1"),
    ("--temperature nan", "--temperature: must be between 0 and 2, not nan"),
    ("--temperature inf", "--temperature: must be between 0 and 2, not inf"),
    ("--top-p -0.1", "--top-p: must be between 0 and 1, not -0.1"),
    ("--top-logprobs 21", "--top-logprobs: must be between 0 and 20, not 21"),
    ("--top-logprobs -1", "--top-logprobs: must be between 0 and 20, not -1"),
    ("--max-output-tokens 15", "--max-output-tokens: must be at least 16, not 15"),
    ("--max-output-tokens=-" + "9" * 400, "--max-output-tokens: must be at least 16, not -" + "9" * 400),
    ("--max-tool-calls -1", "--max-tool-calls: must be at least 0, not -1"),
    ("-P temperature=3", "--temperature: must be between 0 and 2, not 3"),
    ("--metadata a", "--metadata: 'a' must be KEY=VALUE"),
    ("--metadata =a", "--metadata: '=a' must be KEY=VALUE"),
    (" ".join(f"--metadata {n}=x" for n in range(17)), "--metadata: at most 16 pairs, not 17"),
    (f"--metadata {'ü' * 65}=x", f"--metadata: a key has at most 64 characters, '{'ü' * 20}'… has 65"),
    (f"--metadata k={'x' * 513}", "--metadata: a value has at most 512 characters, that of 'k' has 513"),
    (f"--safety-identifier {'x' * 65}", "--safety-identifier: at most 64 characters, not 65"),
    ("--context-management []", "--context-management: must be a JSON array of at least one object"),
    ("--context-management {}", "--context-management: must be a JSON array of at least one object"),
    ("--input 5", "--input: input items are JSON objects, one or an array of them"),
    ("--input [5]", "--input: input items are JSON objects, one or an array of them"),
    ("--body []", "--body: the body must be a JSON object"),
    ("--schema []", "--schema: a schema must be a JSON object"),
    ("--schema none.json", "--schema: can't read none.json: No such file or directory"),
    ("--schema {} --schema-name a.b", "--schema-name: 'a.b' must be 1 to 64 letters, digits, _ or -"),
    ("--schema-name a", "--schema-name goes with --schema"),
    ("--schema a --schema-multi b", "--schema and --schema-multi exclude each other"),
    ("--schema-multi a --json-object", "--schema-multi and --json-object exclude each other"),
    ("--no-strict", "--no-strict goes with --schema"),
    ("--prompt-version 1", "--prompt-version goes with --prompt-id"),
    ("--prompt-var a=b", "--prompt-var goes with --prompt-id"),
    ("--tool-choice [1]", "--tool-choice: must be a word or a JSON object"),
    ("--timeout -1", "--timeout: must be more than 0 and at most 10000000 seconds, not -1"),
    ("--timeout nan", "--timeout: must be more than 0 and at most 10000000 seconds, not nan"),
    ("--max-time 0", "--max-time: must be more than 0 and at most 10000000 seconds, not 0"),
    ("--retries -1", "--retries: must be at least 0, not -1"),
    ("--tool-output a", "--tool-output: 'a' must be CALL_ID=TEXT"),
    ("--tool-output-file =a", "--tool-output-file: '=a' must be CALL_ID=PATH"),
    ("--schema {} --json-object", "--schema and --json-object exclude each other"),
    ("--include-obfuscation --no-stream", NO_STREAM),
    ("--include-obfuscation --background", f"{NO_STREAM} or --background"),
    ("--conversation c -P previous_response_id=r", TWO_WAYS_ON),
    ("--conversation c --previous-response-id r", TWO_WAYS_ON),
    ("--previous-response-id r -c", TWO_IDS),
    ("-H x", "--header: '…' must be 'NAME: VALUE'"),
    ("-H :x", "--header: '…' must be 'NAME: VALUE'"),
    ("-H ä:x", "--header: '…' must be 'NAME: VALUE'"),
    ("-H sk-1234abcd", "--header: '…' must be 'NAME: VALUE'"),
    ("-H Authorization=sk-1", "--header: '…' must be 'NAME: VALUE'"),
    ("-H a:x\ny", "--header: the value of a contains a character that headers don't allow"),
    ("-H a:ü", "--header: the value of a contains a character that headers don't allow"),
    ("--base-url x.org", "--base-url: 'x.org' is not a web address; it must start with https:// or http://"),
    ("--base-url ftp://x", "--base-url: 'ftp://x' is not a web address; it must start with https:// or http://"),
    ("--base-url http://", "--base-url: 'http://' is not a web address; it must start with https:// or http://"),
    ("--base-url http://[", "--base-url: 'http://[' is not an address: Invalid IPv6 URL"),
    ("--base-url https://u:p@x", "--base-url: a base URL has no user and password: 'https://x'"),
    ("--base-url u:p@x", "--base-url: 'x' is not a web address; it must start with https:// or http://"),
    ("--base-url http://u:p/q@x", "--base-url: not an address"),
    ("--base-url https://x/#f", "--base-url: a base URL has no fragment or blank: 'https://x/#f'"),
    ("--base-url https://x/?k=***", f"--base-url: *** {STANDS} 'https://x/?k=***'"),
    (f"--base-url {REMOTE}", f"--base-url: the key would go over plain http to {REMOTE}/v1"),
    (f"--base-url {REMOTE}?a=b -H Authorization: -H X-Key:k", f"--base-url: {IN_THE_OPEN} {REMOTE}/v1?a=***"),
    (f"--base-url {REMOTE}?key=k -H Authorization:", f"--base-url: {IN_THE_OPEN} {REMOTE}/v1?key=***"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "message"), RULES, ids=[flags[:40] for flags, _ in RULES])
def test_a_broken_rule_is_named_with_its_flag_and_nothing_is_sent(
    asked: Command, wire: Wire, flags: str, message: str
) -> None:
    assert refusal(asked, *flags.split(" "), "hi") == message
    assert wire.requests == []


NOT_HERE = "can't be sent as text, since only the server has its content"
NOT_FETCHED = "can't be sent as text, since cometresp doesn't fetch addresses"
WEB_ONLY, AS_TEXT = "only http: and https: addresses can be attached", ("--file-as", "text")


@pytest.mark.parametrize(
    ("words", "data", "message"),
    [
        ([], b"a\0b", "standard input holds binary data of no known type"),
        (["a", "-"], b"", "-: standard input is empty"),
        (["-", "and", "-"], b"x", "-: standard input was already read by -"),
        (["-", "-f", "-"], b"x", "-: standard input was already read by --file -"),
        (["-f", "-", "-f", "-"], b"x", "--file -: standard input was already read by --file -"),
        (["-", "-s", "@-"], b"x", "--instructions @-: standard input was already read by -"),
        (["-f", "-", "--body", "@-"], b"x", "--body @-: standard input was already read by --file -"),
        (["--no-stdin", "-"], b"x", "-: standard input is not read, because of --no-stdin"),
        ([], b"", "nothing to send: no prompt and nothing on standard input"),
        (["--no-stdin"], b"x", "nothing to send: no prompt and nothing on standard input"),
        (["-f", "-", "hi"], b"", "--file: standard input is empty"),
        (["-f", "-", "hi"], b"\0", "--file: standard input holds binary data of no known type"),
        (["-s", "@", "hi"], b"", "--instructions: @ names no file"),
        (["-s", "@-", "hi"], b"", "--instructions: standard input is empty"),
        (["-s", "@empty", "hi"], b"", "--instructions: empty is empty"),
        (["-s", "@blank", "hi"], b"", "--instructions: blank is empty"),
        (["--input", "@empty", "hi"], b"", "--input: empty is empty"),
        (["--body", "@-", "hi"], b"\n", "--body: standard input is empty"),
        (["--schema", "@empty", "hi"], b"", "--schema: empty is empty"),
        (["--schema-multi", "@empty", "hi"], b"", "--schema-multi: empty is empty"),
        (["--tool", "@empty", "hi"], b"", "--tool: empty is empty"),
        (["--tool-choice", "@empty", "hi"], b"", "--tool-choice: empty is empty"),
        (["--context-management", "@empty", "hi"], b"", "--context-management: empty is empty"),
        (["-s", "@none", "hi"], b"", "--instructions: can't read none: No such file or directory"),
        (["-s", "@.", "hi"], b"", "--instructions: . is a directory"),
        (["-s", "@a\nb", "hi"], b"", "--instructions: can't read a\\nb: No such file or directory"),
        (["-s", "@" + "x" * 300, "hi"], b"", f"--instructions: can't read {'x' * 199}…: File name too long"),
        (["-f", ".", "hi"], b"", "--file: . is a directory"),
        (["-f", "", "hi"], b"", "--file: can't read '': No such file or directory"),
        (["-f", "none", "hi"], b"", "--file: can't read none: No such file or directory"),
        (["-f", "fifo", "hi"], b"", "--file: fifo is a named pipe"),
        (["-f", "empty", "hi"], b"", "--file: empty is empty"),
        (["-f", "binary", "hi"], b"", "--file: binary holds binary data of no known type"),
        (["-f", "/dev/zero", "hi"], b"", "--file: /dev/zero is a device"),
        (["-f", "ftp://x/a.png", "hi"], b"", f"--file: ftp://x/a.png: {WEB_ONLY}"),
        (["-f", "file:///etc/passwd"], b"", f"--file: file:///etc/passwd: {WEB_ONLY}"),
        (["-f", "https://[x", "hi"], b"", "--file: https://[x is not an address: Invalid IPv6 URL"),
        (["-f", "https://", "hi"], b"", "--file: https:// has no host"),
        (["-f", "https://x", *AS_TEXT], b"", f"--file: https://x {NOT_FETCHED}"),
        (["-f", "file-abcdef", *AS_TEXT], b"", f"--file: file-abcdef {NOT_HERE}"),
    ],
)  # fmt: skip
def test_input_that_cant_be_read_is_refused(
    asked: Command, wire: Wire, words: list[str], data: bytes, message: str
) -> None:
    (asked.home / "empty").touch()
    (asked.home / "blank").write_text(" \n")
    (asked.home / "binary").write_bytes(b"\0\1")
    os.mkfifo(asked.home / "fifo")
    assert refusal(asked, *words, stdin=data) == message
    assert wire.requests == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("- <&-", "-: standard input is empty"),
        ("<&-", "nothing to send: no prompt and nothing on standard input"),
        ("- < /dev/null", "-: standard input is empty"),
    ],
)
def test_standard_input_without_data_is_refused_where_it_is_named(asked: Command, script: str, message: str) -> None:
    line = f"exec {sys.executable} -m cometresp ask {script}"
    done = subprocess.run(["sh", "-c", line], env=asked.environ, cwd=asked.home, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().partition("\n")[0] == f"cometresp: error: {message}"


EMPTY_REFUSED = {
    "--model": "--model: must not be empty",
    "--prompt-id": "--prompt-id: must not be empty",
    "--previous-response-id": "--previous-response-id: must not be empty",
    "--tool-choice": "--tool-choice: must not be empty",
    "--tool": "--tool: '' is not a tool",
    "--input": "--input: not valid JSON: line 1 column 1: Expecting value",
    "--body": "--body: not valid JSON: line 1 column 1: Expecting value",
    "--context-management": "--context-management: not valid JSON: line 1 column 1: Expecting value",
    "--schema": "--schema: '' names no field",
    "--param": "--param: '' must be PATH=VALUE, as in reasoning.mode=pro",
    "--metadata": "--metadata: '' must be KEY=VALUE",
    "--chain": "--chain: '' is not a name: 1 to 100 printable characters, no blank at its ends",
    "--base-url": "--base-url: '' is not a web address; it must start with https:// or http://",
    "--header": "--header: '' must be 'NAME: VALUE'",
}


@pytest.mark.parametrize(("flag", "message"), EMPTY_REFUSED.items())
def test_an_empty_value_of_a_flag_that_needs_one_is_refused(
    asked: Command, wire: Wire, flag: str, message: str
) -> None:
    assert refusal(asked, flag, "", "hi") == message
    assert wire.requests == []


def flags_of(*groups: type) -> list[str]:
    return [
        names.partition("/")[0]
        for group in groups
        for annotation in group.__annotations__.values()
        for names in [str(option_of(annotation).default)]
        if "bool" not in str(facts_of(annotation)[0])
    ]


VALUED = flags_of(RequestOptions, ChainOptions, OutputOptions, ConnectionOptions)


@pytest.mark.parametrize("value", ["", "a=\udcff", "\x1b[2J\n", "[/x]", "9" * 5000])
def test_no_value_of_any_flag_ends_in_a_traceback(run: Command, value: str) -> None:
    lines = [["ask", "--dry-run", "--no-stdin", f"{flag}={value}", "hi"] for flag in VALUED]
    for flag, result in zip(VALUED, run.each(lines, env={"COMETAPI_DEFAULT_MODEL": "m"}), strict=True):
        codes = (0, 2, 73) if flag == "--summary-file" else (0, 2)  # which is written by this run, too
        assert result.code in codes, (flag, result.err)
        assert not result.err or result.err.startswith(("cometresp: error: ", "cometresp: warning: ")), flag
        assert "\x1b" not in result.err
        assert (result.code == 0) == bool(result.out)
        assert not result.out or json.loads(result.out, parse_int=str)  # this process reads 4,300 digits


ARGUMENTS = st.binary(max_size=9).map(lambda data: os.fsdecode(data.replace(b"\0", b"")))


WORDS = st.sampled_from(["-", "--", "ask", "-x", "--model", "@"]) | ARGUMENTS


@examples(5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=st.lists(st.lists(WORDS, max_size=4), min_size=10, max_size=10))
def test_any_words_are_a_request_or_a_usage_error(run: Command, lines: list[list[str]]) -> None:
    results = run.each((["ask", "--dry-run", "--curl", "-m", "m", *words] for words in lines), stdin=b"x")
    for words, result in zip(lines, results, strict=True):
        told = (result.code, result.err[:18])
        assert told in ((0, ""), (0, "cometresp: warning"), (2, "cometresp: error: ")), words


@pytest.mark.parametrize(
    "words", [["nope"], ["ask", "--nope"], ["ask", "-m"], ["ask", "--file-as", "x"], ["ask", "--retries", "x"]]
)
def test_a_usage_error_has_the_form_of_all_others_also_as_json(run: Command, words: list[str]) -> None:
    code, out, err = run(*words)
    lines = err.splitlines()
    assert (code, out, [line.partition(": ")[0] for line in lines]) == (2, "", ["cometresp", "hint"])
    if words[:1] == ["ask"]:
        told = json.loads(run("ask", "--error-format", "json", *words[1:]).err)["error"]
        facts = {"exit_code": 2, "status": None, "code": None, "param": None, "request_id": None, "body": None}
        message, hint = lines[0].removeprefix("cometresp: error: "), lines[1].removeprefix("hint: ")
        assert told == {"message": message, "hint": hint, **facts}


# the key and the settings -----------------------------------------------------------------------------------------


def test_a_missing_key_is_named(run: Command) -> None:
    message = "no key for https://api.cometapi.com/v1: COMETAPI_KEY is not set"
    assert refusal(run, "hi", code=77) == message
    assert refusal(run, "hi", code=77, env={"COMETAPI_KEY": " \ufeff\n", "OPENAI_API_KEY": "sk-other"}) == message


TOO_MUCH = "not valid TOML: a number is too long, or it is nested too deeply"
NOT_UTF8 = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"model = ", "not valid TOML: Invalid value (at end of document)"),
        pytest.param(b"model = " + b"9" * 20_000, TOO_MUCH, id="digits"),
        pytest.param(b"model = " + b"[" * 5000, TOO_MUCH, id="levels"),
        (b"modell = 'x'", "unknown setting 'modell'"),
        (b"model = 5", "model must be a string"),
        (b"no_stdin = 'yes'", "no_stdin must be true or false"),
        (b"keys = 'sk-x'", "keys must be a table, as in [keys]"),
        (b"\xff", f"the config file can't be read: {NOT_UTF8}"),
    ],
)
def test_a_config_file_that_cant_be_used_is_named(asked: Command, wire: Wire, text: bytes, message: str) -> None:
    path = asked.home / "my.toml"
    path.write_bytes(text)
    assert refusal(asked, "hi", code=78, env={"COMETRESP_CONFIG": str(path)}) == f"{path}: {message}"
    assert wire.requests == []


@pytest.mark.parametrize("name", ["none.toml", "~/none.toml", "~nobody-here/x", "none.toml/below"])
def test_a_config_file_that_the_environment_names_must_be_there(asked: Command, wire: Wire, name: str) -> None:
    path = name.replace("~/", f"{asked.home}/")
    message = f"COMETRESP_CONFIG: can't read {path}: No such file or directory"
    assert refusal(asked, "hi", code=78, env={"COMETRESP_CONFIG": name}) == message
    assert wire.requests == []


def test_a_tilde_in_the_environment_is_the_home_folder(asked: Command) -> None:
    (asked.home / "my.toml").write_text('model = "from-file"\n')
    env = {"COMETRESP_CONFIG": "~/my.toml", "COMETRESP_STATE_DIR": "~/kept", "COMETAPI_DEFAULT_MODEL": ""}
    assert json.loads(asked("ask", "--dry-run", "hi", env=env).out)["model"] == "from-file"
    assert asked("ask", "hi", env=env).code == 0
    assert (asked.home / "kept" / "state.db").is_file()


def test_a_key_of_the_config_goes_only_to_its_base_url(asked: Command, wire: Wire) -> None:
    path = Path(asked.home, "my.toml")
    path.write_text(f'[keys]\n"{wire.url}/responses/" = "sk-file"\n')
    env = {"COMETRESP_CONFIG": str(path), "COMETAPI_KEY": ""}
    assert list(asked("ask", "hi", env=env)) == [0, "x\n", ""]
    assert wire.requests[0].headers["authorization"] == "Bearer sk-file"
    other = "https://api.example.com/v2"
    message = f"no key for {other}: COMETAPI_KEY is not set"
    assert refusal(asked, "--base-url", other, "hi", code=77, env=env) == message
    assert list(asked("ask", "--base-url", wire.url.replace("/v1", "/v2"), "hi", env=env)) == [0, "x\n", ""]
    assert "authorization" not in wire.requests[1].headers  # on loopback none is needed


def test_a_pipe_that_a_flag_names_is_no_part_of_the_prompt(run: Command) -> None:
    result = run("ask", "--dry-run", "-s", "@-", "hi", stdin=b"rules\n")
    assert (result.code, json.loads(result.out)["instructions"], json.loads(result.out)["input"]) == (
        0,
        "rules\n",
        "hi",
    )


@pytest.mark.parametrize("flag", ["--output", "--id-file", "--ca-file", "--conversation"])
def test_an_empty_name_is_told_before_anything_is_sent(ask: Command, wire: Wire, flag: str) -> None:
    assert list(ask("ask", flag, "", "hi")) == [2, "", f"cometresp: error: {flag}: must not be empty\n"]
    assert wire.requests == []


@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "0", "-1"])
def test_a_time_that_no_timer_can_take_is_refused(ask: Command, value: str) -> None:
    for flag in ("--timeout", "--max-time"):
        result = ask("ask", flag, value, "hi")
        assert (result.code, result.err.startswith(f"cometresp: error: {flag}: must be more than 0 and at most")) == (
            2,
            True,
        )


def test_given_headers_win_over_our_own(ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("x"))
    assert ask("ask", "-H", "accept: text/plain", "-H", "Authorization: Bearer other", "hi").code == 0
    headers = wire.requests[0].headers
    assert (headers["accept"], headers["authorization"]) == ("text/plain", "Bearer other")
    command = ask("ask", "--curl", "-H", "accept: text/plain", "-H", "Authorization: Bearer other", "hi").text
    assert "'Authorization: '\"$AUTHORIZATION\"" in command
    assert ("COMETAPI_KEY" in command, "other" in command, "text/event-stream" in command) == (False, False, False)


def test_an_output_that_is_a_link_to_itself_is_told_before_anything_is_sent(asked: Command, wire: Wire) -> None:
    (asked.home / "loop").symlink_to("loop")
    message = "--output: loop can't be written: Too many levels of symbolic links"
    assert refusal(asked, "-o", "loop", "hi", code=73) == message
    assert wire.requests == []
