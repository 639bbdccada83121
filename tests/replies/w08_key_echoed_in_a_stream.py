"""A stream whose events repeat the key: in the text, in an error, in a broken frame."""

import json

from tests.replies.case import Run, Shows, data
from tests.scripted import STREAM_HEAD, created, ended, message, response, sse, text_stream

SEEN = "gateways that pass on what their upstream says of a key"
KEY = "sk-0123456789/abcdef"
ENV = {"COMETAPI_KEY": KEY}
NO_KEY = f"Incorrect API key provided: {KEY}."
FAILED = response(status="failed", error={"code": "invalid_api_key", "message": NO_KEY})
REFUSED = Shows(code=1, err=lambda err: "Incorrect API key provided: ***." in err)
ANSWER = text_stream(f"The key is {KEY}.")
MASKED = response(message("The key is ***.")) | {"output_text": "The key is ***."}

RUNS = {
    "failed": Run([("ask hi", REFUSED), ("stream hi", REFUSED)], [sse(created(), ended(FAILED))], env=ENV),
    "error": Run(
        [("ask hi", REFUSED), ("stream hi", REFUSED)],
        [STREAM_HEAD + data({"type": "error", "code": "invalid_api_key", "message": NO_KEY})],
        env=ENV,
    ),
    "answer": Run(
        [
            ("ask hi", Shows("The key is ***.\n")),
            ("stream hi", Shows("The key is ***.\n")),
            ("ask --json hi", Shows(json.dumps(MASKED) + "\n", whole=True)),
            ("log resp_1", Shows("## resp_1 · m · completed\n\n> hi\n\nThe key is ***.\n")),
        ],
        [ANSWER],
        env=ENV,
    ),
}
