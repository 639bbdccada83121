"""`doctor`: what is set and there, and with `--probe` what the server takes."""

import json
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command, Forker
from tests.jobs import job
from tests.scripted import Wire, error_reply, json_reply, message, response, text_stream
from tests.waiting import until

HEADINGS = ["versions", "settings", "files", "server", "terminal"]


def sections(text: str) -> dict[str, dict[str, str]]:
    """The printed facts by heading and name."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if not line.startswith(" "):
            found[line] = {}
        else:
            name, _, words = line.strip().partition(" ")
            found[next(reversed(found))][name] = words.strip()
    return found


def configured(command: Command, text: str) -> Path:
    path = command.home / ".config/cometresp/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def state(command: Command) -> Path:
    return command.home / ".local/state/cometresp/state.db"


def test_without_a_key_it_prints_all_the_same_and_ends_with_what_is_missing(forker: Forker, run: Command) -> None:
    result = forker.run(run, ["doctor"])
    shown = sections(result.text)
    assert list(shown) == [*HEADINGS, "problems"]
    assert (result.code, result.err.splitlines()[0]) == (
        77,
        "cometresp: error: no key for https://api.cometapi.com/v1: COMETAPI_KEY is not set",
    )
    assert shown["problems"]["1"] == "no key for https://api.cometapi.com/v1: COMETAPI_KEY is not set"
    assert shown["settings"]["timeout"] == "600 (default)"
    assert shown["files"]["config"] == f"{run.home}/.config/cometresp/config.toml · not there yet"
    assert shown["files"]["state"] == f"{state(run)} · not there yet"
    assert (shown["server"]["key"], shown["server"]["model"]) == ("none", "gpt-5.4 (default)")
    assert [shown["terminal"][name] for name in ("stdin", "stdout", "stderr")] == ["pipe"] * 3
    assert shown["terminal"]["redraws"] == "no: there is no terminal"
    assert list(run.home.iterdir()) == []


def test_offline_nothing_is_started_or_made(forker: Forker, run: Command) -> None:
    result = forker.run(run, ["doctor", "--offline"])
    shown = sections(result.text)
    assert (result.code, result.err, shown["server"]["base_url"]) == (0, "", "the emulator")
    assert (shown["settings"].get("base_url"), shown["settings"]["model"]) == (None, "emulator (default)")
    assert list(run.home.iterdir()) == []


@pytest.mark.parametrize(
    ("config", "env", "colour", "redraws"),
    [
        ("", {"NO_COLOR": "1"}, "no", "yes"),
        ("plain = true", {}, "yes", "no: --plain, or the setting, says so"),
        ("", {"TERM": "dumb"}, "no", "no: TERM names none that can be redrawn"),
        ("", {"CI": "1"}, "yes", "no: CI is set"),
    ],
)
def test_colour_and_redrawing_are_told_as_they_are_done(
    forker: Forker, run: Command, config: str, env: dict[str, str], colour: str, redraws: str
) -> None:
    configured(run, config)
    result = forker.run(run, ["doctor", "--offline"], terminal=True, env=env)
    shown = sections(re.sub("\x1b.*?m", "", result.text))["terminal"]
    assert (shown["colour"], shown["redraws"]) == (colour, redraws)


def test_what_is_recorded_is_counted_and_what_was_refused_is_told(forker: Forker, ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a"), error_reply(400, "previous_response_id is unknown here"), text_stream("b"))
    assert forker.run(ask, ["ask", "hi"]).code == 0
    assert forker.run(ask, ["continue", "hi"]).code == 0
    result = forker.run(ask, ["doctor"])
    shown = sections(result.text)
    assert (result.code, result.err) == (0, "")
    assert shown["files"]["state"].startswith(f"{state(ask)} · ")
    assert shown["files"]["state"].endswith(" kB · 1 chain, 2 turns · sound")
    assert shown["server"]["previous_response_id"] == (
        "refused now: for seven days it gets the recorded turns in its place"
    )
    assert len(wire.requests) == 3  # none of them is the doctor's


def test_on_a_terminal_its_facts_are_those_of_the_terminal(forker: Forker, ask: Command) -> None:
    result = forker.run(ask, ["doctor"], terminal=True, env={"TERM": "xterm-kitty"})
    shown = sections(result.text.replace("\x1b[1m", "").replace("\x1b[22m", ""))
    assert (result.code, "\x1b[1mversions\x1b[22m\n" in result.text) == (0, True)
    names = ("stdout", "size", "colour", "redraws", "links", "images", "progress")
    assert [shown["terminal"][name] for name in names] == [
        *("terminal", "80 columns, 24 rows", "yes", "yes", "yes", "kitty", "no"),
    ]


def test_secrets_are_masked(forker: Forker, run: Command) -> None:
    configured(
        run,
        'base_url = "https://h/v1?code=sk-query"\nheader = ["X-Team: sk-header"]\nmodel = "m"\n'
        '[keys]\n"https://h/v1" = "sk-listed"\n',
    )
    env = {"HTTPS_PROXY": "http://user:sk-proxy@127.0.0.1:9"}
    for words in (["doctor"], ["doctor", "--json"]):
        result = forker.run(run, words, env=env)
        assert (result.code, result.err, "sk-" in result.text) == (0, "", False)
    facts = json.loads(result.out)
    path = f"{run.home}/.config/cometresp/config.toml"
    assert (facts["server"]["base_url"], facts["server"]["key"]) == ("https://h/v1?code=***", path)
    assert facts["server"]["network"]["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert facts["settings"][0] == {"name": "model", "value": "m", "source": path}
    assert (list(facts), facts["problems"]) == ([*HEADINGS, "problems"], [])
    assert facts["files"]["config"] == {"path": path, "exists": True, "faults": 0}


@pytest.mark.parametrize(
    ("text", "code", "messages"),
    [
        ("a =\n", 78, ["{path}: not valid TOML: Invalid value (at line 1, column 4)"]),
        ("bell = 2\nmodle = 3\n", 78, ["{path}: bell must be true or false", "{path}: unknown setting 'modle'"]),
        ("timeout = -1\n", 2, ["--timeout: must be more than 0 and at most 10000000 seconds, not -1"]),
        ('base_url = "x"\n', 78, ["{path}: 'x' is not a web address; it must start with https:// or http://"]),
        ('default_profile = "x"\n', 78, ["default_profile: {path} has no profile 'x'"]),
        ('key_command = ["touch", "ran"]\n', 0, []),
    ],
)
def test_a_file_with_faults_is_told_and_the_rest_is_printed(
    forker: Forker, run: Command, text: str, code: int, messages: list[str]
) -> None:
    path = configured(run, text)
    result = forker.run(run, ["doctor"])
    expected = [message.format(path=path) for message in messages]
    problems = sections(result.text).get("problems", {})
    assert (result.code, [problems[str(n)] for n, _ in enumerate(expected, 1)]) == (code, expected)
    assert result.err.splitlines()[:1] == [f"cometresp: error: {message}" for message in expected[:1]]
    assert {"versions", "settings", "files", "terminal"} <= sections(result.text).keys()
    assert not (run.home / "ran").exists()
    document = forker.run(run, ["doctor", "--json"])
    assert [one["message"] for one in json.loads(document.out)["problems"]][: len(expected)] == expected


def test_a_damaged_state_file_is_told_and_left_where_it_is(forker: Forker, ask: Command, wire: Wire) -> None:
    wire.answer(text_stream("a"))
    assert forker.run(ask, ["ask", "hi"]).code == 0
    for damage in (b"no database at all" * 1000, state(ask).read_bytes()[:8192]):
        state(ask).write_bytes(damage)
        result = forker.run(ask, ["doctor"])
        assert (result.code, result.err.splitlines()[0]) == (
            73,
            f"cometresp: error: the state file {state(ask)}: it is damaged",
        )
        assert state(ask).read_bytes() == damage


# --probe ------------------------------------------------------------------------------------------------------------


def usage(tokens: int) -> dict[str, int]:
    return {"input_tokens": tokens, "output_tokens": 2, "total_tokens": tokens + 2}


def reply(response_id: str, tokens: int = 5, **more: Any) -> bytes:
    return json_reply(response(message("hi"), response_id=response_id, usage=usage(tokens), **more))


def test_a_probe_sends_one_request_each_and_records_nothing(forker: Forker, ask: Command, wire: Wire) -> None:
    models = json_reply({"object": "list", "data": [{"id": "m"}, {"id": "n"}]})
    wire.answer(models, reply("r1"), reply("r1"), reply("r2", 12), reply("r3", status="queued"))
    result = forker.run(ask, ["doctor", "--probe"])
    shown = sections(result.text)["probe"]
    assert (result.code, result.err) == (0, "")
    sends = f"five requests to {wire.url}; 3 of them ask m for at most 16 tokens each: its price isn't known"
    assert shown.pop("sends") == sends
    assert {name: words.rpartition(" · ")[0] for name, words in shown.items()} == {
        "models": "yes · 2 models",
        "response": "yes · completed, 5 tokens in, 2 out",
        "get": "yes · completed",
        "previous_response_id": "yes · completed, 12 tokens in, 2 out",
        "background": "yes · queued, 5 tokens in, 2 out",
    }
    assert [(one.method, one.path) for one in wire.requests] == [
        ("GET", "/v1/models"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/r1"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/responses"),
    ]
    asked = {"model": "m", "input": "Say hello.", "max_output_tokens": 16}
    assert [one.json() for one in wire.requests if one.method == "POST"] == [
        {**asked, "stream": True},
        {**asked, "previous_response_id": "r1", "stream": True},
        {**asked, "background": True, "store": True},
    ]
    assert not state(ask).exists()


def test_what_a_server_lacks_is_told_and_no_error(forker: Forker, ask: Command, wire: Wire) -> None:
    refused = error_reply(400, "no such parameter")
    wire.answer(error_reply(404, "no"), error_reply(404, "no"), reply("r1"), error_reply(404, "gone"), refused, refused)
    result = forker.run(ask, ["doctor", "--probe", "--json", "--retries", "0"])
    facts = json.loads(result.out)
    assert (result.code, facts["problems"], facts["cost_at_most"]) == (0, [], None)
    assert {one["name"]: one["works"] for one in facts["probe"]} == {
        "models": False,
        "response": True,
        "get": False,
        "previous_response_id": False,
        "background": False,
    }


def test_without_a_response_the_rest_is_not_tried(forker: Forker, ask: Command, wire: Wire) -> None:
    wire.answer(json_reply({"data": [{"id": "m"}]}), error_reply(401, "no such key"))
    result = forker.run(ask, ["doctor", "--probe", "--retries", "0"])
    shown = sections(result.text)["probe"]
    assert (result.code, result.err.splitlines()[0][:34]) == (77, "cometresp: error: HTTP 401: no suc")
    assert [shown[name] for name in ("get", "previous_response_id", "background")] == [
        "- · not tried: there is no response"
    ] * 3
    assert len(wire.requests) == 2


def test_nothing_is_sent_where_it_could_only_fail(forker: Forker, run: Command) -> None:
    result = forker.run(run, ["doctor", "--probe"])
    assert (result.code, sections(result.text)["probe"]) == (
        77,
        {"sends": "nothing: no key for https://api.cometapi.com/v1: COMETAPI_KEY is not set"},
    )
    assert json.loads(forker.run(run, ["doctor", "--probe", "--json"]).out)["probe"] == []


def test_an_interrupt_ends_a_probe(ask: Command, wire: Wire) -> None:
    over = threading.Event()

    def stall(*_: object) -> None:
        over.wait(60)

    wire.answer(stall)
    with job(["doctor", "--probe"], ask.environ, ask.home) as probing:
        until(lambda: wire.requests)
        probing.send(signal.SIGINT)
        assert probing.ended() == 130
        assert probing.screen.endswith("cometresp: error: interrupted\n")
    over.set()
    assert len(wire.requests) == 1


def test_a_probe_of_the_emulator_needs_nothing(forker: Forker, run: Command) -> None:
    result = forker.run(run, ["doctor", "--probe", "--offline", "--json"])
    facts = json.loads(result.out)
    assert (result.code, result.err, [one["works"] for one in facts["probe"]]) == (0, "", [True] * 5)
    assert [path.name for path in run.home.rglob("state.db")] == []


def test_a_known_price_is_told_before_anything_is_sent(forker: Forker, ask: Command, wire: Wire) -> None:
    priced = {"id": "m", "code": "m", "pricing": {"currency": "USD", "input": 10, "output": 100}}
    wire.answer(json_reply({"success": True, "data": [priced]}))
    assert forker.run(ask, ["models"]).code == 0
    wire.answer(json_reply({"data": [{"id": "m"}]}), error_reply(401, "no"))
    shown = sections(forker.run(ask, ["doctor", "--probe"]).text)["probe"]
    assert shown["sends"].endswith("ask m for at most 16 tokens each: at most ~$0.0078 by the list price")
