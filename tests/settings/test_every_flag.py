"""Every flag can be set in the config file: what an ordinary command doesn't take is left out, not an error."""

import json
from typing import Any

import pytest

from cometresp.settings.flags import Setting, settings
from tests.conftest import Command, Forker
from tests.settings.test_defaults import with_config

FLAGS = {setting.field: name for name, setting in reversed(settings().items()) if name != "mcp"}
VALUES: dict[str, Any] = {
    "body": "{}",
    "base_url": "https://api.cometapi.com",
    "context_management": '[{"type": "compaction"}]',
    "fault": ["503"],
    "file": ["none.txt"],
    "file_as": "text",
    "functions": ["tools.toml"],
    "header": ["X-A: 1"],
    "include": ["reasoning.encrypted_content"],
    "image_detail": "low",
    "input": "[]",
    "mcp": ["ftp://h/"],
    "metadata": ["a=b"],
    "param": ["a=1"],
    "price": "1,2",
    "prompt_var": ["a=b"],
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "reasoning_summary": "auto",
    "max_reply_size": "1M",
    "schema": "name",
    "schema_multi": "name",
    "service_tier": "auto",
    "template": "./t.toml",
    "tool": ["web_search"],
    "tool_choice": "auto",
    "truncation": "auto",
    "verbosity": "low",
}
# What can't be left out, since it says what is sent or where it comes from.
CANT = {
    "continue_": (2, "nothing to continue: chain default has no response yet\nhint: cometresp ask … starts it"),
    "from_": (2, "nothing to continue: chain default has no response yet\nhint: cometresp ask … starts it"),
    "file": (2, "--file: can't read none.txt: No such file or directory\nhint: --file is set in {file}"),
    "tool_output": (2, "--tool-output: 'x' must be CALL_ID=TEXT\nhint: --tool-output is set in {file}"),
    "tool_output_file": (2, "--tool-output-file: 'x' must be CALL_ID=PATH\nhint: --tool-output-file is set in {file}"),
    "functions": (
        2,
        "--functions: tools.toml: it can't be read: No such file or directory\nhint: --functions is set in {file}",
    ),
    "mcp": (
        2,
        "--mcp: ftp://h/: a server is reached by https:// or http://, not by ftp://\nhint: --mcp is set in {file}",
    ),
    "github": (
        2,
        "--github: GITHUB_OUTPUT is not set\n"
        "hint: GitHub Actions sets it: leave --github out elsewhere; --github is set in {file}",
    ),
}
WARNED = {
    "user": "--user is deprecated: --safety-identifier and --prompt-cache-key replace it",
}


def value_of(setting: Setting) -> Any:
    ordinary = {bool: True, int: 20, float: 1.0, list: ["x"], str: "x"}[setting.kind]
    return VALUES.get(setting.field, setting.choices[-1] if setting.choices else ordinary)


def test_each_flag_configured_alone_leaves_an_ordinary_command_working(forker: Forker, run: Command) -> None:
    (run.home / "t.toml").write_text("temperature = 0\n")
    run.environ["EDITOR"] = "true"
    for field, name in FLAGS.items():
        with_config(run, f"{name} = {json.dumps(value_of(settings()[name]))}\n")
        code, message = CANT.get(field, (0, ""))
        expected = f"cometresp: error: {message.format(file=run.environ['COMETRESP_CONFIG'])}\n" if message else ""
        expected += f"cometresp: warning: {WARNED[field]}\n" if field in WARNED else ""
        result = forker.run(run, ["ask", "--dry-run", "hi"])
        assert (field, result.code, result.err) == (field, code, expected)


LEFT_OUT = [
    ("extract = true", ["ask", "--count-tokens"]),
    ('select = "id"', ["ask", "--count-tokens"]),
    ("events = true", ["ask", "--count-tokens"]),
    ('id_file = "x"\nsave_images = "x"\noutput = "x"', ["ask", "--count-tokens"]),
    ("extract_last = true", ["ask", "--background"]),
    ("background = true", ["ask", "--extract"]),
    ("include_obfuscation = false", ["ask", "--no-stream"]),
    ("include_obfuscation = true", ["ask", "--background"]),
    ("no_stream = true", ["stream"]),
    ("no_stream = true", ["ask", "--no-include-obfuscation"]),
    ('summary_file = "x"', ["ask", "-o", "x"]),
    ('previous_response_id = "resp_1"', ["ask", "--conversation", "conv_1"]),
    ('fault = ["503"]', ["ask", "--base-url", "https://api.cometapi.com"]),
    ("extract = true\n[profile.p]\njson = false\nevents = true", ["ask", "--profile", "p"]),
]


@pytest.mark.parametrize(("text", "words"), LEFT_OUT, ids=range(len(LEFT_OUT)))
def test_a_configured_value_that_contradicts_a_typed_flag_is_left_out(
    forker: Forker, run: Command, text: str, words: list[str]
) -> None:
    with_config(run, text)
    result = forker.run(run, [*words, "--dry-run", "hi"])
    assert (result.code, result.err) == (0, "")


KEPT = [
    ("wait = true", ["--background"], "background", True),
    ('schema_name = "n"', ["--schema", "a"], "text.format.name", "n"),
    ('prompt_version = "2"', ["--prompt-id", "p"], "prompt.version", "2"),
    ('[profile.p]\nschema_name = "n"', ["--profile", "p", "--schema", "a"], "text.format.name", "n"),
]


def test_a_configured_value_counts_where_the_flag_that_it_goes_with_is_given(forker: Forker, run: Command) -> None:
    for text, words, path, value in KEPT:
        with_config(run, text)
        body = json.loads(forker.run(run, ["ask", "--dry-run", "hi", *words]).text)
        for part in path.split("."):
            body = body[part]
        assert (text, body) == (text, value)


TYPED = [
    (["--wait"], "--wait goes with --background: other answers are waited for anyway"),
    (["--schema-name", "n"], "--schema-name goes with --schema"),
    (["--replay"], "--replay goes with continue, --continue or --from: a new chain has nothing to replay"),
]


def test_a_typed_flag_is_never_left_out(forker: Forker, run: Command) -> None:
    with_config(run, "bell = true\n")
    for words, message in TYPED:
        result = forker.run(run, ["ask", "--dry-run", "hi", *words])
        assert list(result) == [2, "", f"cometresp: error: {message}\n"]


def test_a_contradiction_within_the_file_names_the_places_of_both(forker: Forker, run: Command) -> None:
    path = with_config(run, "json = true\nevents = true\n").environ["COMETRESP_CONFIG"]
    assert list(forker.run(run, ["ask", "--dry-run", "hi"])) == [
        2,
        "",
        "cometresp: error: --json and --events exclude each other: one format at a time\n"
        f"hint: --json is set in {path}; --events is set in {path}\n",
    ]
    path = with_config(run, 'extract = true\nselect = "id"\n').environ["COMETRESP_CONFIG"]
    assert list(forker.run(run, ["ask", "--dry-run", "hi"])) == [
        2,
        "",
        "cometresp: error: --select and --extract exclude each other: each prints a part of the response alone\n"
        f"hint: --extract is set in {path}; --select is set in {path}\n",
    ]
