"""Commands in hints touch what the run touched: they have its --offline, --base-url and --chain."""

import json
import re
import shlex

import pytest

from cometresp.errors import CometrespError, Flags, Next
from tests.conftest import Command
from tests.scripted import Wire, created, delta, json_reply, response, sse

OFFLINE = [
    (["continue", "--offline", "hi"], "cometresp ask --offline … starts it"),
    (["continue", "--offline", "--chain", "a b", "hi"], "cometresp ask --chain 'a b' --offline … starts it"),
    (["stream", "--no-stream", "--offline", "hi"], "cometresp ask --offline --no-stream …"),
    (["ask", "--offline"], 'cometresp ask --offline "…", or … | cometresp ask --offline'),
    (["chains", "show", "nope", "--offline"], "cometresp chains --offline lists them"),
    (["chains", "--offline", "rm", "nope"], "cometresp chains --offline lists them"),
    (["chains", "rename", "--offline", "a", "b"], "cometresp chains --offline lists them"),
    (["log", "nope", "--offline"], "cometresp log --offline lists what is"),
    (["get", "last", "--offline"], "cometresp chains --offline lists what is"),
    (["cancel", "@nope", "--offline"], "cometresp chains --offline lists what is"),
]


@pytest.mark.parametrize(("words", "hint"), OFFLINE, ids=[" ".join(words) for words, _ in OFFLINE])
def test_a_hint_of_an_offline_run_is_offline(run: Command, words: list[str], hint: str) -> None:
    result = run(*words)
    assert (result.code, result.err.partition("\nhint: ")[2].startswith(hint)) == (2, True), result.err
    told = json.loads(run(*words, "--error-format", "json").err) if words[0] in ("continue", "ask") else None
    assert told is None or told["error"]["hint"].startswith(hint)


def test_a_command_of_a_hint_works_as_it_is_told(ask: Command, wire: Wire) -> None:
    wire.answer(sse(created("r1"), delta("half")), json_reply(response(response_id="r1")))
    server = ask.environ.pop("COMETAPI_BASE_URL")
    result = ask("ask", "--base-url", server, "--retries", "0", "hi")
    assert result.code == 69
    hint = re.search(r"hint: cometresp (get .*?) shows", result.err)
    assert hint is not None
    assert ask(*shlex.split(hint[1])).code == 0
    assert [(request.method, request.path) for request in wire.requests] == [
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/r1"),
    ]


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (Next("continue", "--from r1"), "cometresp continue --chain c --base-url 'http://x/v1?a=b c' --from r1"),
        (Next("get", "r1"), "cometresp get --base-url 'http://x/v1?a=b c' r1"),
        (Next("chains set", "a r1"), "cometresp chains set a r1"),
        (Next("log"), "cometresp log"),
    ],
)
def test_a_command_gets_the_flags_that_it_knows(command: Next, typed: str) -> None:
    flags = Flags(base_url="http://x/v1?a=b c", chain="c")
    assert command.typed(flags) == typed
    assert CometrespError("no", hint=("try: ", command)).for_run(flags).hint == f"try: {typed}"


FORMATS = [
    (["ask", "--nope", "--error-format", "json", "hi"], True),
    (["ask", "--error-format=json", "--timeout", "x", "hi"], True),
    (["--error-format", "json", "ask"], True),
    (["aks", "--error-format", "json"], True),
    (["chains", "--nope"], False),
    (["ask", "--timeout", "-1", "--", "--error-format=json"], False),
    (["ask", "--timeout", "-1", "-s", "--error-format=json", "hi"], False),
    (["ask", "--timeout", "-1", "say --error-format json"], False),
    (["ask", "--timeout", "-1", "-m", "--error-format", "json"], False),
]


@pytest.mark.parametrize(("words", "as_json"), FORMATS, ids=[" ".join(words) for words, _ in FORMATS])
def test_the_format_of_errors_is_a_flag_only_where_typer_takes_it_for_one(
    run: Command, words: list[str], as_json: bool
) -> None:
    result = run(*words)
    assert (result.code, result.err.startswith("{")) == (2, as_json), result.err
