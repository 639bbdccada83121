"""A proxy breaks a stream off and writes its own words: they are quoted."""

from tests.replies.case import Run, Shows
from tests.scripted import STREAM_HEAD, created, delta, frames, reply

SEEN = "Envoy, nginx"
WORDS = b"upstream connect error or disconnect/reset before headers. reset reason: overflow"
ENDED = "cometresp: error: the stream ended before the answer was complete: "
HINT = "hint: cometresp get resp_b1 shows what became of it\n"
BEGUN = STREAM_HEAD + frames([created("resp_b1"), delta("Hel")])
PAGE = "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>"
NOT_THE_API = (
    "cometresp: error: not the Responses API: the reply to POST /v1/responses is HTML under text/event-stream\n"
)
CHECK = "hint: is the base URL right? it usually ends in /v1\n"
RUNS = {
    "alone": Run([("ask hi", Shows("", 69, f"{ENDED}'{WORDS.decode()}'\n"))], [STREAM_HEAD + WORDS]),
    "later": Run([("ask --retries 0 hi", Shows("Hel\n", 69, f"{ENDED}'{WORDS.decode()}'\n{HINT}"))], [BEGUN + WORDS]),
    "cut in two": Run(
        [("ask --retries 0 hi", Shows("Hel\n", 69, f"{ENDED}'{WORDS.decode()}'\n{HINT}"))],
        [[BEGUN, WORDS[:20], WORDS[20:], b"\n\n"]],
    ),
    "page later": Run(
        [
            (
                "ask --retries 0 hi",
                Shows("Hel\n", 69, f"{ENDED}'504 Gateway Time-out 504 Gateway Time-out'\n{HINT}"),
            )
        ],
        [BEGUN + PAGE.encode()],
    ),
    "page alone": Run([("ask hi", Shows("", 76, NOT_THE_API + CHECK))], [reply(200, PAGE, "text/event-stream")]),
    "page after a comment": Run(
        [("ask hi", Shows("", 76, NOT_THE_API + CHECK))], [reply(200, f": ping\n\n{PAGE}", "text/event-stream")]
    ),
}
