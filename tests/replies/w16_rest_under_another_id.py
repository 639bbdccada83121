"""After a cut, the server answers with the same response under another id."""

from tests.replies.case import Run, Shows, b1
from tests.scripted import created, delta, json_reply, message, sse

SEEN = "LiteLLM, which encodes ids again for each reply"

_CUT = sse(created("resp_b1"), delta("Hello "))
_ERROR = (
    "cometresp: error: the stream ended before the answer was complete\n"
    "hint: cometresp get resp_b1 shows what became of it\n"
)


def _other(text: str) -> bytes:
    return json_reply({**b1(message(text)), "id": "resp_other"})


RUNS = {
    "the rest": Run([("stream hi", Shows("Hello world\n"))], [_CUT, _other("Hello world")]),
    "the rest of an answer that is printed at its end": Run(
        [("ask hi", Shows("Hello world\n"))], [_CUT, _other("Hello world")]
    ),
    "the answer to something else": Run([("stream hi", Shows("Hello \n", 69, _ERROR))], [_CUT, _other("Good bye")]),
}
