"""When the next request may be sent: with a clock that the test moves."""

from hypothesis import given
from hypothesis import strategies as st

from cometresp.batch.digests import Digests, digest
from cometresp.batch.gate import Gate

HOUR = 3600.0


def started(gate: Gate, count: int, now: float, tokens: int = 0) -> int:
    """How many of `count` requests may be sent at once."""
    sent = 0
    for _ in range(count):
        if gate.wait(now):
            break
        gate.start(tokens)
        sent += 1
    return sent


def test_no_more_than_the_jobs_are_in_flight() -> None:
    gate = Gate(3, None, None, 0.0)
    assert (started(gate, 5, 0.0), gate.wait(0.0)) == (3, HOUR)
    gate.end(good=True)
    assert gate.wait(0.0) == 0


def test_one_limit_pauses_all_and_halves_those_in_flight_once() -> None:
    gate = Gate(8, None, None, 0.0)
    epochs = [gate.start(0) for _ in range(8)]
    for epoch in epochs:
        gate.end(good=False)
        gate.limited(epoch, "429", 12.0, 1.0)
    assert (gate.allowed, gate.wait(1.0), gate.wait(12.0), gate.pause) == (4, 12.0, 1.0, ("429", 13.0))
    assert (started(gate, 8, 13.0), gate.pause) == (4, None)


def test_the_number_in_flight_grows_by_one_in_each_round_of_good_responses() -> None:
    gate = Gate(8, None, None, 0.0)
    gate.limited(gate.start(0), "429", 0.0, 0.0)
    gate.end(good=False)
    grown = []
    for _ in range(5):
        for _ in range(started(gate, 9, 0.0)):
            gate.end(good=True)
        grown.append(gate.allowed)
    assert grown == [4, 5, 6, 7, 8]


def test_pauses_grow_where_the_server_names_none() -> None:
    gate = Gate(4, None, None, 0.0)
    pauses = []
    for _ in range(9):
        gate.limited(gate.start(0), "429", None, 0.0)
        gate.end(good=False)
        assert gate.pause is not None
        pauses.append(gate.pause.until)
        gate.pause = None
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_requests_a_minute_are_spread_over_it() -> None:
    gate = Gate(1000, 120, None, 0.0)
    now, sent = 0.0, 0
    while now < 60:
        if wait := gate.wait(now):
            now += wait
        else:
            gate.start(0)
            gate.end(good=True)
            sent += 1
    assert sent == 121  # two of them at once, at the start


def test_tokens_that_were_not_expected_are_paid_back_before_the_next_request() -> None:
    gate = Gate(10, None, 6000, 0.0)  # 100 in a second
    assert gate.wait(0.0) == 0
    gate.start(50)
    gate.end(150, good=True)
    assert gate.wait(0.0) == 1.01


@given(st.lists(st.text(max_size=6), max_size=60))
def test_a_set_of_digests_holds_what_was_added(ids: list[str]) -> None:
    found, expected = Digests(), set()
    for custom_id in ids:
        assert found.add(digest(custom_id)) == (custom_id not in expected)
        expected.add(custom_id)
    assert len(found) == len(expected)
    assert all(digest(custom_id) in found for custom_id in ids)


def test_a_set_of_digests_grows() -> None:
    found = Digests()
    numbers = [number << 12 for number in range(1, 200)]  # whose first places are the same, until it has grown
    numbers += [digest(str(number)) for number in range(6_000)]
    assert [found.add(number) for number in numbers] == [True] * len(numbers)
    assert [number in found for number in numbers] == [True] * len(numbers)
    assert (len(found), found.add(numbers[5]), 200 << 12 in found, digest("6000") in found) == (6_199, *[False] * 3)
