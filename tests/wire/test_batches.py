"""Reading the JSON of batches: what servers leave out, or send as another type, is no bug here."""

import pytest

from cometresp.wire.batches import Counts, counts_of, files_of, has_ended, problems_of, results_of
from cometresp.wire.json import Json


@pytest.mark.parametrize(
    ("batch", "counts", "words"),
    [
        ({"request_counts": {"total": 10, "completed": 2, "failed": 1}}, Counts(10, 2, 1), "3/10 done, 1 failed"),
        ({"request_counts": {"completed": 2}}, Counts(2, 2, 0), "2/2 done"),
        ({"request_counts": {"total": "10", "completed": -1, "failed": None}}, Counts(), ""),
        ({"request_counts": []}, Counts(), ""),
        ({}, Counts(), ""),
    ],
)
def test_counts_are_read_whatever_is_missing(batch: Json, counts: Counts, words: str) -> None:
    assert (counts_of(batch), counts_of(batch).words()) == (counts, words)


def test_a_status_that_is_not_known_is_waited_for() -> None:
    ended = ["completed", "failed", "expired", "cancelled", "canceled"]
    assert [has_ended({"status": status}) for status in ended] == [True] * len(ended)
    running = ["validating", "in_progress", "finalizing", "cancelling", "queued", "thinking"]
    assert [has_ended({"status": status}) for status in running] == [False] * len(running)


def test_problems_and_results_are_read_whatever_is_missing() -> None:
    listed: Json = {"errors": {"data": [{"code": "c", "line": 2, "message": "m"}, {"message": "m"}, {}, "x"]}}
    assert problems_of(listed) == ["line 2: c: m", "m", "an unknown problem"]
    assert (problems_of({"errors": None}), problems_of({"errors": [{"code": "c"}]})) == ([], ["c"])
    assert files_of({"output_file_id": None, "error_file_id": "file-e"}) == ["file-e"]
    assert (results_of({}), results_of({"results": [{"custom_id": "a"}, 1]})) == (None, [{"custom_id": "a"}])
