"""Faults between a batch and its results: it is made once, waited for, and named by every error."""

import re
from pathlib import Path

import pytest

from tests.batch.test_lane import LINES
from tests.batch.test_lane_servers import FILE, batch
from tests.conftest import Command, Forker
from tests.scripted import Wire, error_reply, json_reply, reply

PAGE = reply(200, "<html>", "text/html")
OTHER = {**batch(), "id": "batch_0", "input_file_id": "file-0"}
CUT = json_reply(batch())[:-5]
BROKEN = reply(200, '{"id": "batch_1"')


def listed(*batches: object) -> bytes:
    return json_reply({"object": "list", "data": list(batches)})


def submit(forker: Forker, ask: Command, *words: str) -> list[object]:
    (ask.home / "in.jsonl").write_text(LINES)
    return list(forker.run(ask, ["batch", "submit", "in.jsonl", "--retries", "0", *words]))


@pytest.mark.parametrize("lost", [CUT, BROKEN, PAGE, error_reply(502)], ids=["cut", "json", "page", "502"])
def test_a_batch_whose_reply_came_broken_is_found_in_the_list(
    forker: Forker, ask: Command, wire: Wire, lost: bytes
) -> None:
    wire.answer(FILE, lost, listed(OTHER, batch()))
    assert submit(forker, ask) == [0, "batch_1\n", ""]
    assert [request.method for request in wire.requests] == ["POST", "POST", "GET"]


def test_a_batch_of_an_earlier_run_is_not_taken_for_the_one_whose_reply_was_lost(
    forker: Forker, ask: Command, wire: Wire
) -> None:
    wire.answer(FILE, json_reply(batch()))
    assert submit(forker, ask)[0] == 0
    wire.restart(CUT, listed(batch(), {**batch(), "id": "batch_2"}))
    assert list(forker.run(ask, ["batch", "submit", "file-1"])) == [0, "batch_2\n", ""]


def test_an_error_says_whether_a_batch_was_made(forker: Forker, ask: Command, wire: Wire) -> None:
    wire.answer(FILE, PAGE, listed(OTHER))
    code, _, err = submit(forker, ask)
    assert (code, str(err).splitlines()[0]) == (
        76,
        "cometresp: error: not the Responses API: the reply to POST /v1/batches is text/html",
    )
    assert str(err).endswith("cometresp batch submit file-1 tries again without uploading it\n")
    looks = "hint: cometresp batch list shows whether the batch was made"
    broken = "the connection broke before the answer was complete: "
    wire.restart(FILE, CUT, error_reply(503))
    code, _, err = submit(forker, ask)
    assert (code, str(err).startswith(f"cometresp: error: the batch may have been made, but {broken}")) == (69, True)
    assert str(err).endswith(f"\n{looks}; if not, cometresp batch submit file-1 makes it\n")
    wire.restart(CUT)
    code, _, err = submit(forker, ask, "--inline")
    assert (code, str(err).endswith(f"\n{looks}\n"), len(wire.requests)) == (69, True, 1)


@pytest.mark.parametrize("bad", ["page", "404", "json"])
def test_a_wait_outlasts_a_reply_that_is_not_the_server_s_own(
    forker: Forker, ask: Command, wire: Wire, bad: str
) -> None:
    begun = json_reply(batch(), retry_after_ms="20")
    strange = {
        "page": reply(200, "<html>", "text/html", retry_after_ms="20"),
        "404": error_reply(404, "Invalid URL (GET /v1/batches/batch_1)", retry_after_ms="20"),
        "json": reply(200, '{"id": "batch_1"', retry_after_ms="20"),
    }[bad]
    ended = json_reply(batch("completed", output_file_id=None, request_counts={"total": 0}))
    wire.answer(FILE, begun, strange, strange, ended)
    assert submit(forker, ask, "--wait")[:2] == [0, ""]
    wire.restart(FILE, begun, strange)
    code, out, err = submit(forker, ask, "--wait", "-o", "w")
    assert (code, out) == (65 if bad == "404" else 76, "")
    assert re.search(r"\ncometresp: error: batch_1: ", f"\n{err}")
    assert str(err).endswith("hint: to wait again: cometresp batch fetch batch_1 --wait -o w\n")


def test_a_page_in_place_of_the_results_says_how_to_get_them(forker: Forker, ask: Command, wire: Wire) -> None:
    ended = batch("completed", output_file_id="file-2", request_counts={"total": 2, "completed": 2})
    wire.answer(FILE, json_reply(ended), PAGE)
    code, _, err = submit(forker, ask, "--wait", "-o", "w")
    assert (code, str(err).partition("cometresp: error: ")[2]) == (
        76,
        "batch_1: the reply to GET /v1/files/file-2/content is text/html\n"
        "hint: cometresp batch fetch batch_1 --wait -o w tries again\n",
    )


@pytest.mark.parametrize("strange", [PAGE, BROKEN], ids=["page", "json"])
def test_a_look_at_a_recorded_batch_names_it_or_waits(forker: Forker, ask: Command, wire: Wire, strange: bytes) -> None:
    wire.answer(FILE, json_reply(batch()))
    assert submit(forker, ask)[0] == 0
    for words in (["status"], ["status", "batch_1"], ["fetch", "batch_1"]):
        wire.restart(strange)
        result = forker.run(ask, ["batch", *words])
        told = "cometresp: error: batch_1: the reply to GET /v1/batches/batch_1 is "
        assert (result.code, result.err.startswith(told)) == (76, True)
        assert result.err.endswith("hint: cometresp batch fetch batch_1 --wait -o OUT tries again\n")
    again = strange.replace(b"\r\n", b"\r\nretry-after-ms: 20\r\n", 1)
    wire.restart(again, json_reply(batch("completed", output_file_id=None, request_counts={"total": 0})))
    waited = forker.run(ask, ["batch", "fetch", "batch_1", "--wait"])
    assert (waited.code, waited.text) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_batch_whose_id_cannot_be_printed_is_named_by_the_error(ask: Command, wire: Wire) -> None:
    (ask.home / "in.jsonl").write_text(LINES)
    wire.answer(FILE, json_reply(batch()))
    with Path("/dev/full").open("wb") as full, ask.popen("batch", "submit", "in.jsonl", stdout=full) as process:
        _, err = process.communicate()
    assert (process.returncode, err.decode()) == (
        73,
        "cometresp: error: submitted as batch_1, but standard output can't be written: No space left on device\n"
        "hint: cometresp batch fetch batch_1 --wait -o OUT fetches its results\n",
    )
