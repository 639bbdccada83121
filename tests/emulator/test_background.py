import pytest

from cometresp.emulator.errors import ApiError

from .bench import START, Bench, text_of


@pytest.mark.parametrize(
    ("prompt", "seconds", "status"),
    [
        ("Hello", 0.0, "queued"),
        ("Hello", 0.19, "queued"),
        ("Hello", 0.21, "in_progress"),
        ("Hello", 0.99, "in_progress"),
        ("Hello", 1.0, "completed"),
        ("emulate:slow", 1.5, "queued"),
        ("emulate:slow", 9.9, "in_progress"),
        ("emulate:slow", 10.0, "completed"),
        ("emulate:failed", 1.0, "failed"),
        ("emulate:error", 1.0, "failed"),
        ("emulate:incomplete", 1.0, "incomplete"),
    ],
)
def test_the_status_follows_from_the_time(bench: Bench, prompt: str, seconds: float, status: str) -> None:
    created = bench.ask(input=prompt, background=True)
    bench.clock.now += seconds
    fetched = bench.call("GET", created["id"])
    assert (created["status"], fetched["status"]) == ("queued", status)
    assert bool(fetched["output"]) == (status not in ("queued", "in_progress"))


def test_the_times_are_those_of_the_clock(bench: Bench) -> None:
    created = bench.ask(input="Hello", background=True)
    bench.clock.now += 60
    done = bench.call("GET", created["id"])
    assert (created["created_at"], created["completed_at"]) == (int(START), None)
    assert (done["created_at"], done["completed_at"]) == (int(START), int(START + 1))


def test_a_background_stream_is_sent_as_it_becomes_due(bench: Bench) -> None:
    events = [
        (event["type"], round(bench.clock.now - START, 3)) for event in bench.opened(input="Hello", background=True)
    ]
    assert events[:3] == [("response.created", 0.0), ("response.queued", 0.0), ("response.in_progress", 0.2)]
    assert events[-1] == ("response.completed", 1.0)


def test_a_stream_followed_after_the_end_comes_without_waits(bench: Bench) -> None:
    events = bench.stream(input="Hello", background=True)
    bench.clock.now += 5
    bench.clock.waits.clear()
    assert bench.follow(events[0]["response"]["id"]) == events
    assert bench.clock.waits == []


def test_a_stream_ends_with_the_response_that_get_returns(bench: Bench) -> None:
    events = bench.stream(input="Hello", background=True)
    assert bench.call("GET", events[0]["response"]["id"]) == events[-1]["response"]


def test_without_store_a_background_response_can_be_fetched_but_not_continued(bench: Bench) -> None:
    response_id = bench.ask(input="Hello", background=True, store=False)["id"]
    assert bench.call("GET", response_id)["status"] == "queued"
    assert bench.refused(input="More", previous_response_id=response_id).code == "previous_response_not_found"


def test_a_cancelled_response_remains_cancelled_and_may_be_cancelled_again(bench: Bench) -> None:
    response_id = bench.ask(input="Hello", background=True)["id"]
    first = bench.call("POST", f"{response_id}/cancel")
    bench.clock.now += 5
    assert first["status"] == "cancelled"
    assert bench.call("POST", f"{response_id}/cancel") == bench.call("GET", response_id) == first


def test_a_cancel_after_the_end_returns_the_response_as_it_is(bench: Bench) -> None:
    response_id = bench.ask(input="Hello", background=True)["id"]
    bench.clock.now += 5
    done = bench.call("POST", f"{response_id}/cancel")
    assert (done["status"], "Hello" in text_of(done)) == ("completed", True)


def test_only_a_background_response_can_be_cancelled(bench: Bench) -> None:
    response_id = bench.ask(input="Hello")["id"]
    with pytest.raises(ApiError) as caught:
        bench.call("POST", f"{response_id}/cancel")
    assert (caught.value.status, caught.value.message) == (400, "Cannot cancel a synchronous response.")


def test_the_stream_of_a_cancelled_response_ends_without_a_final_event(bench: Bench) -> None:
    stream = bench.opened(input="Hello", background=True)
    first = [next(stream) for _ in range(5)]
    response_id = first[0]["response"]["id"]
    bench.call("POST", f"{response_id}/cancel")
    assert list(stream) == []
    bench.clock.now += 5
    assert bench.follow(response_id) == first
