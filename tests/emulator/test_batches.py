"""Files and batches of the emulator, driven by OpenAI's own client."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import BadRequestError, ConflictError, NotFoundError, OpenAI
from openai.types import Batch, FileObject
from pydantic import TypeAdapter

from cometresp.emulator.server import Emulator
from tests.emulator.talk import request

Json = dict[str, Any]


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Iterator[OpenAI]:
    with OpenAI(base_url=emulator.base_url, api_key="x", max_retries=0) as made:
        yield made


def line(custom_id: str, prompt: str = "Hello", **more: Any) -> Json:
    body = {"model": "m", "input": prompt}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": body, **more}


def submitted(client: OpenAI, *lines: Json | str, word: str = "") -> Batch:
    data = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines)
    uploaded = client.files.create(file=("in.jsonl", io.BytesIO(data.encode())), purpose="batch")
    TypeAdapter(FileObject).validate_python(uploaded.to_dict())
    assert (uploaded.bytes, uploaded.filename, uploaded.purpose) == (len(data), "in.jsonl", "batch")
    assert client.files.content(uploaded.id).content == data.encode()
    metadata = {"emulate": word} if word else {"k": "v"}
    return client.batches.create(
        input_file_id=uploaded.id, endpoint="/v1/responses", completion_window="24h", metadata=metadata
    )


def polled(client: OpenAI, batch: Batch) -> tuple[Batch, list[tuple[str, int]]]:
    """The batch when it has ended, and what was seen of it until then: its status, and how many lines were done."""
    seen: list[tuple[str, int]] = [(batch.status, 0)]
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        batch = client.batches.retrieve(batch.id)
        TypeAdapter(Batch).validate_python(batch.to_dict())
        assert batch.request_counts is not None
        seen.append((batch.status, batch.request_counts.completed + batch.request_counts.failed))
    return batch, seen


def lines_of(client: OpenAI, file_id: str | None) -> list[Json]:
    return [] if file_id is None else [json.loads(each) for each in client.files.content(file_id).text.splitlines()]


def test_a_batch_goes_through_its_states_and_answers_each_line_once(client: OpenAI) -> None:
    started = submitted(
        client,
        line("a"),
        line("b", "emulate:failed"),
        line("c", body={"model": "m", "input": "x", "top_p": 3}),
        line("d", "emulate:error"),
    )
    batch, seen = polled(client, started)
    assert seen == [("validating", 0), ("in_progress", 0), ("in_progress", 2), ("finalizing", 4), ("completed", 4)]
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 4, "completed": 2, "failed": 2}
    good, bad = lines_of(client, batch.output_file_id), lines_of(client, batch.error_file_id)
    assert [(each["custom_id"], each["response"]["body"]["status"], each["error"]) for each in good] == [
        ("a", "completed", None),
        ("b", "failed", None),
    ]
    assert [(each["custom_id"], each["response"]["status_code"]) for each in bad] == [("c", 400), ("d", 500)]
    assert client.batches.retrieve(batch.id) == batch
    with pytest.raises(ConflictError):
        client.batches.cancel(batch.id)
    assert client.batches.list(limit=1).data == [batch]
    deleted = client.files.delete(batch.input_file_id)
    assert (deleted.deleted, deleted.id) == (True, batch.input_file_id)
    with pytest.raises(NotFoundError):
        client.files.retrieve(batch.input_file_id)


def test_the_problems_of_a_file_fail_the_batch_with_their_lines(client: OpenAI) -> None:
    bad: list[Json | str] = [
        line("a"),
        "{",
        line("a"),
        line("b", method="GET"),
        line("c", url="/v1/embeddings"),
        {"custom_id": "d"},
    ]
    batch, seen = polled(client, submitted(client, *bad))
    assert [status for status, _ in seen] == ["validating", "failed"]
    assert batch.errors is not None
    assert [(each.line, each.code) for each in batch.errors.data or []] == [
        (2, "invalid_json_line"),
        (3, "duplicate_custom_id"),
        (4, "invalid_method"),
        (5, "mismatched_url"),
        (6, "missing_required_parameter"),
    ]
    assert (batch.output_file_id, batch.error_file_id) == (None, None)


@pytest.mark.parametrize("word", ["expired", "cancelled"])
def test_a_batch_that_ends_early_has_an_error_for_each_line_that_is_left(client: OpenAI, word: str) -> None:
    batch, seen = polled(client, submitted(client, *map(line, "abcd"), word=word))
    assert seen[-2:] == [("finalizing", 2), (word, 2)]
    assert [each["custom_id"] for each in lines_of(client, batch.output_file_id)] == ["a", "b"]
    left = lines_of(client, batch.error_file_id)
    assert [(each["custom_id"], each["response"], each["error"]["code"]) for each in left] == [
        ("c", None, f"batch_{word}"),
        ("d", None, f"batch_{word}"),
    ]


def test_a_batch_is_cancelled_while_it_runs(client: OpenAI) -> None:
    batch = submitted(client, *map(line, "abcd"), word="stuck")
    assert client.batches.retrieve(batch.id).status == "in_progress"
    batch, seen = polled(client, client.batches.cancel(batch.id))
    assert seen == [("cancelling", 0), ("cancelling", 2), ("cancelled", 2)]
    assert len(lines_of(client, batch.output_file_id)) == 2


def test_requests_in_the_body_are_answered_in_the_batch(emulator: Emulator) -> None:
    asked = {"requests": [line("a"), line("b")], "endpoint": "/v1/responses", "completion_window": "24h"}
    batch = request(emulator.base_url, "POST", "/batches", asked).json()
    assert (batch["status"], batch["input_file_id"]) == ("validating", None)
    replies = [request(emulator.base_url, "GET", f"/batches/{batch['id']}") for _ in range(4)]
    assert [reply.headers.get("retry-after-ms") for reply in replies] == ["250", "250", "250", None]
    assert [each["custom_id"] for each in replies[-1].json()["results"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"input_file_id": None}, "input_file_id"),
        ({"input_file_id": "file-x", "requests": []}, "input_file_id"),
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"k": 1}}, "metadata.k"),
    ],
)
def test_a_batch_is_refused_for_a_wrong_field(client: OpenAI, given: Json, param: str) -> None:
    asked = {"input_file_id": "file-x", "endpoint": "/v1/responses", "completion_window": "24h", **given}
    with pytest.raises(BadRequestError) as caught:
        client.post("/batches", body=asked, cast_to=object)
    assert caught.value.param == param


def test_an_unknown_file_or_batch_is_a_404(client: OpenAI) -> None:
    for ask in (
        lambda: client.batches.retrieve("batch_x"),
        lambda: client.files.content("file-x"),
        lambda: client.batches.create(input_file_id="file-x", endpoint="/v1/responses", completion_window="24h"),
    ):
        with pytest.raises(NotFoundError):
            ask()
