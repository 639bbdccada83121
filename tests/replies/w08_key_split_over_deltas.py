"""The key stands in an answer, in two deltas."""

from tests.replies.case import Run, Shows
from tests.scripted import created, delta, ended, message, response, sse, text_stream

SEEN = "models that are asked to repeat a request"

_KEY = {"COMETAPI_KEY": "sk-test-1234567890"}
_STREAM = text_stream("key: sk-te", "st-1234567890 end", response_id="resp_b1")
_MASKED = "key: *** end\n"
_ALMOST = text_stream("key: sk-te", "st-123 end", response_id="resp_b1")
_HALF = sse(created("resp_b1"), delta("a sk-test"), ended(response(message("a sk-test"), response_id="resp_b1")))

RUNS = {
    "streamed": Run([("stream hi", Shows(_MASKED))], [_STREAM], env=_KEY),
    "at the end": Run([("ask hi", Shows(_MASKED))], [_STREAM], env=_KEY),
    "as json": Run([("ask --json hi", Shows(_MASKED))], [_STREAM], env=_KEY),
    "the start of it": Run([("stream hi", Shows("key: sk-test-123 end\n"))], [_ALMOST], env=_KEY),
    "the start of it at the end": Run([("stream hi", Shows("a sk-test\n"))], [_HALF], env=_KEY),
}
