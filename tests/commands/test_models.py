"""`models`: the catalogue of a server or its list of ids, in a pipe and on a terminal; kept for a day."""

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cometresp.catalogue.cache import cache_file
from tests.conftest import Command, Forker
from tests.scripted import Request, Wire, error_reply, json_reply, reply, text_stream

SMALL = {
    "id": "gpt-mini",
    "code": "gpt-mini-code",
    "name": "GPT Mini",
    "provider": "OpenAI",
    "provider_code": "openai",
    "model_type": "text",
    "features": ["text"],
    "endpoints": '["openai", "openai-response"]',
    "pricing": {"currency": "USD", "input": 0.25, "output": 2, "per_request": None, "per_second": None},
    "context_length": 400_000,
    "max_completion_tokens": 128_000,
}
LARGE = {
    "id": "claude-big",
    "provider": "Anthropic",
    "endpoints": {"anthropic": {"path": "/v1/messages"}, "responses": {}},
    "pricing": {"currency": "USD", "input": 15, "output": 75},
    "context_length": 1_000_000,
}
PICTURE = {"id": "picture", "provider": "OpenAI", "endpoints": ["responses"], "pricing": {"per_request": 0.04}}
CHAT = {"id": "chat-only", "provider": "Other", "endpoints": ["openai"], "pricing": {"input": 1, "output": 1}}
UNKNOWN = {"id": "unknown", "owned_by": "me"}
ALL = [SMALL, LARGE, PICTURE, CHAT, UNKNOWN]

CATALOGUE = json_reply({"success": True, "page_size": 0, "total": len(ALL), "data": ALL})
IDS = json_reply({"object": "list", "data": [{"id": "a", "object": "model", "owned_by": "o"}, {"id": "b"}]})
PAGE = reply(200, "<!doctype html><title>Console</title>", "text/html")
NOT_FOUND = error_reply(404, "Invalid URL")
HALF = reply(200, '{"success": true, "data": [{"id": "gpt')
REDIRECT = reply(302, location="https://example.com/login")


def by_path(catalogue: bytes, models: bytes = NOT_FOUND) -> Callable[[Request, socket.socket], None]:
    def script(request: Request, connection: socket.socket) -> None:
        connection.sendall(catalogue if "/api/models" in request.path else models)

    return script


def made_old(home: Path, url: str, seconds: float = 90_000) -> Path:
    """The cache of a server, as if it had been written so long ago."""
    path = cache_file(home / ".cache/cometresp", url)
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(json.dumps({**json.loads(first), "fetched": time.time() - seconds}).encode() + b"\n" + rest)
    return path


def test_models_come_from_the_catalogue_without_the_key_and_are_kept(ask: Command, wire: Wire) -> None:
    wire.answer(by_path(CATALOGUE, IDS))
    lines = (
        "gpt-mini\tOpenAI\t400000\t0.25\t2\t\nclaude-big\tAnthropic\t1000000\t15\t75\t\n"
        "picture\tOpenAI\t\t\t\t0.04\nunknown\tme\t\t\t\t\n"
    )
    results = ask.each([["models"], ["models"], ["models", "--refresh"]])
    assert [list(result) for result in results] == [[0, lines, ""]] * 3
    assert [(request.path, request.headers.get("authorization")) for request in wire.requests] == [
        ("/api/models", None),
        ("/api/models", None),
    ]


def test_models_as_json_have_the_servers_own_objects(ask: Command, wire: Wire) -> None:
    wire.answer(by_path(CATALOGUE))
    found = json.loads(ask("models", "--json", "--provider", "openai").out)
    assert found == [
        {
            "id": "gpt-mini",
            "code": "gpt-mini-code",
            "name": "GPT Mini",
            "provider": "OpenAI",
            "type": "text",
            "endpoints": ["chat", "responses"],
            "features": ["text"],
            "context": 400_000,
            "max_output": 128_000,
            "price": {"input": 0.25, "output": 2.0, "cached_input": None, "per_request": None},
            "entry": SMALL,
        },
        {
            "id": "picture",
            "code": None,
            "name": "picture",
            "provider": "OpenAI",
            "type": None,
            "endpoints": ["responses"],
            "features": [],
            "context": None,
            "max_output": None,
            "price": {"input": None, "output": None, "cached_input": None, "per_request": 0.04},
            "entry": PICTURE,
        },
    ]


FILTERS = [
    ([], "gpt-mini claude-big picture unknown"),
    (["--endpoint", "any"], "gpt-mini claude-big picture chat-only unknown"),
    (["--endpoint", "ANY", "chat"], "chat-only"),
    (["--endpoint", "responses"], "gpt-mini claude-big picture"),
    (["--endpoint", "/v1/chat/completions"], "gpt-mini chat-only"),
    (["mini"], "gpt-mini"),
    (["GPT", "openai"], "gpt-mini"),
    (["gpt openai"], "gpt-mini"),
    (["gpt", "anthropic"], ""),
    (["--provider", "anthropic"], "claude-big"),
    (["--provider", "anthro"], ""),
    (["--sort", "price"], "picture gpt-mini claude-big unknown"),
    (["--sort", "context"], "claude-big gpt-mini picture unknown"),
    (["--sort", "name", "--endpoint", "any"], "chat-only claude-big gpt-mini picture unknown"),
]


def test_models_are_filtered_and_sorted(ask: Command, wire: Wire) -> None:
    wire.answer(by_path(CATALOGUE))
    results = ask.each(["models", *words] for words, _ in FILTERS)
    shown = [" ".join(line.split("\t")[0] for line in result.text.splitlines()) for result in results]
    assert list(zip([words for words, _ in FILTERS], shown, strict=True)) == FILTERS
    assert ({result.code for result in results}, {result.err for result in results}) == ({0}, {""})


LISTED = "a\to\t\t\t\t\nb\t\t\t\t\t\n"
KEYLESS = (
    "no key for {url}: COMETAPI_KEY is not set\n"
    "hint: export COMETAPI_KEY=… or try without one: cometresp ask --offline …"
)
LACKS = "the server doesn't list its models: "
CHECK = "\nhint: is the base URL right? it usually ends in /v1"


@pytest.mark.parametrize(
    ("catalogue", "models", "code", "out", "said"),
    [
        (NOT_FOUND, IDS, 0, LISTED, ""),
        (PAGE, IDS, 0, LISTED, ""),
        (HALF, IDS, 0, LISTED, ""),
        (REDIRECT, IDS, 0, LISTED, ""),
        (reply(200), IDS, 0, LISTED, ""),
        (error_reply(401), IDS, 0, LISTED, ""),
        (error_reply(500), IDS, 0, LISTED, ""),
        (json_reply({"success": False, "message": "no"}), IDS, 0, LISTED, ""),
        (json_reply({"success": True, "data": []}), IDS, 0, LISTED, ""),
        (json_reply({"data": [{"title": "none of ours"}]}), IDS, 0, LISTED, ""),
        (NOT_FOUND, json_reply({"models": ["a", "b"]}), 0, "a\t\t\t\t\t\nb\t\t\t\t\t\n", ""),
        (NOT_FOUND, json_reply({"object": "list", "data": []}), 0, "", ""),
        (NOT_FOUND, NOT_FOUND, 65, "", f"{LACKS}HTTP 404: Invalid URL"),
        (PAGE, PAGE, 76, "", f"{LACKS}the reply to GET /v1/models is text/html{CHECK}"),
        (HALF, HALF, 76, "", f"{LACKS}the reply to GET /v1/models is JSON that is cut or broken{CHECK}"),
        (
            PAGE,
            REDIRECT,
            76,
            "",
            f"{LACKS}HTTP 302, to https://example.com/login\n"
            "hint: redirects are not followed; is the base URL right? it usually ends in /v1",
        ),
        (NOT_FOUND, error_reply(401, "bad key"), 77, "", "HTTP 401: bad key\nhint: check the key in COMETAPI_KEY"),
        (
            error_reply(503, "busy"),
            error_reply(503, "busy"),
            69,
            "",
            "HTTP 503: busy\nhint: the server is overloaded or down: try again later",
        ),
        (NOT_FOUND, error_reply(429, "slowly"), 75, "", "HTTP 429: slowly"),
    ],
    ids=range(19),
)
def test_a_server_without_a_catalogue_is_asked_for_its_ids(
    ask: Command, wire: Wire, forker: Forker, catalogue: bytes, models: bytes, code: int, out: str, said: str
) -> None:
    wire.answer(by_path(catalogue, models))
    result = forker.run(ask, ["models", "--retries", "0"])
    assert list(result) == [code, out, f"cometresp: error: {said}\n" if said else ""]
    assert [(request.path, request.headers.get("authorization")) for request in wire.requests] == [
        ("/api/models", None),
        ("/v1/models", "Bearer sk-test"),
    ]


def test_models_need_no_key_where_the_server_needs_none(run: Command, wire: Wire, forker: Forker) -> None:
    url = f"http://example.localhost:{wire.port}/gateway/v1?api-version=2"
    wire.answer(by_path(NOT_FOUND, IDS))
    assert list(forker.run(run, ["models", "--base-url", url, "-H", "X-Org: me", "-H", "Api-Key: k"])) == [
        0,
        LISTED,
        "",
    ]
    asked = [(request.path, request.headers.get("x-org"), request.headers.get("api-key")) for request in wire.requests]
    assert asked == [("/gateway/api/models?api-version=2", "me", None), ("/gateway/v1/models?api-version=2", "me", "k")]


def test_an_unreachable_server_is_tried_once_for_both_lists(run: Command, forker: Forker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    result = forker.run(run, ["models", "--base-url", url, "--retries", "0"])
    said = f"cometresp: error: {url} can't be reached: Connection refused\nhint: the address is from --base-url\n"
    assert list(result) == [69, "", said]


def test_an_old_list_is_fetched_again_and_has_to_do_where_that_fails(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(by_path(json_reply({"data": [SMALL]})))
    line = "gpt-mini\tOpenAI\t400000\t0.25\t2\t\n"
    assert list(forker.run(ask, ["models"])) == [0, line, ""]
    made_old(ask.home, wire.url)
    # the list of ids has no prices: it doesn't take the place of a catalogue that is only down for a while
    wire.answer(by_path(error_reply(503, "busy"), IDS))
    warning = "cometresp: warning: HTTP 503: busy; these models were fetched 1 d ago\n"
    assert list(forker.run(ask, ["models", "--retries", "0"])) == [0, line, warning]
    assert list(forker.run(ask, ["models", "--retries", "0", "-q"])) == [0, line, ""]
    assert forker.run(ask, ["models", "--retries", "0", "--refresh"]).code == 69
    wire.answer(by_path(NOT_FOUND, error_reply(401)))
    assert forker.run(ask, ["models"]).code == 77
    wire.answer(by_path(CATALOGUE))
    assert forker.run(ask, ["models"]).text.count("\n") == 4
    assert forker.run(ask, ["models"]).text.count("\n") == 4
    assert [request.path for request in wire.requests] == ["/api/models"] * 5 + ["/v1/models", "/api/models"]


@pytest.mark.parametrize("damage", [b"", b"\x00\xff", b"<html>", b'{"format": 1}\n[]', b"{}\n{"])
def test_a_damaged_cache_is_fetched_again(ask: Command, wire: Wire, forker: Forker, damage: bytes) -> None:
    path = cache_file(ask.home / "elsewhere", wire.url)
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    ask.environ["COMETRESP_CACHE_DIR"] = "~/elsewhere"
    wire.answer(by_path(json_reply([SMALL])))
    results = [list(forker.run(ask, ["models"])) for _ in range(2)]
    assert results == [[0, "gpt-mini\tOpenAI\t400000\t0.25\t2\t\n", ""]] * 2
    assert (len(wire.requests), path.stat().st_mode & 0o777) == (1, 0o600)


def test_what_is_odd_about_a_list_is_told_once(ask: Command, wire: Wire, forker: Forker) -> None:
    odd = [
        {"id": "a\x1b[31m", "pricing": {"input": "on\x1b[1m request", "output": 1}},
        {"id": "b\tc", "pricing": "call us"},
    ]
    wire.answer(by_path(json_reply({"data": odd, "total": 3})))
    lines = "a\\x1b[31m\t\t\t\t\t\nb c\t\t\t\t\t\n"
    warnings = (
        "cometresp: warning: the server lists only 2 of its 3 models\n"
        "cometresp: warning: the price of a\\x1b[31m is not a number but 'on\\x1b[1m request' (and 1 more); "
        "it counts as unknown\n"
    )
    assert [list(forker.run(ask, ["models"])) for _ in range(2)] == [[0, lines, warnings], [0, lines, ""]]


def test_a_list_that_cant_be_kept_is_printed(ask: Command, wire: Wire, forker: Forker) -> None:
    (ask.home / "file").write_text("")
    ask.environ["COMETRESP_CACHE_DIR"] = str(ask.home / "file")
    wire.answer(by_path(json_reply([UNKNOWN])))
    warning = f"cometresp: warning: the list of models can't be kept in {ask.home}/file: File exists\n"
    assert list(forker.run(ask, ["models"])) == [0, "unknown\tme\t\t\t\t\n", warning]


def test_the_request_for_the_catalogue_is_shown(ask: Command, wire: Wire) -> None:
    url = f"http://127.0.0.1:{wire.port}/api/models"
    results = ask.each([["models", "--dry-run"], ["models", "--curl", "-H", "X-Api-Key: k", "-H", "X-Org: o"]])
    assert [list(result) for result in results] == [
        [0, f"GET {url}\n", ""],
        [0, f"curl -sS --noproxy '*' '{url}' \\\n  -H 'Accept: application/json' \\\n  -H 'X-Org: '\"$X_ORG\"\n", ""],
    ]
    assert wire.requests == []


def test_bad_flags_are_found_before_anything_is_sent(ask: Command, wire: Wire) -> None:
    results = ask.each([["models", "--provider", ""], ["models", "--endpoint", " "], ["models", "--sort", "size"]])
    assert [(result.code, result.err.splitlines()[0]) for result in results] == [
        (2, "cometresp: error: --provider: must not be empty"),
        (2, "cometresp: error: --endpoint: must not be empty"),
        (2, "cometresp: error: --sort: 'size' is not one of price, context, name"),
    ]
    assert wire.requests == []


# on a terminal --------------------------------------------------------------------------------------------------------

WIDE = """\
MODEL              PROVIDER   CONTEXT  IN $/M  OUT $/M
emulator           cometresp   400K     2.00    8.00
emulator-mini      cometresp   400K     0.40    1.60
emulator-large     Example    1.05M    15.00   60.00
emulator-free      Example    8.19K     0.00    0.00
emulator-unpriced  Example
emulator-image     Example                     0.04/request
6 of 7 models for responses (--endpoint any: all)
"""
LESS = """\
MODEL              CONTEXT  IN $/M  OUT $/M
emulator            400K     2.00    8.00
emulator-mini       400K     0.40    1.60
emulator-large     1.05M    15.00   60.00
emulator-free      8.19K     0.00    0.00
emulator-unpriced
emulator-image                      0.04/request
6 of 7 models · fetched now
"""
FORTY = """\
MODEL              IN $/M  OUT $/M
emulator            2.00    8.00
emulator-mini       0.40    1.60
emulator-large     15.00   60.00
emulator-free       0.00    0.00
emulator-unpriced
emulator-image             0.04/request
6 of 7 models · fetched now
"""
LEAST = """\
MODEL     IN $/M  OUT $/M
emulator  0.40    1.60
-mini
1 of 7 models
"""
NARROW = """\
MODEL          IN $/M  OUT $/M
emulator       2.00    8.00
emulator-mini  0.40    1.60
2 of 7 models · fetched now
"""
NO_PRICES = """\
MODEL    PROVIDER
unknown  me
1 model
"""


def shown(result: Any) -> str:
    """What a terminal shows, without styles, blanks at the ends of lines, and the notice if the list takes a second."""
    import re

    text = re.sub(r"\x1b\[[0-9;]*m", "", result.out.decode()).replace("\r\n", "\n")
    text = text.removeprefix("waiting for the list of models\n")
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def test_a_table_fits_the_window_and_says_from_when_it_is(
    run: Command, ask: Command, wire: Wire, forker: Forker
) -> None:
    wide = forker.run(run, ["models", "--offline"], env={"COLUMNS": "80"}, terminal=True)
    less = [
        forker.run(run, ["models", "--offline", *words], env={"COLUMNS": columns}, terminal=True)
        for columns, *words in (("58",), ("40",), ("25", "mini"))
    ]
    narrow = forker.run(run, ["models", "--offline", "cometresp"], env={"COLUMNS": "36"}, terminal=True)
    wire.answer(by_path(json_reply([UNKNOWN])))
    bare = forker.run(ask, ["models"], env={"COLUMNS": "80"}, terminal=True)
    assert [shown(result) for result in (wide, *less, narrow, bare)] == [WIDE, LESS, FORTY, LEAST, NARROW, NO_PRICES]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "no models match"),
        (["chat-only"], "no models for responses match, but 1 for others: --endpoint any lists them"),
        (["--provider", "Opnai"], "no models of the provider Opnai; providers: Anthropic, me, OpenAI, Other"),
        (["--endpoint", "video"], "no models for the endpoint video; endpoints: anthropic, chat, responses"),
    ],
)
def test_a_terminal_is_told_why_there_are_none(
    ask: Command, wire: Wire, forker: Forker, words: list[str], said: str
) -> None:
    wire.answer(by_path(CATALOGUE))
    assert shown(forker.run(ask, ["models", *words], env={"COLUMNS": "80"}, terminal=True)) == f"{said}\n"


# what is made of the list elsewhere -----------------------------------------------------------------------------------


def test_an_unknown_model_is_answered_with_the_nearest_names(ask: Command, wire: Wire, forker: Forker) -> None:
    lines = [["ask", "-m", "gpt-mni", "hi"], ["ask", "-m", "xyzzy", "hi"], ["ask", "-m", "chat-only", "hi"]]
    unknown = error_reply(503, "no channel", "model_not_found")
    wire.answer(unknown)
    before = forker.run(ask, lines[0]).err
    wire.answer(by_path(CATALOGUE))
    forker.run(ask, ["models"])
    wire.answer(unknown)
    hints = [forker.run(ask, line).err.splitlines()[1] for line in lines]
    assert [before.splitlines()[1], *hints] == [
        "hint: -m MODEL names another model; cometresp models lists those of the server",
        "hint: did you mean gpt-mini? cometresp models lists the server's models",
        "hint: -m MODEL names another model; cometresp models lists those of the server",
        "hint: the catalogue has it for chat, not for responses; cometresp models lists the server's models",
    ]


def test_a_failed_answer_names_the_nearest_models_too(ask: Command, wire: Wire, forker: Forker) -> None:
    wire.answer(by_path(CATALOGUE))
    forker.run(ask, ["models"])
    wire.answer(text_stream(status="failed", error={"code": "model_not_found", "message": "no such model"}))
    assert list(forker.run(ask, ["ask", "-m", "gptmini", "hi"])) == [
        1,
        "",
        "cometresp: error: resp_1 failed (model_not_found): no such model\n"
        "hint: did you mean gpt-mini? cometresp models lists the server's models\n",
    ]


def test_a_run_without_a_model_is_told_what_lists_them(run: Command, wire: Wire, forker: Forker) -> None:
    result = forker.run(run, ["ask", "--base-url", wire.url, "hi"])
    assert result.err == (
        f"cometresp: error: no model: {wire.url} has no default one\n"
        "hint: -m MODEL or COMETAPI_DEFAULT_MODEL names it; "
        f"cometresp models --base-url {wire.url} lists them\n"
    )


def completed(run: Command, line: str) -> list[str]:
    asked = {"_COMETRESP_COMPLETE": "fish", "_COMETRESP_LINE": f"cometresp {line}"}
    return run(env=asked).text.splitlines()[1:]


def test_completion_offers_the_models_that_were_listed_after_those_that_were_used(ask: Command, wire: Wire) -> None:
    wire.answer(by_path(CATALOGUE))
    ask("models")
    ask("ask", "--no-stream", "-m", "picture", "hi")  # refused, but not offered for that
    wire.answer(json_reply({"id": "r", "object": "response", "status": "completed", "output": []}))
    for model in ("other", "claude-big"):
        ask("ask", "-m", model, "hi")
    wire.requests.clear()
    assert completed(ask, "ask -m ") == [
        "claude-big\tAnthropic · 1M · $15.00 in, $75.00 out",
        "other\t",
        "gpt-mini\tOpenAI · 400K · $0.25 in, $2.00 out",
        "picture\tOpenAI",
        "unknown\tme",
    ]
    assert completed(ask, "ask -m gp") == ["gpt-mini\tOpenAI · 400K · $0.25 in, $2.00 out"]
    assert completed(ask, "ask --base-url http://127.0.0.1:1/v1 -m g") == []
    assert completed(ask, "models --provider ")[0] == "OpenAI\t2 models"
    assert completed(ask, "models --endpoint r") == ["responses\t3 models"]
    config = ask.home / ".config/cometresp/config.toml"
    config.parent.mkdir(parents=True)
    url = ask.environ.pop("COMETAPI_BASE_URL")
    config.write_text(f'[aliases]\nbest = "gpt-mini"\n[profile.p]\nbase_url = "{url}"\n')
    assert completed(ask, "ask --profile p -m b") == ["best\talias of gpt-mini"]
    assert completed(ask, "ask --profile p -m g") == ["gpt-mini\tOpenAI · 400K · $0.25 in, $2.00 out"]
    assert completed(ask, "ask -m g") == []
    path = cache_file(Path(ask.environ["HOME"]) / ".cache/cometresp", wire.url)
    path.write_bytes(os.urandom(100))
    assert completed(ask, "ask --profile=p -m ") == ["best\talias of gpt-mini", "claude-big\t", "other\t"]
    assert wire.requests == []
