"""The config file as a place for the defaults of flags: what counts, and what is refused before anything is sent."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cometresp.config import load
from cometresp.errors import CometrespError
from tests.conftest import Command, Forker

FILE = """
model = "fast"
effort = "low"
temperature = 1
tool = ["web_search"]
instructions = "brief"
header = ["X-A: 1", "X-B: 2"]
max_output_tokens = 100
store = false
[aliases]
fast = "mini"
mini = "gpt-5.4-mini"
[profile.work]
temperature = 0.5
base_url = "http://127.0.0.1:9/v1"
model = "worker"
key = "sk-work"
[profile.json]
json = true
offline = true
[profile.text]
extract = true
"""
BODY = {
    "model": "gpt-5.4-mini",
    "instructions": "brief",
    "input": "hi",
    "max_output_tokens": 100,
    "temperature": 1.0,
    "reasoning": {"effort": "low"},
    "tools": [{"type": "web_search"}],
    "store": False,
    "stream": True,
}


@pytest.fixture
def configured(run: Command) -> Command:
    return with_config(run, FILE)


def with_config(run: Command, text: str) -> Command:
    (run.home / "c.toml").write_text(text)
    run.environ["COMETRESP_CONFIG"] = str(run.home / "c.toml")
    return run


def shown(forker: Forker, command: Command, words: Sequence[str], env: dict[str, str] | None = None) -> Any:
    result = forker.run(command, ["ask", "--dry-run", "hi", *words], env=env)
    assert (result.code, result.err) == (0, "")
    return json.loads(result.text)


@pytest.mark.parametrize(
    ("words", "env", "changed"),
    [
        ([], {}, {}),
        (["-m", "other", "--effort", "high"], {}, {"model": "other", "reasoning": {"effort": "high"}}),
        (["-m", "mini"], {"COMETAPI_DEFAULT_MODEL": "m"}, {}),
        ([], {"COMETAPI_DEFAULT_MODEL": "m"}, {"model": "m"}),
        (["--profile", "work"], {}, {"model": "worker", "temperature": 0.5}),
        ([], {"COMETRESP_PROFILE": "work"}, {"model": "worker", "temperature": 0.5}),
        (["--profile", "work", "--temperature", "0"], {}, {"model": "worker", "temperature": 0.0}),
        (["-t", "shell"], {}, {"tools": [{"type": "shell"}]}),
        (["--store"], {}, {"store": True}),
        (["--body", '{"model": "fast"}'], {}, {"model": "fast"}),
    ],
)
def test_the_request_has_what_the_file_sets_unless_a_flag_or_a_variable_says_otherwise(
    forker: Forker, configured: Command, words: list[str], env: dict[str, str], changed: dict[str, Any]
) -> None:
    assert shown(forker, configured, words, env) == {**BODY, **changed}


def test_a_typed_flag_drops_the_configured_ones_that_it_excludes(forker: Forker, configured: Command) -> None:
    dropped = shown(forker, configured, ["--no-instructions", "--no-tools"])
    assert dropped == {name: value for name, value in BODY.items() if name not in ("instructions", "tools")}
    for words in (["--json"], ["--schema", "name"], ["-F", "text"]):
        assert shown(forker, configured, ["--profile", "text", *words])["input"] == "hi"


def test_headers_are_added_to_the_configured_ones_and_replace_those_of_their_name(
    forker: Forker, configured: Command
) -> None:
    result = forker.run(configured, ["ask", "--curl", "hi", "-H", "User-Agent: me", "-H", "X-B;"])
    assert [line.strip(" \\") for line in result.text.splitlines() if "-H" in line][4:] == [
        "-H 'X-A: '\"$X_A\"",
        "-H 'User-Agent: me'",
        "-H 'X-B;'",
    ]


def test_a_turn_that_continues_takes_nothing_of_its_chain_from_the_file(forker: Forker, run: Command) -> None:
    assert forker.run(run, ["ask", "--offline", "hi", "-s", "chained"]).code == 0
    file = 'instructions = "brief"\ntool = ["web_search"]\nstore = false\ntemperature = 1\n'
    for text, command in ((file, ["continue"]), (file, ["ask", "-c"]), (f"{file}continue = true\n", ["ask"])):
        with_config(run, text)
        words = [*command, "--offline", "--dry-run", "go on"]
        body = json.loads(forker.run(run, words).text)
        assert {name: body.get(name) for name in ("instructions", "tools", "store", "temperature")} == {
            "instructions": "chained",
            "tools": None,
            "store": False,
            "temperature": 1.0,
        }
    with_config(run, "store = true")
    assert "store" not in json.loads(forker.run(run, ["continue", "--offline", "--dry-run", "go on"]).text)


def test_a_profile_can_be_offline_for_every_command(forker: Forker, configured: Command) -> None:
    in_profile = {"COMETRESP_PROFILE": "json"}
    answer = forker.run(configured, ["ask", "hi", "--chain", "c"], env=in_profile)
    assert json.loads(answer.text)["model"] == "gpt-5.4-mini"
    assert forker.run(configured, ["chains", "head", "c"], env=in_profile).text.strip() == json.loads(answer.text)["id"]
    assert forker.run(configured, ["log", "--profile", "json"]).text.startswith(json.loads(answer.text)["id"])
    assert list(forker.run(configured, ["log"])) == [0, "", ""]


@pytest.mark.parametrize(
    ("text", "words", "code", "message"),
    [
        ("modle = 'x'", [], 78, "{file}: unknown setting 'modle'\nhint: did you mean model?"),
        (
            "zzz = 'x'",
            [],
            78,
            "{file}: unknown setting 'zzz'\nhint: a flag's long name, without the dashes",
        ),
        ("'' = ''", [], 78, "{file}: unknown setting ''\nhint: a flag's long name, without the dashes"),
        ("temperature = 'hot'", [], 78, "{file}: temperature must be a number"),
        ("temperature = true", [], 78, "{file}: temperature must be a number"),
        ("max_turns = 1.5", [], 78, "{file}: max_turns must be a whole number"),
        ("approve = 'maybe'", [], 78, "{file}: approve must be ask, always or refuse"),
        ("tool = [1]", [], 78, "{file}: tool must be a list of strings"),
        ("usage = 'yes'", [], 78, "{file}: usage must be true or false"),
        ("[profile.a]\nusage = 1", ["--profile", "a"], 78, "{file}, profile a: usage must be true or false"),
        ("[profile]\na = 1", [], 78, "{file}: profile.a must be a table, as in [profile.a]"),
        ("[profile.a]\nkeys = {}", [], 78, "{file}, profile a: keys stands at the top of the file only"),
        ("[aliases]\na = 1", [], 78, "{file}: aliases.a must be a string"),
        ("[aliases]\na = 'b'\nb = 'a'", ["-m", "a"], 78, "{file}: aliases in a circle: a -> b -> a"),
        ("[aliases]\na = ' '", ["-m", "a"], 78, "{file}: aliases.a must not be empty"),
        ("key_command = 'pass x'", [], 78, "{file}: key_command must be a list"),
        (
            "key_command = []",
            [],
            78,
            '{file}: key_command must be a list of strings, as in ["pass", "show", "comet"]',
        ),
        (
            "[profile.work]",
            ["--profile", "wrok"],
            2,
            "--profile: {file} has no profile 'wrok'\nhint: did you mean work?",
        ),
        (
            "",
            ["--profile", "x"],
            2,
            "--profile: {file} has no profile 'x'\nhint: [profile.NAME] in it makes one",
        ),
        (
            "default_profile = 'x'",
            [],
            78,
            "default_profile: {file} has no profile 'x'\nhint: [profile.NAME] in it makes one",
        ),
        ("", ["--profile", " "], 2, "--profile: must not be empty"),
        (
            "temperature = 9",
            [],
            2,
            "--temperature: must be between 0 and 2, not 9.0\nhint: --temperature is set in {file}",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_sent(
    forker: Forker, run: Command, text: str, words: list[str], code: int, message: str
) -> None:
    result = forker.run(with_config(run, text), ["ask", "hi", "--base-url", "http://127.0.0.1:9", "-m", "m", *words])
    expected = message.replace("{file}", run.environ["COMETRESP_CONFIG"])
    assert list(result) == [code, "", f"cometresp: error: {expected}\n"]


def test_a_damaged_file_leaves_help_and_version_alone(forker: Forker, run: Command) -> None:
    with_config(run, "= =")
    assert [forker.run(run, words).code for words in (["version"], ["help"], ["ask", "-h"], ["log"])] == [0, 0, 0, 78]


@pytest.mark.parametrize(
    ("profile", "base_url", "key", "source"),
    [
        ("work", None, "sk-work", "profile work"),
        ("work", "http://127.0.0.1:8/v1", "sk-8", "c.toml"),
        ("other", None, "sk-other", "profile other"),
        ("other", "http://127.0.0.1:9/v1", None, None),
        (None, None, "sk-top", "c.toml"),
    ],
)
def test_a_stored_key_belongs_to_one_base_url(
    tmp_path: Path, profile: str | None, base_url: str | None, key: str | None, source: str | None
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        '[keys]\n"https://api.cometapi.com" = "sk-top"\n"http://127.0.0.1:8" = "sk-8"\n'
        '[profile.work]\nbase_url = "http://127.0.0.1:9"\nkey = "sk-work"\n[profile.other]\nkey = "sk-other"\n'
    )
    config = load({"COMETRESP_CONFIG": str(path)}, base_url=base_url, profile=profile)
    assert (config.key.value if config.key else None) == key
    assert config.key is None or str(source) in config.key.source


def test_a_key_command_belongs_to_one_base_url_too(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('key_command = ["a"]\n[profile.p]\nbase_url = "http://127.0.0.1:9"\nkey_command = ["b"]\n')
    environ = {"COMETRESP_CONFIG": str(path)}
    commands = [
        load(environ, profile=profile, base_url=base_url).key_command
        for profile, base_url in ((None, None), ("p", None), (None, "http://127.0.0.1:9"), ("p", "http://127.0.0.1:8"))
    ]
    assert [command.words if command else None for command in commands] == [("a",), ("b",), None, None]
    assert load({**environ, "COMETAPI_KEY": "k"}).key_command is None


def test_aliases_of_a_profile_come_before_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[aliases]\na = 'x'\nb = 'y'\n[profile.p.aliases]\na = 'b'\n")
    config = load({"COMETRESP_CONFIG": str(path)}, profile="p")
    assert [config.model_of(name) for name in ("a", "b", "c")] == ["y", "y", "c"]
    path = tmp_path / "d.toml"
    path.write_text("model = 'a'\n[aliases]\na = 'a'\n")
    with pytest.raises(CometrespError, match="circle"):
        load({"COMETRESP_CONFIG": str(path)})


def test_completion_knows_aliases_profiles_and_what_a_profile_sets(forker: Forker, configured: Command) -> None:
    assert forker.run(configured, ["ask", "hi", "--profile", "json", "--chain", "off"]).code == 0

    def offered(line: str) -> list[str]:
        environ = {"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": f"cometresp {line}"}
        return forker.run(configured, [], env=environ).text.split("\n")[1:-1]

    assert offered("ask -m fa") == ["fast\talias of mini"]
    assert [line.split("\t")[0] for line in offered("ask --profile ")] == ["work", "json", "text"]
    assert [line.split("\t")[0] for line in offered("ask --profile json --chain ")] == ["off"]
    assert offered("ask --chain ") == []
