"""`config show`, `config get` and `doctor` print what a request has, whatever the places in which it is set."""

import json
from typing import Any

import pytest

from tests.conftest import Command, Forker
from tests.settings.test_defaults import with_config

JSON = {"format": {"type": "json_object"}}
HIGH, LOW = {"reasoning": {"effort": "high"}}, {"reasoning": {"effort": "low"}}
PLACES: list[tuple[str, dict[str, str], str, Any, dict[str, Any]]] = [
    ('reasoning_effort = "high"', {}, "reasoning_effort", "high", HIGH),
    ('effort = "low"', {}, "reasoning_effort", "low", LOW),
    ('effort = "high"\n[profile.p]\nreasoning_effort = "low"', {}, "reasoning_effort", "low", LOW),
    ('reasoning_effort = "high"\n[profile.p]\neffort = "low"', {}, "reasoning_effort", "low", LOW),
    ('reasoning_effort = "high"\n[profile.p]\neffort = ""', {}, "reasoning_effort", "high", HIGH),
    ('reasoning_effort = " "\n', {}, "reasoning_effort", None, {"reasoning": None}),
    ('model = "a"\n[profile.p]\nmodel = " "', {}, "model", "a", {"model": "a"}),
    ('model = "a"\n[profile.p]\nmodel = "b"', {"COMETAPI_DEFAULT_MODEL": "c"}, "model", "c", {"model": "c"}),
    ("offline = true\n[profile.p]\n", {}, "model", "emulator", {"model": "emulator"}),
    ('offline = true\n[profile.p]\nbase_url = "http://127.0.0.1:9"\nmodel = "m"', {}, "offline", False, {"model": "m"}),
    ('tool = "shell"', {}, "tool", ["shell"], {"tools": [{"type": "shell"}]}),
    ('tool = ["shell"]\n[profile.p]\ntool = []', {}, "tool", [], {"tools": None}),
    ("schema = 'a'\n[profile.p]\njson_object = true", {}, "schema", None, {"text": JSON}),
    ("json_object = true\n[profile.p]\njson_object = false", {}, "json_object", False, {"text": None}),
    ("temperature = 1", {}, "temperature", 1, {"temperature": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "env", "name", "value", "body"), PLACES, ids=range(len(PLACES)))
def test_what_is_shown_is_what_is_sent(
    forker: Forker, run: Command, text: str, env: dict[str, str], name: str, value: Any, body: dict[str, Any]
) -> None:
    with_config(run, text)
    env = {**env, "COMETRESP_PROFILE": "p"} if "profile.p" in text else env
    rows = json.loads(forker.run(run, ["config", "--all", "--json"], env=env).out)
    assert {row["name"]: row["value"] for row in rows}[name] == value
    got = forker.run(run, ["config", "get", name], env=env)
    expected = "" if value is None else f"{value if isinstance(value, str) else json.dumps(value)}\n"
    assert (got.code, got.text) == (2 if value is None else 0, expected)
    sent = forker.run(run, ["ask", "--dry-run", "hi"], env=env)
    assert (sent.err, {field: json.loads(sent.text).get(field) for field in body}) == ("", body)


def test_doctor_has_the_same_settings_as_config(forker: Forker, run: Command) -> None:
    with_config(run, 'effort = "high"\noffline = true\n[profile.p]\nreasoning_effort = "low"\n')
    env = {"COMETRESP_PROFILE": "p"}
    shown = json.loads(forker.run(run, ["config", "--json"], env=env).out)
    assert json.loads(forker.run(run, ["doctor", "--json"], env=env).out)["settings"] == shown
    assert {row["name"] for row in shown} & {"base_url", "key"} == set()


def test_two_names_of_a_flag_in_one_place_are_an_error_of_each_command(forker: Forker, run: Command) -> None:
    path = with_config(run, 'reasoning_effort = "high"\neffort = "low"\n').environ["COMETRESP_CONFIG"]
    error = f"cometresp: error: {path}: reasoning_effort and effort are the same flag\n"
    for words in (["ask", "--dry-run", "hi"], ["config", "show"], ["config", "get", "effort"]):
        result = forker.run(run, words)
        assert (words, result.code, result.err) == (words, 78, error)


def test_a_key_is_shown_only_where_it_would_be_sent(forker: Forker, run: Command) -> None:
    with_config(run, '[profile.p]\nbase_url = "http://127.0.0.1:9"\nkey = "sk-work"\n')
    for env, value in (({}, "***"), ({"COMETAPI_BASE_URL": "http://127.0.0.1:8"}, None)):
        rows = json.loads(forker.run(run, ["config", "--profile", "p", "--all", "--json"], env=env).out)
        assert next(row["value"] for row in rows if row["name"] == "key") == value


def test_a_blank_name_is_a_fault_for_every_command_and_no_bug(forker: Forker, run: Command) -> None:
    (run.home / "c.toml").write_text('"" = ""\n')
    environ = {"COMETRESP_CONFIG": str(run.home / "c.toml")}
    lines = (["config", "show"], ["config", "set", "model", "x"], ["ask", "--dry-run", "hi"], ["doctor", "--offline"])
    results = [forker.run(run, words, env=environ) for words in lines]
    told = [(result.code, "unknown setting ''" in result.err) for result in results]
    assert told == [(78, True), (0, False), (78, True), (78, True)]  # `set` changes one setting of a file with faults
