"""NaN and infinities in a response, which aren't JSON: null wherever it is printed or sent again."""

import json

from tests.replies.case import Run, Shows
from tests.scripted import STREAM_HEAD, message, reply, response

SEEN = "vLLM, SGLang (logprobs)"
ODD = '[{"token": "NaN", "logprob": NaN}, {"logprob": -Infinity}, {"logprob": Infinity}, {"logprob": 1e999}]'
CLEAN = '[{"token": "NaN", "logprob": null}, {"logprob": null}, {"logprob": null}, {"logprob": 1e999}]'
BODY = json.dumps(response(message("ping pong", logprobs="LOGPROBS"), response_id="resp_b1"))
BAD, GOOD = BODY.replace('"LOGPROBS"', ODD), BODY.replace('"LOGPROBS"', CLEAN)
EVENT = '{"type": "response.completed", "response": '
DOCUMENT = GOOD[:-1] + ', "output_text": "ping pong"}\n'


def _run(given: bytes) -> Run:
    steps = [
        ("ask --json hi", Shows(DOCUMENT, whole=True)),
        ("ask --events hi", Shows(EVENT + GOOD + "}\n")),
        ("continue --replay hi", Shows("ping pong\n")),
    ]
    return Run(steps, [given])


RUNS = {
    "whole": _run(reply(200, BAD)),
    "stream": _run(STREAM_HEAD + f"data: {EVENT}{BAD}}}\n\n".encode()),
    "bare": _run(reply(200, BAD, "text/event-stream")),
}
