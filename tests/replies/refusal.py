"""A refusal, which stands in the place of the answer."""

from tests.replies.case import Shows, b1, everywhere
from tests.scripted import ended, sse

SEEN = "OpenAI"

_ERROR = "cometresp: error: resp_b1 is a refusal\n"
_ITEM = {
    "type": "message",
    "id": "msg_0",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "refusal", "refusal": "No."}],
}

RUNS = everywhere(sse(ended(b1(_ITEM))), "No.\n", 4, _ERROR, extract=Shows("", 4, f"No.\n{_ERROR}"))
