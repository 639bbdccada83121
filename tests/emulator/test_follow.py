import pytest

from cometresp.emulator.errors import ApiError

from .bench import STREAMED_KINDS, Bench


@pytest.mark.parametrize("kind", [kind for kind in STREAMED_KINDS if kind != "not stored"])
def test_a_stored_stream_is_replayed_event_by_event(bench: Bench, kind: str) -> None:
    events = bench.stream(**STREAMED_KINDS[kind])
    assert bench.follow(events[0]["response"]["id"]) == events


@pytest.mark.parametrize("background", [False, True])
def test_a_stream_can_be_followed_from_after_any_event(bench: Bench, background: bool) -> None:
    events = bench.stream(input="emulate:reasoning", background=background)
    response_id = events[0]["response"]["id"]
    for number in range(-1, len(events) + 1):
        assert bench.follow(response_id, starting_after=str(number)) == events[number + 1 :]


def test_a_followed_stream_can_leave_out_the_obfuscation(bench: Bench) -> None:
    events = bench.stream(input="Hello")
    for event in events:
        event.pop("obfuscation", None)
    assert bench.follow(events[0]["response"]["id"], include_obfuscation="false") == events


def test_a_response_not_created_as_a_stream_can_t_be_followed(bench: Bench) -> None:
    response_id = bench.ask(input="Hello")["id"]
    with pytest.raises(ApiError) as caught:
        bench.follow(response_id)
    assert (caught.value.status, caught.value.param) == (400, "stream")


@pytest.mark.parametrize("query", [{"stream": "maybe"}, {"stream": "true", "starting_after": "x"}])
def test_an_invalid_query_is_refused(bench: Bench, query: dict[str, str]) -> None:
    response_id = bench.stream(input="Hello")[0]["response"]["id"]
    with pytest.raises(ApiError) as caught:
        bench.call("GET", response_id, **query)
    assert (caught.value.status, caught.value.code) == (400, "invalid_type")
