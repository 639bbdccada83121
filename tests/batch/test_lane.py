"""The provider's lane: submit, status, fetch, cancel and list, against the emulator and scripted servers."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from cometresp.emulator.server import Emulator
from tests.conftest import Command, Forker, Result
from tests.waiting import in_time

Json = dict[str, Any]

LINES = (
    '{"custom_id":"a","method":"POST","url":"/v1/responses","body":{"model":"m","input":"Hello"}}\n"emulate:failed"\n'
)


@pytest.fixture
def made(run: Command) -> Command:
    """A home with an input of two requests, of which the second fails."""
    (run.home / "in.jsonl").write_text(LINES)
    run.environ["COMETAPI_DEFAULT_MODEL"] = "emulator"
    return run


def shown(result: Result) -> list[Any]:
    """[code, stdout, stderr] with the emulator's ids as ID and REQ."""
    texts = (
        re.sub(r"2026\d{10,}\w+|req_\w{20,}", "REQ", re.sub(r"(batch|file|resp)[_-][0-9a-f]{32}", "ID", text))
        for text in (result.text, result.err)
    )
    return [result.code, *texts]


def offline(forker: Forker, made: Command, *words: str, **more: Any) -> Result:
    return forker.run(made, ["batch", words[0], "--offline", *words[1:]], **more)


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["custom_id"] for line in path.read_text().splitlines()]


# against the emulator ------------------------------------------------------------------------------------------------


def test_a_batch_is_submitted_refused_before_its_end_waited_for_and_fetched(forker: Forker, made: Command) -> None:
    submitted = offline(forker, made, "submit", "in.jsonl")
    assert shown(submitted) == [0, "ID\n", ""]
    batch_id = submitted.text.strip()
    assert shown(offline(forker, made, "fetch", batch_id[:12], "-o", "out.jsonl")) == [
        7,
        "",
        "cometresp: error: ID is still in progress: 0/2 done\n"
        "hint: cometresp batch fetch --offline ID --wait -o out.jsonl\n",
    ]
    assert not (made.home / "out.jsonl").exists()
    assert shown(offline(forker, made, "status", "last")) == [
        7,
        "ID  in_progress  1/2 done\n",
        "cometresp: error: ID is still in progress: 1/2 done\nhint: cometresp batch status --offline ID --wait\n",
    ]
    assert shown(offline(forker, made, "fetch", "-", "--wait", "-o", "out.jsonl", stdin=batch_id.encode())) == [
        1,
        "",
        "cometresp: error: ID: 1 of 2 failed: 1 failed (exit 1)\n",
    ]
    lines = [json.loads(line) for line in (made.home / "out.jsonl").read_text().splitlines()]
    assert [(line["custom_id"], line["response"]["body"]["status"], line["error"]) for line in lines] == [
        ("a", "completed", None),
        ("line-2", "failed", None),
    ]
    fetched = offline(forker, made, "fetch", "last", "--text", "--errors", "e.jsonl")
    assert (fetched.code, ids_in(made.home / "e.jsonl")) == (1, ["line-2"])
    answer = json.loads(fetched.text)
    assert answer["text"].startswith("This is the **emulator**")
    assert answer | {"text": "", "usage": {}} == {"custom_id": "a", "text": "", "exit": 0, "usage": {}, "cost": None}
    assert shown(offline(forker, made, "status", "last")) == [0, "ID  completed  2/2 done\n", ""]


@pytest.mark.parametrize(
    ("words", "code", "err", "ids"),
    [
        (
            ["--fault", "batch=expired"],
            1,
            "ID ended as expired: 1 of 2 requests have an answer: 1 failed (exit 1)",
            ["a", "line-2"],
        ),
        (
            ["--batch-metadata", "emulate=cancelled"],
            6,
            "ID was cancelled: 1 of 2 requests have an answer: 1 failed (exit 1)",
            ["a", "line-2"],
        ),
        (
            ["--fault", "batch=failed"],
            1,
            "ID failed: the server refused its input\n"
            "  line 1: emulated_fault: The validation failed because it was asked to.",
            [],
        ),
        (["--inline"], 1, "ID: 1 of 2 failed: 1 failed (exit 1)", ["a", "line-2"]),
    ],
    ids=["expired", "cancelled", "failed", "inline"],
)
def test_the_end_of_a_batch_is_the_exit_code_of_submit_wait(
    forker: Forker, made: Command, words: list[str], code: int, err: str, ids: list[str]
) -> None:
    result = offline(forker, made, "submit", "in.jsonl", "--wait", "-o", "out.jsonl", *words)
    assert shown(result)[:2] == [code, ""]
    assert shown(result)[2].partition("\nhint: ")[0].rstrip("\n") == f"cometresp: error: {err}"
    out = made.home / "out.jsonl"
    assert (ids_in(out) if out.exists() else []) == ids
    assert list(made.home.glob("*.part")) == []


def test_a_batch_that_outlasts_max_time_is_pending(forker: Forker, made: Command) -> None:
    words = ["submit", "in.jsonl", "--wait", "-o", "out.jsonl", "--fault", "batch=stuck", "--max-time"]
    result = in_time(
        lambda seconds: offline(forker, made, *words, seconds), lambda result: "1/2 done" not in result.err
    )
    assert shown(result)[:2] == [7, ""]
    assert shown(result)[2].startswith("cometresp: error: ID is still in progress: 1/2 done\nhint: ")
    assert sorted(path.name for path in made.home.glob("o*")) == []


def test_what_a_batch_leaves_is_a_run_that_can_be_resumed_here(forker: Forker, made: Command) -> None:
    (made.home / "in.jsonl").write_text('{"custom_id":"a","prompt":"A"}\n{"custom_id":"b","prompt":"B"}\n')
    assert shown(offline(forker, made, "submit", "in.jsonl", "--wait", "-o", "o", "--fault", "batch=expired")) == [
        1,
        "",
        "cometresp: error: ID ended as expired: 1 of 2 requests have an answer: 1 failed (exit 1)\n"
        "hint: cometresp batch --offline in.jsonl -o o --resume --retry-failed, with the flags of the requests, asks"
        " the failed again from here\n",
    ]
    assert ids_in(made.home / "o") == ["a", "b"]
    resumed = forker.run(made, ["batch", "in.jsonl", "--offline", "-o", "o", "--resume", "--retry-failed"])
    assert (resumed.code, resumed.text) == (0, "")
    lines = [json.loads(line) for line in (made.home / "o").read_text().splitlines()]
    assert [(line["custom_id"], line["response"]["status_code"], line["error"]) for line in lines] == [
        ("a", 200, None),
        ("b", 200, None),
    ]


def test_a_batch_is_cancelled_once(forker: Forker, made: Command) -> None:
    offline(forker, made, "submit", "in.jsonl", "--fault", "batch=stuck")
    assert list(offline(forker, made, "cancel", "last")) == [0, "", ""]
    waited = offline(forker, made, "status", "last", "--wait")
    assert shown(waited) == [
        6,
        "ID  cancelled  0/2 done\n",
        "cometresp: error: ID was cancelled: 0/2 done\n"
        "hint: cometresp batch fetch --offline ID -o OUT fetches what was answered\n",
    ]
    assert shown(offline(forker, made, "cancel", "last")) == [
        65,
        "",
        "cometresp: error: ID can't be cancelled: HTTP 409 conflict: Cannot cancel a batch with status 'cancelled'."
        " (request id: REQ)\nhint: cometresp batch status --offline ID shows what became of it\n",
    ]


def test_the_last_batches_are_listed_from_the_record_and_by_the_server(forker: Forker, made: Command) -> None:
    first, second = (offline(forker, made, "submit", "in.jsonl").text.strip() for _ in range(2))
    recorded = json.loads(offline(forker, made, "status", "--json").text)
    assert [(row["id"], row["status"], row["file"], row["requests"]) for row in recorded] == [
        (second, "in_progress", "in.jsonl", 2),
        (first, "in_progress", "in.jsonl", 2),
    ]
    listed = offline(forker, made, "list").text.splitlines()
    assert [line.split("\t")[:4] for line in listed] == [
        [second, "in_progress", "0/2", ""],
        [first, "in_progress", "0/2", ""],
    ]
    assert [row["id"] for row in json.loads(offline(forker, made, "list", "-n", "1", "--json").text)] == [second]
    assert shown(offline(forker, made, "status", "batc"))[2].startswith(
        "cometresp: error: ID: batc is the start of several recorded ids\n"
    )
    unrecorded = offline(forker, made, "submit", "in.jsonl", env={"COMETRESP_RECORD": "none"}).text.strip()
    assert len(json.loads(offline(forker, made, "status", "--json").text)) == 2
    assert offline(forker, made, "status", unrecorded).code == 7


def test_flags_are_defaults_under_each_line_and_bad_lines_are_told_before_anything_is_sent(
    forker: Forker, made: Command
) -> None:
    dry = offline(forker, made, "submit", "in.jsonl", "--dry-run", "--temperature", "0", "-m", "x")
    assert [json.loads(line) for line in dry.text.splitlines()] == [
        {
            "custom_id": custom_id,
            "method": "POST",
            "url": "/v1/responses",
            "body": {"model": model, "input": prompt, "temperature": 0.0},
        }
        for custom_id, model, prompt in (("a", "m", "Hello"), ("line-2", "x", "emulate:failed"))
    ]
    bad = offline(forker, made, "submit", "-", stdin=b'{"a"\n"b"\n{"custom_id":"line-2","input":"c"}\n')
    assert [bad.code, bad.text, bad.err.splitlines()[0]] == [
        2,
        "",
        "cometresp: error: standard input: 2 lines can't be sent",
    ]
    skipped = offline(forker, made, "submit", "-", "--skip-bad", "--lines", stdin=b"one\ntwo\n")
    assert shown(skipped) == [0, "ID\n", ""]


def test_what_is_submitted_is_what_openai_s_own_client_submits(forker: Forker, made: Command, tmp_path: Path) -> None:
    lines = offline(forker, made, "submit", "in.jsonl", "--dry-run").out
    with Emulator() as emulator, OpenAI(base_url=emulator.base_url, api_key="x", max_retries=0) as client:
        uploaded = client.files.create(file=("in.jsonl", lines), purpose="batch")
        batch = client.batches.create(input_file_id=uploaded.id, endpoint="/v1/responses", completion_window="24h")
        env = {"COMETAPI_BASE_URL": emulator.base_url}
        waited = forker.run(made, ["batch", "status", batch.id, "--wait"], env=env)
        fetched = forker.run(made, ["batch", "fetch", "last", "-o", str(tmp_path / "out")], env=env)
        ended = client.batches.retrieve(batch.id)
        assert ended.output_file_id is not None
        assert client.files.content(ended.output_file_id).content == (tmp_path / "out").read_bytes()
    assert (shown(waited), fetched.code) == ([0, "ID  completed  2/2 done\n", ""], 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["submit", "in.jsonl", "-o", "x"], "--output goes with --wait"),
        (["submit", "in.jsonl", "--wait", "--json"], "--json and --wait exclude each other"),
        (["submit", "in.jsonl", "--batch-metadata", "k"], "--batch-metadata: 'k' must be KEY=VALUE"),
        (["submit", "file-abc", "--inline"], "--inline: takes a file of this machine, not one of the server"),
        (["submit", "none.jsonl"], "can't read none.jsonl: No such file or directory"),
        (["submit", "in.jsonl", "--wait", "-o", "x", "--errors", "x"], "--errors: must name a file of its own"),
        (["status", "--wait"], "--wait: needs the ID of a batch"),
        (["fetch", "last"], "ID: no batch is recorded"),
        (["fetch", "a b"], "ID: the id 'a b' is refused"),
        (["cancel", "last"], "ID: no batch is recorded"),
    ],
)
def test_a_wrong_command_line_sends_nothing(forker: Forker, made: Command, words: list[str], message: str) -> None:
    result = offline(forker, made, *words)
    assert (result.code, result.text) == (2, "")
    assert result.err.startswith(f"cometresp: error: {message}")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_prints_commands_that_submit_the_same(forker: Forker, made: Command) -> None:
    tool = {"type": "mcp", "server_label": "x", "server_url": "https://x.example/", "authorization": "env:MY_TOKEN"}
    line = {"custom_id": "b", "body": {"input": "$HOME `id` \\ END", "tools": [tool]}}
    (made.home / 'a "b".jsonl').write_text(LINES + json.dumps(line) + "\n")
    words = ["submit", 'a "b".jsonl']
    with Emulator() as emulator:
        env = {"COMETAPI_BASE_URL": emulator.base_url}
        printed = forker.run(made, ["batch", *words, "--curl", "--batch-metadata", "k=v"], env=env)
        assert (printed.code, printed.err) == (0, "")
        commands = ["curl" + command for command in printed.text.split("curl")[1:]]
        environ = {"PATH": os.environ["PATH"], "MY_TOKEN": "a secret"}
        uploaded = json.loads(subprocess.check_output(["sh", "-c", commands[0]], env=environ))
        environ["FILE_ID"] = uploaded["id"]
        batch = json.loads(subprocess.check_output(["sh", "-c", commands[1]], env=environ))
        with OpenAI(base_url=emulator.base_url, api_key="x", max_retries=0) as client:
            sent = client.files.content(uploaded["id"]).text
    shown_lines = offline(forker, made, *words, "--dry-run").text
    assert sent == shown_lines.replace("env:MY_TOKEN", "a secret")
    assert [uploaded["filename"], batch["input_file_id"], batch["metadata"]] == [
        "a %22b%22.jsonl",  # as browsers write a quotation mark
        uploaded["id"],
        {"k": "v"},
    ]
    of_file = offline(forker, made, "submit", "file-abc", "--curl")
    assert of_file.text.splitlines()[-2:] == [
        '{"input_file_id": "file-abc", "endpoint": "/v1/responses", "completion_window": "24h"}',
        "END",
    ]
    inline = offline(forker, made, "submit", "in.jsonl", "--inline", "--curl").text.splitlines()
    assert [entry["custom_id"] for entry in json.loads(inline[-2])["requests"]] == ["a", "line-2"]


def test_the_text_of_results_has_what_they_cost_where_the_price_is_known(forker: Forker, made: Command) -> None:
    words = ["submit", "in.jsonl", "--wait", "--text", "-o", "out"]
    assert offline(forker, made, *words, "--price", "1000000,500000").code == 1
    lines = [json.loads(line) for line in (made.home / "out").read_text().splitlines()]
    usage = lines[0]["usage"]
    cost = usage["input_tokens"] + usage["output_tokens"] / 2
    assert [(line["custom_id"], line["cost"]) for line in lines] == [("a", cost), ("line-2", None)]


def test_a_word_that_is_no_file_but_nearly_a_command_is_told_as_such(forker: Forker, made: Command) -> None:
    error = "cometresp: error: no such command: cometresp batch sumbit\nhint: did you mean cometresp batch submit?\n"
    for words in (["sumbit", "in.jsonl"], ["sumbit"]):
        assert shown(forker.run(made, ["batch", *words])) == [2, "", error]
    (made.home / "sumbit").write_text(LINES)
    assert forker.run(made, ["batch", "sumbit", "--dry-run"]).err == ""


def test_a_terminal_is_shown_how_far_the_batch_is(forker: Forker, made: Command) -> None:
    words = ["batch", "submit", "--offline", "in.jsonl", "--wait", "-o", "o"]
    drawn = forker.run(made, words, terminal=True).text
    assert re.search(r"submitted as batch_\w+\n", drawn)
    assert "1/2 done" in drawn
    assert "next look in 0 s" in drawn
    plain = shown(forker.run(made, [*words, "--plain"], terminal=True))
    assert plain[1].partition("cometresp: error")[0] == (
        "submitted as ID\nID is validating · 0/2 done\nID is in progress · 0/2 done\n"
        "ID is in progress · 1/2 done\nID is finalizing · 2/2 done\n"
    )
