"""Which recording is most like a request that was never recorded."""

from typing import Any

from cometresp.recording.nearest import nearest
from cometresp.recording.requests import RecordedRequest


def posted(**form: Any) -> RecordedRequest:
    return RecordedRequest("POST", "/v1/responses", "", form)


def test_a_body_of_another_kind_is_not_the_nearest() -> None:
    like = posted(json={"model": "n", "input": "Bye", "store": True})
    others = [posted(text="model"), posted(json=[1]), posted(), posted(json=None)]
    recorded = [(str(n), one) for n, one in enumerate([*others, like, *others])]
    wanted = posted(json={"model": "m", "input": "Hi"})
    assert nearest(wanted, recorded) == (
        "4",
        [
            'model ("n" there, "m" here)',
            'input ("Bye" there, "Hi" here)',
            "store (true there, none here)",
        ],
    )
    assert nearest(wanted, recorded[:1]) == (
        "0",
        ['the body ({"text": "model"} there, {"json": {"input": "Hi", "model": "m"}} here)'],
    )
