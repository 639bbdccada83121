"""The input of `batch`: requests, prompts, columns and bad lines; what is printed of them without sending."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.batch.asked import RESPONSE, USAGE, answering, lines_of, requests_in
from tests.conftest import Command, Result
from tests.scripted import Wire, text_stream


def test_requests_of_all_forms_are_sent_and_answered_in_one_line_each(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    source = requests_in(
        ask.home,
        "a",
        {"prompt": "b", "temperature": 0, "custom_id": "two"},
        {"custom_id": "three", "method": "POST", "url": "/v1/responses", "body": {"model": "own", "input": "c"}},
        {"input": "d", "reasoning": {"effort": "high"}},
    )
    found = batch(source, "--effort", "low", "--reasoning-summary", "auto", "--temperature", "1", "--ordered")
    assert (found.code, found.err) == (0, "")
    lines = [json.loads(line) for line in found.text.splitlines()]
    assert [(line["custom_id"], line["id"], line["error"]) for line in lines] == [
        ("line-1", "batch_req_resp_a", None),
        ("two", "batch_req_resp_b", None),
        ("three", "batch_req_resp_c", None),
        ("line-4", "batch_req_resp_d", None),
    ]
    assert lines[0]["response"] == {
        "status_code": 200,
        "request_id": None,
        "body": RESPONSE,
    }
    low = {"model": "m", "reasoning": {"effort": "low", "summary": "auto"}, "stream": True, "temperature": 1.0}
    assert sorted(wire.bodies(), key=lambda body: str(body["input"])) == [
        {**low, "input": "a"},
        {**low, "input": "b", "temperature": 0},
        {**low, "input": "c", "model": "own"},
        {**low, "input": "d", "reasoning": {"effort": "high", "summary": "auto"}},
    ]


def test_text_alone_is_written_with_what_it_cost(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    (ask.home / "in.txt").write_text("a\n\nb\n")
    found = batch("--lines", "in.txt", "--text", "--ordered", "--price", "1,2")
    assert [json.loads(line) for line in found.text.splitlines()] == [
        {"custom_id": f"line-{n}", "text": f"<{prompt}>", "exit": 0, "usage": USAGE, "cost": 0.00005}
        for n, prompt in ((1, "a"), (3, "b"))
    ]
    assert list(found)[::2] == [0, ""]


def test_columns_are_the_variables_of_a_template(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    (ask.home / "t.toml").write_text(
        'prompt = "{word} in {language}"\ninstructions = "Speak {language}."\nverbosity = "low"\n'
        '[vars]\nlanguage = "French"\n'
    )
    (ask.home / "in.csv").write_text('custom_id,word,language,more\nx,tree,@/etc/passwd,1\ny,"a {b}",Danish,2\n')
    found = batch("in.csv", "--template", "t.toml", "--jobs", "1")
    assert (found.code, found.err) == (0, "")
    shared = {"model": "m", "stream": True, "text": {"verbosity": "low"}}
    assert wire.bodies() == [
        {**shared, "input": "tree in @/etc/passwd", "instructions": "Speak @/etc/passwd."},
        {**shared, "input": "a {b} in Danish", "instructions": "Speak Danish."},
    ]
    (ask.home / "bad.csv").write_text("wort\nBaum\n")
    found = batch("bad.csv", "--template", "t.toml")
    assert list(found)[:2] == [2, ""]
    assert "line 2: no value for word of t.toml (--var NAME=… gives it to all)" in found.err


def test_all_bad_lines_are_told_before_anything_is_sent(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(answering)
    (ask.home / "in.jsonl").write_text(
        '"a"\r\n{"input": "b", "custom_id": "line-1"}\n{"input": 1\n\n{"prompt": "c", "temperature": 5}\n"d"\n'
    )
    told = [
        "line 2: custom_id 'line-1' is an earlier line's, too",
        "line 3: not valid JSON: column 12: Expecting ',' delimiter",
        "line 5: temperature: must be between 0 and 2, not 5.0",
    ]
    bad = "\n  ".join(["in.jsonl: 3 lines can't be sent", *told])
    assert list(batch("in.jsonl")) == [
        2,
        "",
        f"cometresp: error: {bad}\nhint: nothing was sent; --skip-bad goes on without them\n",
    ]
    assert wire.requests == []
    found = batch("in.jsonl", "--skip-bad", "--text", "--ordered")
    assert [json.loads(line)["custom_id"] for line in found.text.splitlines()] == ["line-1", "line-6"]
    assert (found.code, found.err.splitlines()[0]) == (
        0,
        "cometresp: warning: in.jsonl: 3 lines can't be sent, and left out (--skip-bad)",
    )


def test_lines_for_vllm_run_batch_are_taken_where_they_are_responses_and_else_told_how_to_change_them(
    ask: Command, wire: Wire, batch: Callable[..., Result]
) -> None:
    wire.answer(answering)
    fixture = Path(__file__).parent / "vllm_run_batch.jsonl"
    chat = "input takes the place of messages, and max_output_tokens that of max_tokens and max_completion_tokens"
    told = [
        f"line 1: url must be /v1/responses, not '/v1/chat/completions' ({chat})",
        f"line 2: url must be /v1/responses, not '/v1/chat/completions' ({chat})",
        "line 3: url must be /v1/responses, not '/v1/embeddings'",
        "line 4: url must be /v1/responses, not '/v1/score'",
        "line 5: url must be /v1/responses, not '/v1/rerank'",
    ]
    found = batch(str(fixture))
    assert (found.code, found.err.splitlines()[1:-1], wire.requests) == (2, [f"  {line}" for line in told], [])
    lines = lines_of(fixture)
    for line in lines[:2]:
        line["url"], body = "/v1/responses", line["body"]
        body |= {"input": body.pop("messages"), "max_output_tokens": body.pop("max_completion_tokens")}
    changed = batch(requests_in(ask.home, *lines[:2], lines[5]), "--ordered", "--jobs", "1")
    assert (changed.code, changed.err) == (0, "")
    assert [json.loads(line)["custom_id"] for line in changed.text.splitlines()] == [
        "request-1",
        "request-2",
        "request-6",
    ]
    assert wire.bodies() == [line["body"] | {"stream": True} for line in (*lines[:2], lines[5])]


def test_dry_run_prints_what_the_batch_api_takes(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    found = batch(requests_in(ask.home, "a", {"input": "b", "custom_id": "x"}), "--dry-run", "-s", "Be brief.")
    assert [json.loads(line) for line in found.text.splitlines()] == [
        {
            "custom_id": name,
            "method": "POST",
            "url": "/v1/responses",
            "body": {"model": "m", "instructions": "Be brief.", "input": prompt},
        }
        for name, prompt in (("line-1", "a"), ("x", "b"))
    ]
    assert wire.requests == []


KEYED = '{"type": "mcp", "authorization": "env:COMETAPI_KEY"}'
FLAGS = [
    (["--jobs", "0"], "--jobs: must be between 1 and 1000, not 0"),
    (["--rpm", "0"], "--rpm: must be more than 0, not 0"),
    (["--resume"], "--resume goes with -o FILE: it reads what that has"),
    (["--lines", "--csv"], "--lines and --csv exclude each other: each says how the input is read"),
    (["--fail-fast", "--max-failures", "2"], "--fail-fast and --max-failures exclude each other"),
    (["--max-cost", "1"], "--max-cost: the price of m is not known"),
    (["-o", "in.jsonl"], "--output: in.jsonl is the input"),
    (["--json"], "no such flag: --json"),
    (["--var", "a=b"], "--var goes with --template"),
    *(([*how, "-t", KEYED], "--tool: authorization of a tool names COMETAPI_KEY") for how in ([], ["--dry-run"])),
]


def test_wrong_flags_and_files_have_one_line_each(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    requests_in(ask.home, "a")
    requests_in(ask.home, name="empty.jsonl")
    cases = [(["in.jsonl", *words], told) for words, told in FLAGS]
    cases += [(["."], ". is a directory"), (["none"], "can't read none: No such file or directory")]
    cases += [(["empty.jsonl"], "empty.jsonl holds no requests"), ([], "FILE is missing")]
    for words, told in cases:
        found = batch(*words)
        assert (found.code, found.out, found.err.startswith(f"cometresp: error: {told}")) == (2, b"", True), found
    assert wire.requests == []


def test_what_a_line_holds_is_data(ask: Command, wire: Wire, batch: Callable[..., Result]) -> None:
    wire.answer(lambda request, connection: connection.sendall(text_stream(json.dumps(request.json()["tools"]))))
    (ask.home / "secret.json").write_text('{"secret": true}')
    tool = {"type": "mcp", "server_label": "x", "server_url": "https://x.example", "authorization": "env:COMETAPI_KEY"}
    own = {**tool, "authorization": "token-of-the-line-1234"}
    source = requests_in(
        ask.home,
        {"input": "@secret.json", "tools": [tool]},
        {"prompt": "@secret.json", "instructions": "@secret.json", "tool": [own], "param": ["x=@secret.json"]},
    )
    found = batch(source, "--text", "--ordered", "--jobs", "1")
    assert wire.bodies() == [
        {"model": "m", "input": "@secret.json", "tools": [tool], "stream": True},
        {
            "model": "m",
            "input": "@secret.json",
            "instructions": "@secret.json",
            "tools": [own],
            "x": "@secret.json",
            "stream": True,
        },
    ]
    assert "token-of-the-line-1234" not in found.text + found.err
    bad = requests_in(ask.home, {"prompt": "x", "schema": "secret.json"}, {"prompt": "x", "tool": "@secret.json"})
    told = batch(bad).err.splitlines()
    assert told[0] == "cometresp: error: in.jsonl: 2 lines can't be sent"
    assert "secret" not in "".join(told[1:]).replace("secret.json", "")
