"""The provider's lane against scripted servers: what is sent, and what becomes of replies that are no help."""

import json
from typing import Any

import pytest

from tests.batch.test_lane import LINES
from tests.conftest import Command, Forker
from tests.scripted import Wire, error_reply, json_reply, reply

Json = dict[str, Any]
LOCAL = "hint: cometresp batch FILE -o OUT sends the requests from here\n"
FILE = json_reply({"id": "file-1", "object": "file"})


def batch(status: str = "validating", **more: Any) -> Json:
    return {"id": "batch_1", "object": "batch", "status": status, "input_file_id": "file-1", **more}


def test_the_file_is_uploaded_as_a_form_and_named_by_the_batch(forker: Forker, ask: Command, wire: Wire) -> None:
    (ask.home / "in.jsonl").write_text(LINES)
    wire.answer(FILE, json_reply(batch()))
    result = forker.run(ask, ["batch", "submit", "in.jsonl", "--batch-metadata", "k=v", "--store"])
    assert list(result) == [0, "batch_1\n", ""]
    upload, create = wire.requests
    assert (upload.method, upload.path, upload.headers["accept"]) == ("POST", "/v1/files", "application/json")
    boundary = upload.headers["content-type"].removeprefix("multipart/form-data; boundary=")
    asked = [
        ("a", {"model": "m", "input": "Hello", "store": True}),
        ("line-2", {"model": "m", "input": "emulate:failed", "store": True}),
    ]
    lines = [{"custom_id": name, "method": "POST", "url": "/v1/responses", "body": body} for name, body in asked]
    head, _, rest = upload.body.decode().partition("application/jsonl\r\n\r\n")
    assert head == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\nContent-Type: '
    )
    data, _, end = rest.partition(f"\r\n--{boundary}")
    assert ([json.loads(line) for line in data.splitlines()], end) == (lines, "--\r\n")
    assert (create.path, create.json()) == (
        "/v1/batches",
        {
            "input_file_id": "file-1",
            "endpoint": "/v1/responses",
            "completion_window": "24h",
            "metadata": {"k": "v"},
        },
    )


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (error_reply(404, "Invalid URL (POST /v1/files)"), "HTTP 404: Invalid URL (POST /v1/files)"),
        (error_reply(405), "HTTP 405: no"),
        (
            error_reply(501, "API not implemented", "api_not_implemented"),
            "HTTP 501 api_not_implemented: API not implemented",
        ),
        (error_reply(400, "x", "api_not_implemented"), "HTTP 400 api_not_implemented: x"),
        (reply(404, "<html>nginx</html>", "text/html"), "HTTP 404: nginx, with a body that is not JSON"),
        (reply(200, "<html>", "text/html"), "the reply to POST /v1/files is text/html"),
    ],
    ids=["path", "method", "status", "code", "page", "html"],
)
def test_a_gateway_without_batches_is_told_as_such(
    forker: Forker, ask: Command, wire: Wire, refusal: bytes, reason: str
) -> None:
    (ask.home / "in.jsonl").write_text(LINES)
    wire.answer(refusal)
    result = forker.run(ask, ["batch", "submit", "in.jsonl", "--retries", "0"])
    assert list(result) == [76, "", f"cometresp: error: the server offers no batches: {reason}\n{LOCAL}"]


@pytest.mark.parametrize(
    ("refusal", "code", "err"),
    [
        (
            error_reply(404, "Invalid URL (GET /v1/batches/batch_1)"),
            76,
            f"the server offers no batches: HTTP 404: Invalid URL (GET /v1/batches/batch_1)\n{LOCAL}",
        ),
        (
            error_reply(404, "No batch found with id 'batch_1'."),
            65,
            "the server doesn't know batch_1: HTTP 404: No batch found with id 'batch_1'.\n"
            "hint: cometresp batch list lists the batches of the server\n",
        ),
        (error_reply(401, "bad key"), 77, "HTTP 401: bad key\nhint: check the key in COMETAPI_KEY\n"),
        (error_reply(429, "slow"), 75, "HTTP 429: slow\n"),
    ],
    ids=["path", "unknown", "key", "limit"],
)
def test_a_refused_look_has_the_exit_code_of_its_reason(
    forker: Forker, ask: Command, wire: Wire, refusal: bytes, code: int, err: str
) -> None:
    wire.answer(refusal)
    result = forker.run(ask, ["batch", "status", "batch_1", "--retries", "0"])
    assert list(result) == [code, "", f"cometresp: error: {err}"]


def test_a_batch_whose_creation_got_no_reply_is_found_not_made_again(forker: Forker, ask: Command, wire: Wire) -> None:
    (ask.home / "in.jsonl").write_text(LINES)
    others = [{**batch(), "id": "batch_0", "input_file_id": "file-0"}, batch()]
    wire.answer(FILE, b"", json_reply({"object": "list", "data": others}))
    assert list(forker.run(ask, ["batch", "submit", "in.jsonl"])) == [0, "batch_1\n", ""]
    asked = [(request.method, request.path) for request in wire.requests]
    assert asked == [("POST", "/v1/files"), ("POST", "/v1/batches"), ("GET", "/v1/batches?limit=20")]


def test_a_refused_batch_keeps_the_uploaded_file(forker: Forker, ask: Command, wire: Wire) -> None:
    (ask.home / "in.jsonl").write_text(LINES)
    wire.answer(FILE, error_reply(400, "billing", "billing_hard_limit_reached"), json_reply(batch()))
    refused = forker.run(ask, ["batch", "submit", "in.jsonl"])
    assert list(refused) == [
        65,
        "",
        "cometresp: error: HTTP 400 billing_hard_limit_reached: billing\nhint: the input is uploaded as file-1:"
        " cometresp batch submit file-1 tries again without uploading it\n",
    ]
    assert list(forker.run(ask, ["batch", "submit", "file-1"])) == [0, "batch_1\n", ""]
    assert wire.requests[-1].json()["input_file_id"] == "file-1"


def test_a_wait_outlasts_errors_that_pass(forker: Forker, ask: Command, wire: Wire) -> None:
    wire.answer(
        json_reply(batch(), retry_after_ms="50"),
        error_reply(503, "busy", retry_after_ms="50"),
        error_reply(429, "slow", retry_after_ms="50"),
        json_reply(batch("completed", output_file_id=None, request_counts={"total": 0})),
    )
    started = forker.run(ask, ["batch", "status", "batch_1", "--wait", "--max-time", "60"])
    assert list(started) == [0, "batch_1  completed\n", ""]


def test_an_output_that_is_cut_or_none_leaves_the_file_as_it_was(forker: Forker, ask: Command, wire: Wire) -> None:
    (ask.home / "out").write_text("old\n")
    line = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": {}}, "error": None}) + "\n"
    ended = json_reply(batch("completed", output_file_id="file-2", request_counts={"total": 2, "completed": 2}))
    whole = reply(200, line * 2, "application/octet-stream")
    wire.answer(ended, whole[:-10])
    cut = forker.run(ask, ["batch", "fetch", "batch_1", "-o", "out"])
    assert (cut.code, cut.text) == (69, "")
    assert cut.err.endswith("hint: out is untouched; what came is kept as " + str(ask.home / "out.part") + "\n")
    wire.requests.clear()
    wire.answer(ended, reply(200, '{"error": {"message": "gone"}}'))
    none = forker.run(ask, ["batch", "fetch", "batch_1", "-o", "out"])
    assert list(none) == [
        76,
        "",
        "cometresp: error: not the output of a batch: a line of file-2 is no result of a request\n",
    ]
    assert ((ask.home / "out").read_text(), (ask.home / "out.part").read_text()) == ("old\n", line)
